//! What fails around the server: the network, the disk, the clock, the process.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt as _;
use rusqlite::Connection;
use testkit::{Fault, Proxy};
use tokio::process::Command;
use tokio::time::sleep;

/// The faults of the network, in turn at random.
const FAULTS: [Fault; 6] = [
    Fault::None,
    Fault::None,
    Fault::Cuts,
    Fault::RefusesUpgrades,
    Fault::SwallowsUpgrades,
    Fault::OneByteAtATime,
];

/// What can be done to a server.
#[derive(Clone, Debug)]
pub(crate) struct Weather {
    /// The file of its store.
    pub(crate) store: PathBuf,
    /// The file that says how far its clock is off.
    pub(crate) offset: PathBuf,
    pub(crate) pid: u32,
}

/// Changes the weather again and again.
pub(crate) async fn change(weather: Weather, proxy: Arc<Proxy>) {
    loop {
        let pause = rand::rng().random_range(500..4_000);
        sleep(Duration::from_millis(pause)).await;
        let which = rand::rng().random_range(0..10);
        let changed = match which {
            0 => weather.fill_disk().await,
            1 => weather.set_clock(),
            2 => weather.freeze().await,
            3 => {
                proxy.hang();
                Ok(())
            }
            4..7 => {
                proxy.delay(Duration::from_millis(rand::rng().random_range(0..200)));
                Ok(())
            }
            _ => {
                proxy.fail(FAULTS[rand::rng().random_range(0..FAULTS.len())]);
                Ok(())
            }
        };
        if let Err(error) = changed {
            println!("the weather did not change: {error:#}");
        }
    }
}

impl Weather {
    /// Nothing can be written for some seconds.
    async fn fill_disk(&self) -> anyhow::Result<()> {
        let store = self.store.clone();
        let length = rand::rng().random_range(1_000..6_000);
        let holding = tokio::task::spawn_blocking(move || -> anyhow::Result<()> {
            let mut other = Connection::open(store)?;
            let behavior = rusqlite::TransactionBehavior::Immediate;
            // It may be that the server is writing now.
            if let Ok(_held) = other.transaction_with_behavior(behavior) {
                std::thread::sleep(Duration::from_millis(length));
            }
            Ok(())
        });
        holding.await?
    }

    /// The clock is off by up to a minute.
    fn set_clock(&self) -> anyhow::Result<()> {
        let seconds = rand::rng().random_range(-60..60);
        self.set_offset(&format!("{seconds:+}"))
    }

    fn set_offset(&self, offset: &str) -> anyhow::Result<()> {
        // In one step: it is read at any moment.
        let new = self.offset.with_extension("new");
        std::fs::write(&new, offset)?;
        Ok(std::fs::rename(new, &self.offset)?)
    }

    /// The process does nothing for a while, as when a machine sleeps.
    async fn freeze(&self) -> anyhow::Result<()> {
        self.signal("-STOP").await?;
        let length = rand::rng().random_range(100..2_500);
        sleep(Duration::from_millis(length)).await;
        self.signal("-CONT").await
    }

    async fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let mut kill = Command::new("kill");
        kill.args([signal, &self.pid.to_string()]).status().await?;
        Ok(())
    }

    /// Clock and process are as they should be.
    pub(crate) fn calm(&self) -> anyhow::Result<()> {
        self.set_offset("+0")?;
        let mut kill = std::process::Command::new("kill");
        kill.args(["-CONT", &self.pid.to_string()]).status()?;
        Ok(())
    }
}
