//! What can stand between a client and the server: a TCP proxy that counts
//! bytes, adds delay, and fails in the ways that networks do.

mod carry;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::RngExt as _;
use shared::binary::{self, Instruments};
use shared::{Transport, routes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use self::carry::{How, carry};

/// How many bytes are read at once.
const CHUNK_BYTES: usize = 64 * 1024;
/// The shortest and the longest life of a connection under [`Fault::Cuts`], in
/// ms.
const LIFE_MS: std::ops::Range<u64> = 50..1_500;

/// How long a connection hangs, until the network forgets it.
const HANG: Duration = Duration::from_secs(180);

/// The fault that the proxy simulates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// No fault.
    #[default]
    None,
    /// Every connection is cut after a random time.
    Cuts,
    /// WebSocket handshakes are refused.
    RefusesUpgrades,
    /// WebSocket handshakes are accepted, and never answered.
    SwallowsUpgrades,
    /// What the server sends arrives one byte at a time.
    OneByteAtATime,
    /// Of what the server sends, a byte in some pieces is another one.
    Corrupts,
}

/// The transport of a request for prices; `None` for any other request.
fn transport_of(head: &str) -> Option<Transport> {
    let path = head.split(' ').nth(1)?.strip_prefix('/')?;
    // The clock of the lab asks without symbols: that is for no transport.
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

/// What passed through for one transport.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Requests.
    pub requests: u64,
    /// Answers without events.
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
    /// Cancelled to end all open connections.
    cut: CancellationToken,
    /// Cancelled to let all open connections hang.
    hang: CancellationToken,
}

/// A proxy on its own port. It ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    _running: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Starts a proxy that forwards connections to `target`.
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
            loop {
                tokio::select! {
                    accepted = listener.accept() => match accepted {
                        Ok((client, _)) => {
                            connections.spawn(pass(client, target, Arc::clone(&passing)));
                        }
                        Err(_) => return,
                    },
                    // Those that have ended do not take memory any more.
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Ok(Self {
            address,
            state,
            _running: AbortOnDropHandle::new(running),
        })
    }

    /// The URL of a path behind the proxy.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Host and port.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// Simulates this fault from now on. Connections that are open are cut.
    pub fn fail(&self, fault: Fault) {
        let mut state = lock(&self.state);
        state.fault = fault;
        state.cut.cancel();
        state.cut = CancellationToken::new();
    }

    /// Lets all open connections hang: they stay open for three minutes, and
    /// nothing arrives over them any more.
    pub fn hang(&self) {
        let mut state = lock(&self.state);
        state.hang.cancel();
        state.hang = CancellationToken::new();
    }

    /// Delays what is sent from now on by this much, in each direction.
    pub fn delay(&self, delay: Duration) {
        lock(&self.state).delay = delay;
    }

    /// What was counted so far for one transport; for `None`, the requests of
    /// no transport.
    pub fn seen(&self, transport: Option<Transport>) -> Seen {
        let state = lock(&self.state);
        state.seen.get(&transport).copied().unwrap_or_default()
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Only a panic poisons the lock, and that test has failed already.
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
        // When one side closes its connection, the other side's is closed, too.
        _ = talk(client, target, state, fault, hang) => {}
    }
}

/// Counts what goes down to the client over the channel of its request.
fn count_down(state: &Shared, carries: &Mutex<Option<Transport>>, bytes: &[u8]) {
    let carries = *carries.lock().unwrap_or_else(PoisonError::into_inner);
    let mut state = lock(state);
    let seen = state.seen.entry(carries).or_default();
    seen.down += bytes.len() as u64;
    // An empty answer is short, so it arrives in one piece.
    if contains(bytes, br#""events":[]"#) || is_empty_binary(bytes) {
        seen.empty += 1;
    }
}

/// The first bytes of a client, and whether they are a request for an upgrade.
async fn first_of(from_client: &mut OwnedReadHalf) -> std::io::Result<(Vec<u8>, bool)> {
    let mut first = vec![0; CHUNK_BYTES];
    let count = from_client.read(&mut first).await?;
    first.truncate(count);
    let head = String::from_utf8_lossy(&first).to_ascii_lowercase();
    Ok((first, head.contains("upgrade: websocket")))
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
    let (first, is_upgrade) = first_of(&mut from_client).await?;
    match fault {
        Fault::RefusesUpgrades if is_upgrade => {
            let refusal =
                "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            return to_client.write_all(refusal.as_bytes()).await;
        }
        Fault::SwallowsUpgrades if is_upgrade => return std::future::pending().await,
        _ => {}
    }
    let seen = Arc::clone(&state);
    let up = carry(
        from_client,
        to_server,
        seen,
        How::Whole,
        first,
        move |bytes| {
            heads.count(bytes);
        },
    );
    let how = How::of(fault);
    let counted = Arc::clone(&state);
    let count = move |bytes: &[u8]| count_down(&counted, &carries, bytes);
    let down = carry(from_server, to_client, state, how, Vec::new(), count);
    let mut both = std::pin::pin!(async {
        tokio::select! {
            ended = up => ended,
            ended = down => ended,
        }
    });
    tokio::select! {
        ended = both.as_mut() => ended,
        // `both` is not polled any more, but not dropped either: the sockets
        // stay open for a while.
        () = hang.cancelled() => {
            sleep(HANG).await;
            Ok(())
        }
    }
}

/// Whether this is the answer of a poll in the binary encoding that has no
/// messages in it. Such an answer can be read without knowing any instruments.
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

/// Finds the requests in the bytes that a client sends.
struct Heads {
    state: Shared,
    /// The transport of the newest request. Its answer is counted for that
    /// transport.
    carries: Arc<Mutex<Option<Transport>>>,
    rest: Vec<u8>,
}

impl Heads {
    fn count(&mut self, bytes: &[u8]) {
        let mut carries = self.carries.lock().unwrap_or_else(PoisonError::into_inner);
        if *carries == Some(Transport::WebSocket) {
            // These are frames, not requests.
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
