//! rustls beside a socket: what it encrypts is written when the socket takes it,
//! and what the socket has is decrypted when somebody reads.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::{ServerConfig, ServerConnection};
use tokio::net::TcpStream;

/// The most bytes that one write encrypts. They wait here until the socket takes
/// them, which is memory for each connection.
const TAKEN_BYTES_MAX: usize = 64 * 1024;

/// The keys and buffers of one connection.
#[derive(Debug)]
pub(super) struct Tls(Mutex<ServerConnection>);

impl Tls {
    pub(super) fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        let mut session = ServerConnection::new(config).map_err(io::Error::other)?;
        session.set_buffer_limit(Some(TAKEN_BYTES_MAX));
        Ok(Self(Mutex::new(session)))
    }

    fn lock(&self) -> MutexGuard<'_, ServerConnection> {
        // A panic in rustls leaves a connection that is lost, at worst.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Agrees on the keys with the client.
    pub(super) async fn shake_hands(&self, tcp: &TcpStream) -> io::Result<()> {
        loop {
            let writes = {
                let mut session = self.lock();
                let received = receive(&mut session, tcp);
                // Also if there was a fault: the client is told what it was.
                let is_sent = send(&mut session, tcp)?;
                match received {
                    Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                    Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                    _ if is_sent && !session.is_handshaking() => return Ok(()),
                    // There may be more.
                    Ok(_) => continue,
                    Err(_) => !is_sent,
                }
            };
            tokio::select! {
                ready = tcp.readable() => ready?,
                ready = tcp.writable(), if writes => ready?,
            }
        }
    }

    pub(super) fn try_read(&self, tcp: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        let mut session = self.lock();
        loop {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                read => return read,
            }
            let received = receive(&mut session, tcp);
            // What arrived may need an answer.
            send(&mut session, tcp)?;
            received?;
        }
    }

    pub(super) fn try_write(&self, tcp: &TcpStream, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut session = self.lock();
        if !send(&mut session, tcp)? {
            return Err(ErrorKind::WouldBlock.into());
        }
        let taken = session.writer().write_vectored(pieces)?;
        send(&mut session, tcp)?;
        Ok(taken)
    }

    pub(super) fn try_flush(&self, tcp: &TcpStream) -> io::Result<bool> {
        send(&mut self.lock(), tcp)
    }

    /// Says that nothing more will come, once what was taken is sent.
    pub(super) fn say_goodbye(&self) {
        self.lock().send_close_notify();
    }
}

/// Takes in what the socket has; returns how many bytes that is, 0 at the end.
fn receive(session: &mut ServerConnection, tcp: &TcpStream) -> io::Result<usize> {
    let received = session.read_tls(&mut Socket(tcp))?;
    let fault = |error| io::Error::new(ErrorKind::InvalidData, error);
    session.process_new_packets().map_err(fault)?;
    Ok(received)
}

/// Passes on what is encrypted; returns whether that is all of it by now.
fn send(session: &mut ServerConnection, tcp: &TcpStream) -> io::Result<bool> {
    while session.wants_write() {
        match session.write_tls(&mut Socket(tcp)) {
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// The socket, as rustls uses it.
struct Socket<'s>(&'s TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(pieces)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
