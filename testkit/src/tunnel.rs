//! A proxy that takes connections to one host, which exists for it only, to an
//! address (`CONNECT`, RFC 9110, section 9.3.6).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Tunnel {
    address: SocketAddr,
    taken: Arc<AtomicUsize>,
    running: JoinHandle<()>,
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Tunnel {
    /// Takes connections to `host`, with its port, to this address. With an
    /// acceptor, the host is encrypted, and the address is not.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start(
        host: &str,
        to: SocketAddr,
        acceptor: Option<TlsAcceptor>,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let taken = Arc::new(AtomicUsize::new(0));
        let (counted, wanted) = (Arc::clone(&taken), format!("CONNECT {host} HTTP/1.1"));
        let running = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (counted, wanted) = (Arc::clone(&counted), wanted.clone());
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let client = opened(client, &wanted).await?;
                    counted.fetch_add(1, Ordering::Relaxed);
                    let mut server = TcpStream::connect(to).await?;
                    match acceptor {
                        None => pass(client, &mut server).await,
                        Some(acceptor) => pass(acceptor.accept(client).await?, &mut server).await,
                    }
                });
            }
        });
        Ok(Self {
            address,
            taken,
            running,
        })
    }

    /// Its URL, for `ALL_PROXY`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections it has taken to the host.
    pub fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }
}

/// The connection after a client has asked for the host.
async fn opened(mut client: TcpStream, wanted: &str) -> anyhow::Result<TcpStream> {
    let mut lines = BufReader::new(&mut client).lines();
    let first = lines.next_line().await?.context("no request")?;
    ensure!(first == wanted, "{first}");
    while lines
        .next_line()
        .await?
        .is_some_and(|line| !line.is_empty())
    {}
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    Ok(client)
}

async fn pass(
    mut client: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    server: &mut TcpStream,
) -> anyhow::Result<()> {
    copy_bidirectional(&mut client, server).await?;
    Ok(())
}
