//! What can lie between a client and the server: a TCP proxy that counts, takes
//! time, and fails in the ways that networks do.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use shared::binary::{self, Instruments};
use shared::{Transport, routes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How much is read at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// How many chunks wait for their time.
const CHUNKS: usize = 4096;
/// The shortest and the longest life of a connection that is cut, in ms.
const LIFE_MS: std::ops::Range<u64> = 50..1_500;

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Every connection is cut after a random time.
    Cuts,
    /// A WebSocket's handshake is refused.
    RefusesUpgrades,
    /// A WebSocket's handshake is taken, and nothing is ever said to it.
    SwallowsUpgrades,
    /// What the server says arrives one byte at a time.
    OneByteAtATime,
}

/// The transport whose prices a request is for; `None` for anything else.
fn transport_of(head: &str) -> Option<Transport> {
    let path = head.split(' ').nth(1)?.strip_prefix('/')?;
    // The lab's clock asks without symbols.
    let (route, query) = path.split_once('?')?;
    query.strip_prefix("symbols=")?;
    match route {
        routes::WS => Some(Transport::WebSocket),
        routes::STREAM => Some(Transport::Sse),
        routes::TICKS if query.contains("wait_ms=0&") => Some(Transport::Poll),
        routes::TICKS => Some(Transport::LongPoll),
        _ => None,
    }
}

/// What was seen of one transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests.
    pub requests: u64,
    /// Answers with no events in them.
    pub empty: u64,
    /// Bytes to the server.
    pub up: u64,
    /// Bytes from the server.
    pub down: u64,
}

#[derive(Debug, Default)]
struct State {
    fault: Fault,
    delay: Duration,
    seen: HashMap<Option<Transport>, Seen>,
    /// Ends all connections that there are.
    cut: CancellationToken,
    /// Lets them hang.
    hang: CancellationToken,
}

/// A proxy on a port of its own. It ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _running: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Passes connections on to `target`.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start(target: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = Arc::<Mutex<State>>::default();
        let passing = Arc::clone(&state);
        let running = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(pass(client, target, Arc::clone(&passing)));
            }
        });
        Ok(Self {
            address,
            state,
            _running: AbortOnDropHandle::new(running),
        })
    }

    /// The address of a path behind it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Fails in this way from now on, also those connections that are open:
    /// they are cut.
    pub fn fail(&self, fault: Fault) {
        let mut state = lock(&self.state);
        state.fault = fault;
        state.cut.cancel();
        state.cut = CancellationToken::new();
    }

    /// Lets all connections that there are hang: they stay open, and nothing
    /// comes over them any more.
    pub fn hang(&self) {
        let mut state = lock(&self.state);
        state.hang.cancel();
        state.hang = CancellationToken::new();
    }

    /// Makes what is sent from now on take so much longer, each way.
    pub fn delay(&self, delay: Duration) {
        lock(&self.state).delay = delay;
    }

    /// What was seen so far of one transport; of `None`, all that is for none.
    pub fn seen(&self, transport: Option<Transport>) -> Seen {
        let state = lock(&self.state);
        state.seen.get(&transport).copied().unwrap_or_default()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // A test that panicked has failed already.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

type Shared = Arc<Mutex<State>>;

async fn pass(client: TcpStream, target: SocketAddr, state: Shared) {
    let (fault, cut, hang) = {
        let state = lock(&state);
        (state.fault, state.cut.clone(), state.hang.clone())
    };
    let life = async {
        match fault {
            Fault::Cuts => {
                let life_ms = rand::rng().random_range(LIFE_MS);
                sleep(Duration::from_millis(life_ms)).await;
            }
            _ => std::future::pending().await,
        }
    };
    tokio::select! {
        () = cut.cancelled() => {}
        () = life => {}
        // Either side that goes takes the other with it.
        _ = talk(client, target, state, fault, hang) => {}
    }
}

async fn talk(
    client: TcpStream,
    target: SocketAddr,
    state: Shared,
    fault: Fault,
    hang: CancellationToken,
) -> std::io::Result<()> {
    let server = TcpStream::connect(target).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut from_client, mut to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let carries = Arc::new(Mutex::new(None));
    let mut heads = Heads {
        state: Arc::clone(&state),
        carries: Arc::clone(&carries),
        rest: Vec::new(),
    };
    // The first bytes decide whether an upgrade gets on.
    let mut first = vec![0; CHUNK_BYTES];
    let count = from_client.read(&mut first).await?;
    first.truncate(count);
    let is_upgrade = String::from_utf8_lossy(&first)
        .to_ascii_lowercase()
        .contains("upgrade: websocket");
    match fault {
        Fault::RefusesUpgrades if is_upgrade => {
            let refusal =
                "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return to_client.write_all(refusal.as_bytes()).await;
        }
        Fault::SwallowsUpgrades if is_upgrade => return std::future::pending().await,
        _ => {}
    }
    let up = carry(
        from_client,
        to_server,
        Arc::clone(&state),
        false,
        first,
        move |bytes| {
            heads.count(bytes);
        },
    );
    let slow = fault == Fault::OneByteAtATime;
    let counted = Arc::clone(&state);
    let down = carry(
        from_server,
        to_client,
        state,
        slow,
        Vec::new(),
        move |bytes| {
            let carries = *carries.lock().unwrap_or_else(PoisonError::into_inner);
            let mut state = lock(&counted);
            let seen = state.seen.entry(carries).or_default();
            seen.down += bytes.len() as u64;
            // Such an answer is short: it comes in one piece.
            if contains(bytes, br#""events":[]"#) || is_empty_binary(bytes) {
                seen.empty += 1;
            }
        },
    );
    let mut both = std::pin::pin!(async {
        tokio::select! {
            ended = up => ended,
            ended = down => ended,
        }
    });
    tokio::select! {
        ended = both.as_mut() => ended,
        // Not polled any more, but still there: the sockets stay open.
        () = hang.cancelled() => std::future::pending().await,
    }
}

/// Whether this is an answer of a poll in the binary encoding that has no messages
/// in it. It has no instruments to know, then.
fn is_empty_binary(bytes: &[u8]) -> bool {
    let kind = format!("content-type: {}", binary::MEDIA_TYPE);
    let body = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let answer = body.filter(|_| contains(bytes, kind.as_bytes())).map(|at| {
        let answer = Instruments::default().read_answer(&bytes[at + 4..]);
        answer.is_ok_and(|answer| answer.events.is_empty())
    });
    answer.unwrap_or(false)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|part| part == wanted)
}

/// Carries bytes from one side to the other, each when its time has come.
async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    state: Shared,
    one_by_one: bool,
    first: Vec<u8>,
    mut count: impl FnMut(&[u8]),
) -> std::io::Result<()> {
    // At the bound nothing more is read, as on a network.
    let (sender, mut waiting) = mpsc::channel::<(Instant, Vec<u8>)>(CHUNKS);
    let reading = async move {
        let mut chunk = first;
        loop {
            if !chunk.is_empty() {
                count(&chunk);
                let due = Instant::now() + lock(&state).delay;
                if sender.send((due, chunk)).await.is_err() {
                    return Ok(());
                }
            }
            chunk = vec![0; CHUNK_BYTES];
            let read = from.read(&mut chunk).await?;
            if read == 0 {
                return Ok(());
            }
            chunk.truncate(read);
        }
    };
    let writing = async move {
        while let Some((due, chunk)) = waiting.recv().await {
            sleep_until(due).await;
            if one_by_one {
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
    // What is on its way arrives, also after the sender has gone.
    let (read, wrote): (std::io::Result<()>, _) = tokio::join!(reading, writing);
    read.and(wrote)
}

/// Finds the requests in what a client sends.
struct Heads {
    state: Shared,
    /// Of the newest request: what it is answered belongs to it.
    carries: Arc<Mutex<Option<Transport>>>,
    rest: Vec<u8>,
}

impl Heads {
    fn count(&mut self, bytes: &[u8]) {
        let mut carries = self.carries.lock().unwrap_or_else(PoisonError::into_inner);
        if *carries == Some(Transport::WebSocket) {
            // Frames, no requests.
            let mut state = lock(&self.state);
            state.seen.entry(*carries).or_default().up += bytes.len() as u64;
            return;
        }
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.windows(4).position(|part| part == b"\r\n\r\n") {
            let head: Vec<u8> = self.rest.drain(..end + 4).collect();
            *carries = transport_of(&String::from_utf8_lossy(&head));
            let mut state = lock(&self.state);
            let seen = state.seen.entry(*carries).or_default();
            seen.requests += 1;
            seen.up += head.len() as u64;
        }
    }
}
