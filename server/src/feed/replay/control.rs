//! What people do with a replay while it runs.

use shared::{Replay, Time};
use tokio::sync::{mpsc, oneshot, watch};

use super::speed::Speed;

/// How many orders may wait until the replay takes them.
const WAITING_MAX: usize = 64;

/// What somebody wants of a replay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Go on. At the end, begin again.
    Play,
    /// Stand still.
    Pause,
    /// Play one bar, and stand still.
    Step,
    /// Go to before the newest bar, and stand still.
    StepBack,
    /// Go to this time: what is before it has happened, and what is not, has not.
    To(Time),
    /// Go on at this speed.
    Speed(Speed),
}

/// Reaches a replay while it runs. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Remote {
    orders: mpsc::Sender<(Vec<Order>, oneshot::Sender<()>)>,
    standing: watch::Receiver<Replay>,
}

/// The other end of a [`Remote`].
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) orders: mpsc::Receiver<(Vec<Order>, oneshot::Sender<()>)>,
    pub(super) standing: watch::Sender<Replay>,
}

/// The replay does not run any more: the server is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Both ends, for a replay that stands so at the start.
pub(super) fn remote(standing: Replay) -> (Remote, Panel) {
    let (give, orders) = mpsc::channel(WAITING_MAX);
    let (show, standing) = watch::channel(standing);
    let remote = Remote {
        orders: give,
        standing,
    };
    let panel = Panel {
        orders,
        standing: show,
    };
    (remote, panel)
}

impl Remote {
    /// Where the replay is.
    pub fn standing(&self) -> Replay {
        self.standing.borrow().clone()
    }

    /// Gives orders, and waits until the replay follows them.
    ///
    /// # Errors
    ///
    /// The server is stopping.
    pub async fn order(&self, orders: Vec<Order>) -> Result<Replay, Stopped> {
        let (done, is_done) = oneshot::channel();
        let given = self.orders.send((orders, done)).await;
        given.map_err(|_| Stopped)?;
        is_done.await.map_err(|_| Stopped)?;
        Ok(self.standing())
    }
}
