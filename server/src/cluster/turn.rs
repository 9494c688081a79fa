//! Whose turn it is to write the shared log: the lease and its fencing, as one function
//! from what happened to what is to be done, without clocks and sockets.
//!
//! The lease decides who tries to write; that two servers never write the same entry
//! does not depend on it. Each write says which message it follows, so one that comes
//! from a server that slept is refused. A write without an answer is looked up before
//! anything else is written.

use std::time::Duration;

/// A lease that is not renewed ends after this time.
pub(crate) const LEASE: Duration = Duration::from_secs(3);
/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(1);
/// Whoever could not renew it for so long writes no more. Less than [`LEASE`], since
/// that is counted from when a renewal arrived, and this from when it was sent.
const FENCE: Duration = Duration::from_secs(2);

/// So often the last message may be one before what is shown.
pub(super) const LOWER_MAX: u8 = 2;

/// What a server is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// It shows what another one writes.
    #[default]
    Following,
    /// It asked for the lease, at this time.
    Asking(Duration),
    /// It has the lease, and still has to show what was written before it, up to this
    /// message if that is known. So often the last message was one before what is shown.
    CatchingUp(Lease, Option<u64>, u8),
    /// It writes.
    Leading(Lease, Write),
}

/// A lease that this server has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    /// The revision of its key.
    pub(crate) revision: u64,
    /// When it was last asked for with success.
    since: Duration,
    /// When the renewal that has no answer yet was sent.
    renewing: Option<Duration>,
}

/// How far a writer is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Write {
    /// Everything is written; this is the last message.
    Idle(u64),
    /// A message with this name is on its way, to follow that one.
    Sent(u64, String),
    /// It has had no answer, and is looked up.
    Unclear(u64, String),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Event {
    /// Time has passed.
    Time,
    /// Nobody has the lease.
    LeaseIsFree,
    /// The lease was given to this server; or not.
    Taken(Option<u64>),
    /// The lease was renewed.
    Renewed(u64),
    /// It was not: somebody else has it.
    LeaseIsLost,
    /// Nobody knows whether it was.
    NotRenewed,
    /// This server shows everything up to this message.
    Shown(u64),
    /// The last message there is, and its name.
    Last(u64, Option<String>),
    /// It could not be asked for.
    LastUnknown,
    /// A message with this name is to be written.
    Propose(String),
    /// It is written, as this message.
    Acknowledged(u64),
    /// It was refused: it does not follow the last message.
    Refused,
    /// It had no answer.
    NoAnswer,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Ask for the lease.
    Take,
    /// Renew it, by this revision.
    Renew(u64),
    /// Ask for the last message.
    ReadLast,
    /// Begin to write: everything up to this message is shown.
    Lead(u64),
    /// Send the message with this name, to follow that one.
    Publish(u64, String),
    /// The proposed message is written, as this one: it may be shown.
    Show(u64),
    /// Write no more, and follow again.
    Resign(Why),
}

/// Why a server leads no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub(crate) enum Why {
    /// The lease may have ended.
    #[error("the lease could not be renewed")]
    NotRenewed,
    /// Somebody else has the lease.
    #[error("another server has the lease")]
    LeaseLost,
    /// Somebody else has written.
    #[error("another server writes the log")]
    Fenced,
    /// The log is not what it was.
    #[error("the log ends before what was shown")]
    LogLost,
}

/// Whose turn it is, as one server knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    /// The message up to which this server shows everything.
    pub(crate) shown: u64,
}

impl Turn {
    /// A server that shows everything up to this message.
    pub(crate) fn new(shown: u64) -> Self {
        Self {
            role: Role::Following,
            shown,
        }
    }

    /// Whether this server writes.
    #[cfg(test)]
    pub(crate) fn is_leading(&self) -> bool {
        matches!(self.role, Role::Leading(..))
    }

    /// What is to be done after this event; `now` is the time of a monotonic clock.
    pub(crate) fn after(&mut self, event: Event, now: Duration) -> Vec<Action> {
        if let Event::Shown(message) = event {
            self.shown = self.shown.max(message);
        }
        let role = std::mem::take(&mut self.role);
        let (role, actions) = match role {
            Role::Following => self.following(&event, now),
            Role::Asking(since) => self.asking(since, &event, now),
            Role::CatchingUp(lease, last, lower) => {
                self.catching_up(lease, (last, lower), &event, now)
            }
            Role::Leading(lease, write) => Self::leading(lease, write, event, now),
        };
        self.role = role;
        actions
    }

    fn following(&self, event: &Event, now: Duration) -> (Role, Vec<Action>) {
        match event {
            Event::LeaseIsFree => (Role::Asking(now), vec![Action::Take]),
            _ => (Role::Following, Vec::new()),
        }
    }

    fn asking(&self, since: Duration, event: &Event, now: Duration) -> (Role, Vec<Action>) {
        match event {
            Event::Taken(Some(revision)) => {
                let lease = Lease {
                    revision: *revision,
                    since,
                    renewing: None,
                };
                (Role::CatchingUp(lease, None, 0), vec![Action::ReadLast])
            }
            Event::Taken(None) => (Role::Following, Vec::new()),
            // The answer may be lost.
            Event::Time if now > since + LEASE => (Role::Following, Vec::new()),
            _ => (Role::Asking(since), Vec::new()),
        }
    }

    fn catching_up(
        &self,
        mut lease: Lease,
        (last, lower): (Option<u64>, u8),
        event: &Event,
        now: Duration,
    ) -> (Role, Vec<Action>) {
        let mut actions = match lease.after(event, now) {
            Ok(actions) => actions,
            Err(why) => return (Role::Following, vec![Action::Resign(why)]),
        };
        let last = match event {
            Event::Last(last, _) => Some(*last),
            Event::LastUnknown => {
                actions.push(Action::ReadLast);
                last
            }
            _ => last,
        };
        match last {
            Some(last) if last < self.shown && lower < LOWER_MAX => {
                // It may have been read before what was shown since.
                actions.push(Action::ReadLast);
                (Role::CatchingUp(lease, None, lower + 1), actions)
            }
            Some(last) if last < self.shown => {
                // What was shown is not there any more: the log was lost.
                (Role::Following, vec![Action::Resign(Why::LogLost)])
            }
            Some(last) if last == self.shown => {
                actions.push(Action::Lead(last));
                (Role::Leading(lease, Write::Idle(last)), actions)
            }
            last => (Role::CatchingUp(lease, last, lower), actions),
        }
    }

    fn leading(mut lease: Lease, write: Write, event: Event, now: Duration) -> (Role, Vec<Action>) {
        let mut actions = match lease.after(&event, now) {
            Ok(actions) => actions,
            Err(why) => return (Role::Following, vec![Action::Resign(why)]),
        };
        let write = match (write, event) {
            (Write::Idle(last), Event::Propose(name)) => {
                actions.push(Action::Publish(last, name.clone()));
                Write::Sent(last, name)
            }
            (Write::Sent(..), Event::Acknowledged(message)) => {
                actions.push(Action::Show(message));
                Write::Idle(message)
            }
            // An earlier copy of it may have arrived.
            (Write::Sent(last, name), Event::Refused | Event::NoAnswer) => {
                actions.push(Action::ReadLast);
                Write::Unclear(last, name)
            }
            (Write::Unclear(last, name), Event::LastUnknown) => {
                actions.push(Action::ReadLast);
                Write::Unclear(last, name)
            }
            (Write::Unclear(last, name), Event::Last(found, by)) => {
                if by.as_ref() == Some(&name) {
                    actions.push(Action::Show(found));
                    Write::Idle(found)
                } else if found == last {
                    actions.push(Action::Publish(last, name.clone()));
                    Write::Sent(last, name)
                } else {
                    return (Role::Following, vec![Action::Resign(Why::Fenced)]);
                }
            }
            (write, _) => write,
        };
        (Role::Leading(lease, write), actions)
    }
}

impl Lease {
    /// What is to be done about it; or why it cannot be relied on any more.
    fn after(&mut self, event: &Event, now: Duration) -> Result<Vec<Action>, Why> {
        match event {
            Event::Renewed(revision) => {
                self.revision = *revision;
                self.since = self.renewing.take().unwrap_or(self.since);
            }
            Event::NotRenewed => self.renewing = None,
            Event::LeaseIsLost => return Err(Why::LeaseLost),
            _ => {}
        }
        if now >= self.since + FENCE {
            return Err(Why::NotRenewed);
        }
        if self.renewing.is_none() && now >= self.since + RENEWAL {
            self.renewing = Some(now);
            return Ok(vec![Action::Renew(self.revision)]);
        }
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests;
