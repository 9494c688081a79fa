//! All orders in which things can happen to two servers, as far as they differ: each
//! writes what it proposes, loses answers, sleeps, and loses its lease.

use std::time::Duration;

use stateright::{Checker as _, Model, Property};

use super::{Action, Event, LEASE, Role, Turn, Write};

/// How many servers there are, and how many records each may propose in all.
const SERVERS: usize = 2;
const PROPOSALS: u8 = 2;
/// How many seconds pass, and how many answers may be lost.
const TIMES: u8 = 5;
const LOSSES: u8 = 2;

/// What is on its way to NATS, or back.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Mail {
    Take,
    Renew(u64),
    ReadLast,
    Publish(u64, String),
    Answer(Event),
}

/// A piece of mail, and the attempt to lead to which it belongs: answers for an earlier
/// one are not read any more, but what was asked is done all the same.
type Post = (u8, Mail);

/// A server: whose turn it thinks it is, and what it has shown, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Server {
    turn: Turn,
    shown: Vec<(u64, String)>,
    mail: Vec<Post>,
    proposed: u8,
    attempt: u8,
}

/// Everything.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    servers: Vec<Server>,
    /// Names of the records in the stream.
    stream: Vec<String>,
    /// Who has the lease, by which revision, and until when.
    lease: Option<(usize, u64, u8)>,
    revision: u64,
    now: u8,
    losses: u8,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Happens {
    /// A second passes.
    Time,
    /// A server looks at its clock, and who has the lease.
    Look(usize),
    /// A server shows the next record of the stream.
    Follow(usize),
    /// A server that leads proposes something.
    Propose(usize),
    /// A piece of mail arrives, whichever.
    Arrives(usize, usize),
    /// An answer is lost: the server is told that there is none.
    Lost(usize, usize),
}

struct Cluster;

impl World {
    fn at(&self) -> Duration {
        Duration::from_secs(self.now.into())
    }

    fn tell(&mut self, server: usize, event: Event) {
        let at = self.at();
        let was = self.servers[server].turn.role.clone();
        let mut actions = self.servers[server].turn.after(event, at);
        let one = &mut self.servers[server];
        if one.turn.role == Role::Following && was != Role::Following {
            one.attempt += 1;
            // Nobody waits for these.
            let attempt = one.attempt;
            one.mail.retain(|(of, mail)| {
                *of == attempt || matches!(mail, Mail::Publish(..) | Mail::Take)
            });
        }
        while let Some(action) = actions.pop() {
            let one = &mut self.servers[server];
            let attempt = one.attempt;
            let mut send = |mail| one.mail.push((attempt, mail));
            match action {
                Action::Take => send(Mail::Take),
                Action::Renew(revision) => send(Mail::Renew(revision)),
                Action::ReadLast => send(Mail::ReadLast),
                Action::Publish(after, name) => send(Mail::Publish(after, name)),
                Action::Show(message) => {
                    let name = self.stream[message as usize - 1].clone();
                    self.servers[server].shown.push((message, name));
                    self.tell(server, Event::Shown(message));
                }
                Action::Lead(_) => {}
                Action::Resign(_) => {}
            }
        }
    }

    /// What NATS does and answers.
    fn nats(&mut self, server: usize, mail: &Mail) -> Event {
        let free = self.lease.is_none_or(|(_, _, until)| until <= self.now);
        let length = LEASE.as_secs() as u8;
        match mail {
            Mail::Take if free => {
                self.revision += 1;
                self.lease = Some((server, self.revision, self.now + length));
                Event::Taken(Some(self.revision))
            }
            Mail::Take => Event::Taken(None),
            Mail::Renew(revision) => match self.lease {
                Some((_, current, until)) if current == *revision && until > self.now => {
                    self.revision += 1;
                    self.lease = Some((server, self.revision, self.now + length));
                    Event::Renewed(self.revision)
                }
                _ => Event::LeaseIsLost,
            },
            Mail::ReadLast => {
                let last = self.stream.last().cloned();
                Event::Last(self.stream.len() as u64, last)
            }
            Mail::Publish(after, name) => {
                if *after != self.stream.len() as u64 {
                    return Event::Refused;
                }
                self.stream.push(name.clone());
                Event::Acknowledged(self.stream.len() as u64)
            }
            Mail::Answer(event) => event.clone(),
        }
    }
}

impl Model for Cluster {
    type State = World;
    type Action = Happens;

    fn init_states(&self) -> Vec<World> {
        let mut servers = vec![Server::default(); SERVERS];
        // One leads already: that takes no steps.
        let turn = &mut servers[0].turn;
        for event in [
            Event::LeaseIsFree,
            Event::Taken(Some(1)),
            Event::Last(0, None),
        ] {
            turn.after(event, Duration::ZERO);
        }
        vec![World {
            servers,
            stream: Vec::new(),
            lease: Some((0, 1, LEASE.as_secs() as u8)),
            revision: 1,
            now: 0,
            losses: 0,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Happens>) {
        if world.now < TIMES {
            actions.push(Happens::Time);
        }
        for (at, server) in world.servers.iter().enumerate() {
            actions.push(Happens::Look(at));
            let is_behind = server.turn.shown < world.stream.len() as u64;
            if is_behind && !server.turn.is_leading() {
                actions.push(Happens::Follow(at));
            }
            let is_idle = matches!(server.turn.role, Role::Leading(_, Write::Idle(_)));
            if is_idle && server.proposed < PROPOSALS {
                actions.push(Happens::Propose(at));
            }
            for (place, (_, mail)) in server.mail.iter().enumerate() {
                actions.push(Happens::Arrives(at, place));
                if matches!(mail, Mail::Answer(_)) && world.losses < LOSSES {
                    actions.push(Happens::Lost(at, place));
                }
            }
        }
    }

    fn next_state(&self, last: &World, action: Happens) -> Option<World> {
        let mut world = last.clone();
        match action {
            Happens::Time => world.now += 1,
            Happens::Look(at) => {
                let free = world.lease.is_none_or(|(_, _, until)| until <= world.now);
                let server = &world.servers[at];
                let is_up_to_date = server.turn.shown == world.stream.len() as u64;
                let event = match free && is_up_to_date && server.turn.role == Role::Following {
                    true => Event::LeaseIsFree,
                    false => Event::Time,
                };
                world.tell(at, event);
            }
            Happens::Follow(at) => {
                let message = world.servers[at].turn.shown + 1;
                let name = world.stream[message as usize - 1].clone();
                world.servers[at].shown.push((message, name));
                world.tell(at, Event::Shown(message));
            }
            Happens::Propose(at) => {
                let server = &mut world.servers[at];
                server.proposed += 1;
                let name = format!("{at}-{}", server.proposed);
                world.tell(at, Event::Propose(name));
            }
            Happens::Arrives(at, place) => {
                let (attempt, mail) = world.servers[at].mail.remove(place);
                if let Mail::Answer(event) = mail {
                    world.tell(at, event);
                } else {
                    let answer = world.nats(at, &mail);
                    let server = &mut world.servers[at];
                    if attempt == server.attempt {
                        server.mail.push((attempt, Mail::Answer(answer)));
                    }
                }
            }
            Happens::Lost(at, place) => {
                world.losses += 1;
                let (_, mail) = world.servers[at].mail.remove(place);
                let event = match mail {
                    Mail::Answer(Event::Acknowledged(_) | Event::Refused) => Event::NoAnswer,
                    Mail::Answer(Event::Last(..)) => Event::LastUnknown,
                    Mail::Answer(Event::Taken(_)) => Event::Taken(None),
                    _ => Event::NotRenewed,
                };
                world.tell(at, event);
            }
        }
        (world != *last).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "each shows the stream, in order and once",
                |_, world: &World| {
                    world.servers.iter().all(|server| {
                        let shown = server.shown.iter().zip(world.stream.iter().zip(1..));
                        let mut pairs = shown;
                        server.shown.len() <= world.stream.len()
                            && pairs
                                .all(|((number, name), (known, at))| *number == at && name == known)
                    })
                },
            ),
            Property::always("no record is there twice", |_, world: &World| {
                let mut names = world.stream.clone();
                names.sort();
                names.dedup();
                names.len() == world.stream.len()
            }),
            Property::always(
                "what a leader holds for shown is shown",
                |_, world: &World| {
                    world
                        .servers
                        .iter()
                        .all(|server| server.turn.shown == server.shown.len() as u64)
                },
            ),
            Property::sometimes("both write, one after the other", |_, world: &World| {
                let by = |at: &str| world.stream.iter().any(|name| name.starts_with(at));
                by("0") && by("1")
            }),
            Property::sometimes("a lost acknowledgement is found", |_, world: &World| {
                world.losses > 0 && world.stream.len() >= 2 && world.servers[0].shown.len() >= 2
            }),
        ]
    }
}

#[test]
fn no_order_of_things_shows_two_contents() {
    let checker = Cluster
        .checker()
        .threads(2)
        .target_max_depth(18)
        .spawn_bfs()
        .join();
    checker.assert_properties();
    assert!(
        checker.unique_state_count() > 10_000,
        "{}",
        checker.unique_state_count()
    );
}

#[test]
fn whoever_cannot_renew_writes_no_more() {
    let mut turn = Turn::new(4);
    let ms = Duration::from_millis;
    assert_eq!(turn.after(Event::LeaseIsFree, ms(0)), [Action::Take]);
    assert_eq!(
        turn.after(Event::Taken(Some(9)), ms(10)),
        [Action::ReadLast]
    );
    assert_eq!(turn.after(Event::Last(4, None), ms(20)), [Action::Lead(4)]);
    assert_eq!(turn.after(Event::Time, ms(1_000)), [Action::Renew(9)]);
    // It is asked once.
    assert_eq!(turn.after(Event::Time, ms(1_100)), []);
    assert_eq!(turn.after(Event::Renewed(10), ms(1_200)), []);
    assert_eq!(turn.after(Event::Time, ms(2_000)), [Action::Renew(10)]);
    assert_eq!(
        turn.after(Event::NotRenewed, ms(2_500)),
        [Action::Renew(10)]
    );
    let late = turn.after(Event::Propose("x".to_owned()), ms(3_000));
    assert!(matches!(late[..], [Action::Resign(_)]), "{late:?}");
    assert!(!turn.is_leading());
}

#[test]
fn a_log_that_lost_something_is_not_written() {
    let mut turn = Turn::new(4);
    turn.after(Event::LeaseIsFree, Duration::ZERO);
    turn.after(Event::Taken(Some(1)), Duration::ZERO);
    for _ in 0..2 {
        // It is read again: it may have been read too early.
        let actions = turn.after(Event::Last(3, None), Duration::ZERO);
        assert_eq!(actions, [Action::ReadLast]);
    }
    let actions = turn.after(Event::Last(3, None), Duration::ZERO);
    assert!(matches!(actions[..], [Action::Resign(_)]), "{actions:?}");
}
