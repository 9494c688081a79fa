//! A gate between two programs: it passes bytes, late, in one direction only, or not
//! at all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

/// So many pieces are on their way at once.
const PIECES: usize = 256;

/// What passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passage {
    /// Everything.
    #[default]
    Open,
    /// Everything, so much later in each direction.
    Late(Duration),
    /// Nothing of what the server sends; what clients send arrives.
    OneWay,
    /// Nothing, and nobody is told.
    Silent,
    /// Nothing: connections are cut, and new ones are closed at once.
    Closed,
}

/// A gate before a server, which is gone when this is dropped.
#[derive(Debug)]
pub struct Gate {
    address: SocketAddr,
    passage: Arc<watch::Sender<Passage>>,
    running: JoinHandle<()>,
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Gate {
    /// One before this server, on a free port.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start(server: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let passage = Arc::new(watch::Sender::new(Passage::Open));
        let changes = Arc::clone(&passage);
        let running = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let passage = changes.subscribe();
                connections.spawn(async move {
                    // A cut is no fault.
                    let _ = connect(client, server, passage).await;
                });
            }
        });
        Ok(Self {
            address,
            passage,
            running,
        })
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what passes from now on.
    pub fn set(&self, passage: Passage) {
        self.passage.send_replace(passage);
    }
}

async fn connect(
    client: TcpStream,
    server: SocketAddr,
    mut passage: watch::Receiver<Passage>,
) -> anyhow::Result<()> {
    if *passage.borrow() == Passage::Closed {
        return Ok(());
    }
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (client_read, client_write) = client.into_split();
    let (server_read, server_write) = server.into_split();
    let (up, down) = (passage.clone(), passage.clone());
    let closed = passage.wait_for(|passage| *passage == Passage::Closed);
    tokio::select! {
        _ = closed => Ok(()),
        ended = pass(client_read, server_write, up, false) => ended,
        ended = pass(server_read, client_write, down, true) => ended,
    }
}

/// A piece, and when it is passed on.
type Piece = (Instant, Vec<u8>);

async fn pass(
    from: OwnedReadHalf,
    to: OwnedWriteHalf,
    passage: watch::Receiver<Passage>,
    is_answer: bool,
) -> anyhow::Result<()> {
    let (queue, queued) = mpsc::channel(PIECES);
    tokio::try_join!(take(from, queue, passage, is_answer), give(queued, to))?;
    Ok(())
}

/// Takes what comes, as long as it passes.
async fn take(
    mut from: OwnedReadHalf,
    queue: mpsc::Sender<Piece>,
    mut passage: watch::Receiver<Passage>,
    is_answer: bool,
) -> anyhow::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        let now = *passage.borrow_and_update();
        let mut due = Instant::now();
        match now {
            Passage::Open | Passage::Closed => {}
            Passage::Late(delay) => due += delay,
            Passage::OneWay if !is_answer => {}
            // Bytes that are lost are the end of the connection: it is cut once the
            // gate opens.
            Passage::OneWay | Passage::Silent => {
                passage.wait_for(|passage| *passage != now).await?;
                return Ok(());
            }
        }
        queue.send((due, buffer[..count].to_vec())).await?;
    }
}

/// Passes pieces on, each when it is due.
async fn give(mut queued: mpsc::Receiver<Piece>, mut to: OwnedWriteHalf) -> anyhow::Result<()> {
    while let Some((due, piece)) = queued.recv().await {
        sleep_until(due).await;
        to.write_all(&piece).await?;
    }
    Ok(())
}
