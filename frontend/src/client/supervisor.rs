//! The supervisor of connections: a state machine that is told what happened,
//! when, and with which chance, and says what is to be done. It does nothing
//! itself; [`super::link`] does what it plans.

use shared::Transport;

use super::Choice;
use super::backoff::Backoff;
use super::ladder::{Ladder, Life};
use super::loss::{Detour, Loss};

/// The state of the link, as people are shown it.
#[derive(Clone, Debug, PartialEq)]
pub struct LinkState {
    /// What was chosen.
    pub choice: Choice,
    /// The transport in use.
    pub transport: Transport,
    /// Why the transport is not the best one, in automatic mode.
    pub detour: Option<Detour>,
    /// The interval of plain polling, in ms.
    pub interval_ms: u32,
    /// Whether there is a connection.
    pub phase: Phase,
}

/// Whether there is a connection.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// The transport is open, its requests are answered, or it is being opened.
    Connected,
    /// The connection was lost; the next retry is at `retry_at_ms` of the
    /// monotonic clock.
    Waiting {
        /// Why it was lost.
        reason: Loss,
        /// When the next retry is.
        retry_at_ms: f64,
    },
}

/// What happened.
#[derive(Clone, Debug)]
pub(super) enum Event {
    /// The planned moment has come.
    Woke,
    /// The connection was lost.
    Lost(Lost),
    /// The server was asked why.
    Inspected(Inspection),
    /// Better transports were tried: the best one that gets through, if any.
    Looked(Option<Transport>),
    /// A person chose this.
    Chosen(Choice),
    /// A person changed the interval of plain polling, in ms.
    Interval(u32),
    /// The pace was changed.
    Paced,
    /// A person does not want to wait for the next retry.
    RetryNow,
    /// The network is back; nothing may have arrived lately.
    Online {
        /// Whether nothing arrived lately.
        is_quiet: bool,
    },
}

/// The end of a connection.
#[derive(Clone, Debug)]
pub(super) struct Lost {
    pub(super) reason: Loss,
    /// Whether anything at all arrived over it.
    pub(super) spoke: bool,
    /// Whether prices arrived over it.
    pub(super) is_fresh: bool,
}

/// What the server was asked after a connection was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Questions {
    /// Whether it has all symbols that the connection named: it refuses a
    /// connection that names others.
    pub(super) symbols: bool,
    /// Whether it refuses this page: a browser does not tell why a WebSocket
    /// was refused.
    pub(super) refusal: bool,
    /// Whether it can be reached: one that cannot says nothing about the
    /// transport.
    pub(super) health: bool,
}

/// What the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Inspection {
    /// It did not have some of the symbols, which are left out from now on.
    LeftOut,
    /// It refuses this page, for this reason. Another transport would not help.
    Refused(String),
    /// It can be reached.
    Reachable,
    /// It cannot be reached, or was not asked.
    Nothing,
}

/// Something that takes time, and ends with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// Keep this transport connected, until it is lost.
    Connect {
        transport: Transport,
        interval_ms: u32,
    },
    /// Ask the server why a connection was lost.
    Inspect(Questions),
    /// Try these transports beside the connection in use, the best first.
    Look(&'static [Transport]),
}

/// What is to be done: jobs, each with a number of its own, and a moment to wake
/// at. A job that is not planned any more is to be dropped.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) jobs: Vec<(u64, Job)>,
    pub(super) wake_ms: Option<f64>,
}

/// The state machine.
pub(super) struct Supervisor {
    choice: Choice,
    interval_ms: u32,
    ladder: Ladder,
    backoff: Backoff,
    state: State,
    /// The number of the next job.
    next: u64,
}

enum State {
    Connected {
        number: u64,
        begun_ms: f64,
        look: Look,
    },
    Waiting {
        life: Life,
        reason: Loss,
        retry_at_ms: f64,
        /// What the server is still being asked. The next retry waits for the
        /// answer.
        asking: Option<(u64, Questions)>,
    },
}

/// The search for a better transport.
#[derive(Clone, Copy)]
enum Look {
    /// It begins then.
    At(f64),
    /// It has begun.
    Now(u64),
}

impl Supervisor {
    /// Connects at `now_ms`.
    pub(super) fn new(choice: Choice, interval_ms: u32, now_ms: f64) -> Self {
        let ladder = Ladder::default();
        Self {
            state: State::Connected {
                number: 0,
                begun_ms: now_ms,
                look: Look::At(now_ms + f64::from(ladder.look_after_ms())),
            },
            choice,
            interval_ms,
            ladder,
            backoff: Backoff::default(),
            next: 1,
        }
    }

    /// The transport to use.
    fn transport(&self) -> Transport {
        match self.choice {
            Choice::Auto => self.ladder.transport(),
            Choice::Only(transport) => transport,
        }
    }

    fn is_auto(&self) -> bool {
        self.choice == Choice::Auto
    }

    /// The state for people.
    pub(super) fn shown(&self) -> LinkState {
        let detour = self.ladder.detour().filter(|_| self.is_auto());
        LinkState {
            choice: self.choice,
            transport: self.transport(),
            detour,
            interval_ms: self.interval_ms,
            phase: match &self.state {
                State::Connected { .. } => Phase::Connected,
                State::Waiting {
                    reason,
                    retry_at_ms,
                    ..
                } => Phase::Waiting {
                    reason: reason.clone(),
                    retry_at_ms: *retry_at_ms,
                },
            },
        }
    }

    /// What is to be done now.
    pub(super) fn plan(&self) -> Plan {
        match &self.state {
            State::Connected { number, look, .. } => {
                let connect = Job::Connect {
                    transport: self.transport(),
                    interval_ms: self.interval_ms,
                };
                let mut jobs = vec![(*number, connect)];
                let better = self.ladder.better();
                let may_look = self.is_auto() && !better.is_empty();
                let wake_ms = match look {
                    Look::Now(number) if may_look => {
                        jobs.push((*number, Job::Look(better)));
                        None
                    }
                    Look::At(ms) if may_look => Some(*ms),
                    _ => None,
                };
                Plan { jobs, wake_ms }
            }
            State::Waiting {
                retry_at_ms,
                asking,
                ..
            } => {
                let job = asking.map(|(number, what)| (number, Job::Inspect(what)));
                Plan {
                    wake_ms: job.is_none().then_some(*retry_at_ms),
                    jobs: job.into_iter().collect(),
                }
            }
        }
    }

    /// Takes in what happened at `now_ms`; `chance` is uniform in `0.0..1.0`.
    pub(super) fn handle(&mut self, event: Event, now_ms: f64, chance: f64) {
        match event {
            Event::Lost(lost) => self.lose(lost, now_ms, chance),
            Event::Inspected(inspection) => self.inspected(inspection, now_ms),
            Event::Looked(found) => self.looked(found, now_ms),
            Event::Woke => self.wake(now_ms),
            Event::Chosen(choice) => self.choose(choice, now_ms),
            Event::Interval(interval_ms) => {
                let changes = interval_ms != self.interval_ms;
                self.interval_ms = interval_ms;
                if changes && self.is_connected_by(Transport::Poll) {
                    self.connect(now_ms);
                }
            }
            // A WebSocket takes a new pace over the open connection, a poll with
            // the next request.
            Event::Paced if self.is_connected_by(Transport::Sse) => self.connect(now_ms),
            Event::Paced => {}
            Event::RetryNow | Event::Online { .. } if self.is_waiting() => self.connect(now_ms),
            Event::Online { is_quiet: true } => self.connect(now_ms),
            Event::RetryNow | Event::Online { .. } => {}
        }
    }

    fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    fn is_connected_by(&self, transport: Transport) -> bool {
        !self.is_waiting() && self.transport() == transport
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Begins a new connection, which replaces the one in use.
    fn connect(&mut self, now_ms: f64) {
        self.state = State::Connected {
            number: self.number(),
            begun_ms: now_ms,
            look: Look::At(now_ms + f64::from(self.ladder.look_after_ms())),
        };
    }

    fn lose(&mut self, lost: Lost, now_ms: f64, chance: f64) {
        let State::Connected { begun_ms, .. } = self.state else {
            return;
        };
        if lost.is_fresh {
            self.backoff.reset();
        }
        let questions = Questions {
            symbols: !lost.spoke,
            refusal: !lost.spoke && self.transport() == Transport::WebSocket,
            health: self.is_auto(),
        };
        let asks = questions.symbols || questions.health;
        self.state = State::Waiting {
            life: Life {
                spoke: lost.spoke,
                lasted_ms: now_ms - begun_ms,
            },
            reason: lost.reason,
            retry_at_ms: now_ms + f64::from(self.backoff.next_ms(chance)),
            asking: asks.then(|| (self.number(), questions)),
        };
    }

    fn inspected(&mut self, inspection: Inspection, now_ms: f64) {
        let State::Waiting {
            life,
            reason,
            retry_at_ms,
            asking,
        } = &mut self.state
        else {
            return;
        };
        *asking = None;
        let is_due = *retry_at_ms <= now_ms;
        let life = *life;
        let retries = match inspection {
            Inspection::LeftOut => true,
            Inspection::Refused(why) => {
                *reason = Loss::Refused(why);
                false
            }
            Inspection::Reachable => self.is_auto() && self.ladder.lost(life),
            Inspection::Nothing => false,
        };
        if retries || is_due {
            self.connect(now_ms);
        }
    }

    fn looked(&mut self, found: Option<Transport>, now_ms: f64) {
        match found {
            Some(better) if self.is_auto() && self.ladder.better().contains(&better) => {
                self.ladder.climb(better);
                self.connect(now_ms);
            }
            _ => {
                self.ladder.looked_in_vain();
                let next_ms = now_ms + f64::from(self.ladder.look_after_ms());
                if let State::Connected { look, .. } = &mut self.state {
                    *look = Look::At(next_ms);
                }
            }
        }
    }

    fn wake(&mut self, now_ms: f64) {
        let is_due = self.plan().wake_ms.is_some_and(|ms| ms <= now_ms);
        if !is_due {
            return;
        }
        if self.is_waiting() {
            return self.connect(now_ms);
        }
        let number = self.number();
        if let State::Connected { look, .. } = &mut self.state {
            *look = Look::Now(number);
        }
    }

    fn choose(&mut self, choice: Choice, now_ms: f64) {
        let before = self.transport();
        if choice != self.choice {
            self.ladder = Ladder::default();
        }
        self.choice = choice;
        if self.is_waiting() || self.transport() != before {
            self.connect(now_ms);
        }
    }
}

#[cfg(test)]
mod tests;
