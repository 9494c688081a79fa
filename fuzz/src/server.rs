//! The real server, in this process.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use testkit::TestServer;

/// Streams and long polls do not end by themselves: what came until then has to
/// do.
const PATIENCE: Duration = Duration::from_millis(50);
/// The start of an answer that is looked at.
const ANSWER_BYTES: usize = 1_024;

fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            runtime.block_on(async {
                // Rust's own start ignores this signal, which a fuzz target is
                // without: whoever writes to a closed connection gets it.
                let kind = tokio::signal::unix::SignalKind::pipe();
                let _ignored = tokio::signal::unix::signal(kind).expect("a handler");
                let quiet = ["--symbols=3", "--rate=1", "--log-capacity=1000"];
                let server = TestServer::start(&quiet).await.expect("it starts");
                sender.send(server.address()).expect("it is waited for");
                std::future::pending::<()>().await;
            });
        });
        receiver.recv().expect("it started")
    })
}

/// The start of what the server says to these bytes, if anything.
pub fn answer(bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address()).expect("it accepts connections");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    // It may have closed before it has read everything.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.take(ANSWER_BYTES as u64).read_to_end(&mut answer);
    answer
}
