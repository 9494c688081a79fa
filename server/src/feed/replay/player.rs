//! Sends what is due, and does what people want of it.

use std::future::pending;
use std::sync::Arc;
use std::vec;

use pricefile::Tally;
use shared::{FeedState, Time, ToldRow};
use tokio::time::{Instant, sleep_until};

use super::control::{Order, Panel};
use super::reading::{Content, Moment, Past, Read, Reading};
use super::speed::{Pace, Speed};
use crate::clock;
use crate::feed::{FeedEvent, FeedSender, Gone, Quote, StateChange, Trade};

/// At most so many events are sent to the market at once.
const BATCH_EVENTS: usize = 512;

/// A replay before its start.
#[derive(Debug)]
pub(super) struct Player {
    pub(super) content: Arc<Content>,
    pub(super) panel: Panel,
    pub(super) speed: Speed,
    pub(super) repeats: bool,
}

/// How far it is with what is read.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    /// What was before a time is being read.
    Seeking {
        /// How many moments it is to go back, once it is known when the last one was.
        backs: u32,
        /// How many moments are to be played then, although it stands still.
        steps: u32,
    },
    /// What follows is being read.
    Playing {
        /// How many moments are to be played, although it stands still.
        steps: u32,
    },
    /// Nothing is left to be read.
    Over,
}

/// A replay that runs.
struct Playing {
    player: Player,
    sender: FeedSender,
    reading: Reading,
    phase: Phase,
    state: FeedState,
    detail: String,
    pace: Pace,
    /// What is left of the newest moment, and how much that was.
    moment: vec::IntoIter<(Time, FeedEvent)>,
    count: usize,
    /// What is due and not sent yet.
    due: Vec<FeedEvent>,
    /// When the newest moment began.
    last: Option<Time>,
    /// How many moments were played since it last began anew, and whether there
    /// were some before.
    played: u64,
    has_past: bool,
}

impl Player {
    /// Plays until nobody receives it.
    pub(super) async fn play(self, sender: FeedSender) {
        // At the start nothing has to be forgotten.
        let from = Some(self.content.range.0).filter(|from| *from > Time::MIN);
        let playing = Playing {
            reading: Reading::start(&self.content, from),
            phase: match from {
                Some(_) => Phase::Seeking { backs: 0, steps: 0 },
                None => Phase::Playing { steps: 0 },
            },
            state: FeedState::Live,
            detail: String::new(),
            pace: Pace::new(self.speed),
            moment: Vec::new().into_iter(),
            count: 0,
            due: Vec::new(),
            last: None,
            played: 0,
            has_past: false,
            player: self,
            sender,
        };
        // If the receiver is gone, the server is stopping.
        let _ = playing.run().await;
    }
}

impl Playing {
    async fn run(mut self) -> Result<(), Gone> {
        loop {
            let next = self.moment.as_slice().first();
            let due = next.map(|(time, _)| self.due_at(*time));
            let wants_more = match self.phase {
                Phase::Seeking { .. } => true,
                Phase::Playing { .. } => self.goes() && due.is_none(),
                Phase::Over => false,
            };
            tokio::select! {
                biased;
                Some((orders, done)) = self.player.panel.orders.recv() => {
                    self.obey(orders).await?;
                    // Whoever gave them may have gone.
                    let _ = done.send(());
                }
                read = self.reading.read.recv(), if wants_more => match read {
                    Some(read) => self.take(read).await?,
                    None => self.end().await?,
                },
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() && self.goes() => {
                    self.send_due().await?;
                }
                else => pending().await,
            }
        }
    }

    fn goes(&self) -> bool {
        self.state == FeedState::Live || self.steps() > 0
    }

    /// How many moments are to be played, although it stands still.
    fn steps(&self) -> u32 {
        match self.phase {
            Phase::Playing { steps } => steps,
            Phase::Seeking { .. } | Phase::Over => 0,
        }
    }

    /// When an event of this time is due.
    fn due_at(&self, time: Time) -> Instant {
        match self.steps() {
            0 => self.pace.due(time, self.count),
            // At once.
            _ => self.pace.before(),
        }
    }

    async fn take(&mut self, read: Read) -> Result<(), Gone> {
        match read {
            Read::Past(past) => self.begin_anew(past).await,
            Read::Told(file, tally) => {
                self.tell(file, &tally);
                Ok(())
            }
            Read::Moment(moment) => self.begin(moment).await,
        }
    }

    async fn begin(&mut self, moment: Moment) -> Result<(), Gone> {
        self.played += 1;
        self.stand_at(Some(moment.time));
        if self.pace.speed != Speed::Max || self.steps() > 0 {
            self.count = moment.events.len();
            self.moment = moment.events.into_iter();
            return Ok(());
        }
        let (events, now) = (moment.events.into_iter(), clock::now());
        self.due
            .extend(events.map(|(_, event)| received(event, now)));
        if self.due.len() >= BATCH_EVENTS || self.reading.read.is_empty() {
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends what is due of the newest moment.
    async fn send_due(&mut self) -> Result<(), Gone> {
        let (now, at) = (Instant::now(), clock::now());
        while let Some((time, _)) = self.moment.as_slice().first() {
            let (time, due) = (*time, self.due_at(*time));
            if due > now {
                break;
            }
            self.pace.sent(time, due);
            let event = self.moment.next();
            self.due.extend(event.map(|(_, event)| received(event, at)));
            if self.due.len() >= BATCH_EVENTS {
                self.flush().await?;
            }
        }
        if let (true, Phase::Playing { steps }) = (self.moment.as_slice().is_empty(), self.phase)
            && steps > 0
        {
            self.phase = Phase::Playing { steps: steps - 1 };
            self.pace.restart();
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), Gone> {
        if !self.due.is_empty() {
            self.sender.send(std::mem::take(&mut self.due)).await?;
            self.sender.until_kept().await;
        }
        Ok(())
    }

    /// Goes on with this past.
    async fn begin_anew(&mut self, past: Past) -> Result<(), Gone> {
        let Phase::Seeking { backs, steps } = self.phase else {
            return Ok(());
        };
        if let (Some(last), 1..) = (past.last, backs) {
            // Before that, too.
            self.seek(last, backs - 1);
            return Ok(());
        }
        self.phase = Phase::Playing { steps };
        self.has_past = past.last.is_some();
        self.stand_at(past.last);
        self.sender
            .send(vec![FeedEvent::Anew(past.candles)])
            .await?;
        self.sender.until_kept().await;
        self.show().await
    }

    /// Nothing is left to be read.
    async fn end(&mut self) -> Result<(), Gone> {
        self.flush().await?;
        let ended = self.reading.end().await;
        let has_played = self.played > 0 || self.has_past;
        if ended.is_ok() && self.player.repeats && has_played && self.goes() {
            self.seek(Time::MIN, 0);
            return Ok(());
        }
        self.phase = Phase::Over;
        self.state = FeedState::Ended;
        self.detail = match ended {
            Ok(()) => format!("all of it was played: {} bars or times", self.played),
            Err(error) => error.to_string(),
        };
        self.show().await
    }

    async fn obey(&mut self, orders: Vec<Order>) -> Result<(), Gone> {
        self.flush().await?;
        for order in orders {
            match order {
                Order::Play => {
                    if self.phase == Phase::Over {
                        self.seek(Time::MIN, 0);
                    }
                    self.go_on(FeedState::Live);
                }
                Order::Pause => self.stop(),
                Order::Step => {
                    self.stop();
                    if let Phase::Playing { steps } | Phase::Seeking { steps, .. } = &mut self.phase
                    {
                        *steps += 1;
                    }
                }
                Order::StepBack => {
                    match (&mut self.phase, self.last) {
                        (Phase::Seeking { backs, .. }, _) => *backs += 1,
                        (_, Some(last)) => self.seek(last, 0),
                        (_, None) => {}
                    }
                    self.go_on(FeedState::Paused);
                }
                Order::To(time) => {
                    self.seek(time, 0);
                    if self.state == FeedState::Ended {
                        self.go_on(FeedState::Paused);
                    }
                }
                Order::Speed(speed) => self.pace = Pace::new(speed),
            }
        }
        self.show().await
    }

    fn go_on(&mut self, state: FeedState) {
        self.state = state;
        self.detail = String::new();
        self.pace.restart();
    }

    fn stop(&mut self) {
        // What has ended does not stand still.
        if self.phase != Phase::Over {
            self.go_on(FeedState::Paused);
        }
    }

    /// Begins to read what was before this time, and then what follows. Then it goes
    /// back by so many moments.
    fn seek(&mut self, to: Time, backs: u32) {
        self.reading = Reading::start(&self.player.content, Some(to));
        self.phase = Phase::Seeking { backs, steps: 0 };
        (self.played, self.has_past) = (0, false);
        self.moment = Vec::new().into_iter();
        self.pace = Pace::new(self.pace.speed);
        // Where it will be, until that is known.
        let first = self.player.panel.standing.borrow().status.from;
        self.stand_at(Some(to.max(first)));
    }

    fn stand_at(&mut self, time: Option<Time>) {
        self.last = time;
        let standing = &self.player.panel.standing;
        standing.send_modify(|standing| standing.status.at = time);
    }

    /// Takes note of rows that were left out or mended.
    fn tell(&mut self, file: usize, tally: &Tally) {
        self.player.panel.standing.send_modify(|standing| {
            if let Some(file) = standing.files.get_mut(file) {
                file.left_out = tally.left_out;
                file.mended = tally.mended;
                file.rounded = tally.rounded;
                file.told = tally.told.iter().map(told).collect();
            }
        });
    }

    /// Tells everybody how it stands.
    async fn show(&mut self) -> Result<(), Gone> {
        let (state, speed) = (self.state, self.pace.speed.to_string());
        self.player.panel.standing.send_modify(|standing| {
            standing.state = state;
            standing.status.speed = speed;
        });
        let replay = self.player.panel.standing.borrow().status.clone();
        let change = StateChange {
            state,
            detail: self.detail.clone(),
            retry: None,
            replay: Some(replay),
            venues: Vec::new(),
        };
        self.sender.send(vec![FeedEvent::State(change)]).await
    }
}

/// A row that was left out or mended.
pub(super) fn told(told: &pricefile::Told) -> ToldRow {
    ToldRow {
        line: told.line,
        what: told.what.clone(),
    }
}

/// The event, received at this time.
fn received(event: FeedEvent, at: Time) -> FeedEvent {
    let at = Some(at);
    match event {
        FeedEvent::Trade(trade) => FeedEvent::Trade(Trade { at, ..trade }),
        FeedEvent::Quote(quote) => FeedEvent::Quote(Quote { at, ..quote }),
        other => other,
    }
}
