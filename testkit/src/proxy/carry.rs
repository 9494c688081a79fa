//! How bytes are forwarded.

use rand::RngExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::{CHUNK_BYTES, Fault, Shared, lock};

/// How many chunks may wait until they are due.
const CHUNKS: usize = 4096;
/// Under [`Fault::Corrupts`], a byte of one in so many chunks is changed.
const CORRUPTED: u32 = 50;

/// How bytes are forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Whole,
    Bytewise,
    Corrupted,
}

impl How {
    /// How what the server sends is forwarded under a fault.
    pub(super) fn of(fault: Fault) -> Self {
        match fault {
            Fault::OneByteAtATime => Self::Bytewise,
            Fault::Corrupts => Self::Corrupted,
            _ => Self::Whole,
        }
    }
}

/// Changes a byte in one of [`CORRUPTED`] chunks.
fn corrupt(chunk: &mut [u8]) {
    let mut chance = rand::rng();
    if chance.random_range(0..CORRUPTED) == 0 && !chunk.is_empty() {
        let at = chance.random_range(0..chunk.len());
        chunk[at] ^= 1 << chance.random_range(0..8);
    }
}

/// Forwards bytes in one direction, each chunk when it is due.
pub(super) async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Shared,
    how: How,
    first: Vec<u8>,
    mut count: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    // When this queue is full nothing more is read, as on a network.
    let (sender, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS);
    let reading = async move {
        let mut chunk = first;
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            if !chunk.is_empty() {
                count(&chunk);
                let due = Instant::now() + lock(&state).delay;
                if sender.send((due, chunk)).await.is_err() {
                    return Ok(());
                }
            }
            let read = from.read(&mut buffer).await?;
            if read == 0 {
                return Ok(());
            }
            chunk = buffer[..read].to_vec();
            if how == How::Corrupted {
                corrupt(&mut chunk);
            }
        }
    };
    let writing = async move {
        while let Some((due, chunk)) = waiting.recv().await {
            sleep_until(due).await;
            if how == How::Bytewise {
                for byte in chunk {
                    to.write_all(&[byte]).await?;
                    tokio::task::yield_now().await;
                }
            } else {
                to.write_all(&chunk).await?;
            }
        }
        std::io::Result::Ok(())
    };
    // What is on its way is delivered, even after the sender has closed.
    let (read, wrote): (std::io::Result<()>, _) = tokio::join!(reading, writing);
    read.and(wrote)
}
