//! One market of a venue: its trades in order, and what it needs to go on.

use std::ops::RangeInclusive;
use std::time::Duration;

use shared::{Interval, Span, Time};
use tokio::time::Instant;

use super::rest::CallError;
use super::sequence::{Origin, Placed, Sequence};
use super::work::{Answer, Question};
use crate::clock;
use crate::feed::{FeedEvent, History, KnownPrice, Quote, Trade};
use venues::{Listed, Venue, VenueQuote, VenueTrade};

/// How long a trade may be late before it is asked for: venues send some out of
/// order.
const LATE_MAX: Duration = Duration::from_millis(500);
/// After so long without a trade it is looked whether there are some: a venue may
/// acknowledge a subscription, send quotes, and forget the trades.
const QUIET_MAX: Duration = Duration::from_secs(300);
/// How long to wait before something is asked for again.
const AGAIN: Duration = Duration::from_secs(2);
/// So often it is asked for what is missing; then it is given up.
const TRIES_MAX: u32 = 8;
/// If more trades are missing, candles take their place.
const MISSING_MAX: u64 = 20_000;

/// What a market needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Its past, and where its trades begin.
    Beginning,
    /// To know whether there are newer trades.
    Newest,
    /// Trades that are missing.
    Trades(RangeInclusive<u64>),
}

/// How far it is with what it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Need {
    Nothing,
    /// It is asked for at this time; so often it was asked for in vain.
    Waiting(Wish, Instant, u32),
    /// It was asked for.
    Asked(Wish, u32),
}

/// A market of a venue.
#[derive(Debug)]
pub(super) struct Market {
    pub(super) listed: Listed,
    /// Its symbol for users, and its index in the catalogue.
    pub(super) symbol: String,
    instrument: usize,
    pub(super) is_refused: bool,
    sequence: Sequence,
    /// The start of the newest bar of a second that is known from an earlier run.
    newest: Option<Time>,
    need: Need,
    /// Whether it is to be asked for the newest trades once it needs nothing else.
    is_to_check: bool,
    /// After so long without a trade it is looked whether the venue has some.
    quiet_max: Duration,
    /// When the last trade was sent, or the newest were asked for.
    looked: Instant,
    /// Whether it begins with the first trade that comes, since nobody knows its past.
    has_no_past: bool,
    /// The last quote, without its time.
    quote: Option<VenueQuote>,
}

impl Market {
    pub(super) fn new(
        listed: Listed,
        symbol: String,
        instrument: usize,
        venue: &dyn Venue,
    ) -> Self {
        Self {
            listed,
            symbol,
            instrument,
            is_refused: false,
            sequence: Sequence::default(),
            newest: None,
            need: Need::Waiting(Wish::Beginning, Instant::now(), 0),
            is_to_check: false,
            quiet_max: match venue.is_quiet() {
                true => venue.idle_max(),
                false => QUIET_MAX,
            },
            looked: Instant::now(),
            has_no_past: false,
            quote: None,
        }
    }

    /// Passes where it ended in an earlier run; or at another server, if the same log
    /// goes on. Then its past is known, and only what was missed since is asked for.
    pub(super) fn go_on_from(&mut self, known: &KnownPrice) {
        self.newest = known.second;
        if let Some(trades) = &known.trades {
            self.sequence.go_on(trades, known.second);
            self.need = Need::Nothing;
            self.is_to_check = true;
        }
    }

    /// Its index in the catalogue.
    pub(super) fn instrument(&self) -> usize {
        self.instrument
    }

    pub(super) fn waiting(&self) -> usize {
        self.sequence.waiting()
    }

    pub(super) fn missed(&self) -> u64 {
        self.sequence.missed()
    }

    pub(super) fn filled(&self) -> u64 {
        self.sequence.filled()
    }

    /// When it has to be looked at again.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.need {
            Need::Waiting(Wish::Trades(_), due, _) => Some(*due),
            _ => None,
        }
    }

    /// Takes in a trade that the venue sent.
    pub(super) fn offer_sent(&mut self, trade: VenueTrade) {
        self.looked = Instant::now();
        if self.has_no_past && self.sequence.next().is_none() {
            self.sequence.begin(*trade.ids.start());
        }
        self.sequence.offer(trade, Origin::Sent);
    }

    /// Takes note that the venue has sent all trades up to this one.
    pub(super) fn has_sent(&mut self, id: u64) {
        self.sequence.has_sent(id);
        self.look_for_gaps();
    }

    /// There is a new connection: trades may have been missed before it.
    pub(super) fn check(&mut self) {
        self.is_to_check = true;
    }

    /// The quote as an event, if it is another one than before.
    pub(super) fn quote(&mut self, quote: VenueQuote, now: Time) -> Option<FeedEvent> {
        let time = quote.time.unwrap_or(now);
        let quote = VenueQuote {
            time: None,
            ..quote
        };
        if self.quote.as_ref() == Some(&quote) {
            return None;
        }
        let event = FeedEvent::Quote(Quote {
            instrument: self.instrument,
            time,
            at: Some(now),
            bid: quote.bid,
            bid_qty: quote.bid_qty,
            ask: quote.ask,
            ask_qty: quote.ask_qty,
        });
        self.quote = Some(quote);
        Some(event)
    }

    /// Appends the trades whose turn it is.
    pub(super) fn take(&mut self, events: &mut Vec<FeedEvent>) {
        self.give(events);
        self.look_for_gaps();
    }

    fn give(&mut self, events: &mut Vec<FeedEvent>) {
        if self.is_asking_for(&Wish::Beginning) {
            // The past that is asked for ends where the last one was given.
            return;
        }
        let due = self.sequence.take();
        if !due.is_empty() {
            let now = clock::now();
            let due = due.into_iter().map(|placed| self.event(placed, now));
            events.extend(due);
        }
    }

    fn event(&self, placed: Placed, now: Time) -> FeedEvent {
        let id = placed.id();
        let trade = placed.trade;
        FeedEvent::Trade(Trade {
            instrument: self.instrument,
            time: trade.time,
            at: Some(now),
            id: Some(id),
            price: trade.price,
            qty: trade.qty,
            side: Some(trade.side),
            bid: None,
            ask: None,
        })
    }

    /// Asks for what is missing, after a while in which it may still come.
    fn look_for_gaps(&mut self) {
        let missing = self.sequence.missing();
        match (&self.need, missing) {
            (Need::Nothing, Some(missing)) => {
                let due = Instant::now() + LATE_MAX;
                self.need = Need::Waiting(Wish::Trades(missing), due, 0);
            }
            (Need::Waiting(Wish::Trades(wanted), due, tries), Some(missing)) => {
                // A new gap has its own time, once the one before it is closed.
                let is_same = wanted.start() == missing.start();
                let (due, tries) = match is_same {
                    true => (*due, *tries),
                    false => (Instant::now() + LATE_MAX, 0),
                };
                self.need = Need::Waiting(Wish::Trades(missing), due, tries);
            }
            (Need::Waiting(Wish::Trades(_), ..), None) => self.need = Need::Nothing,
            (Need::Waiting(Wish::Newest, ..), Some(missing)) => {
                self.is_to_check = true;
                let due = Instant::now() + LATE_MAX;
                self.need = Need::Waiting(Wish::Trades(missing), due, 0);
            }
            _ => {}
        }
    }

    /// What has to be asked for now.
    pub(super) fn wish(&mut self, now: Instant) -> Option<Wish> {
        match &self.need {
            Need::Waiting(Wish::Trades(missing), due, _) if *due <= now => {
                match missing.end() - missing.start() < MISSING_MAX {
                    true => Some(Wish::Trades(missing.clone())),
                    false => Some(Wish::Beginning),
                }
            }
            Need::Waiting(wish, due, _) if *due <= now => Some(wish.clone()),
            Need::Nothing if self.sequence.next().is_some() => {
                let is_quiet = now - self.looked > self.quiet_max;
                (self.is_to_check || is_quiet).then_some(Wish::Newest)
            }
            _ => None,
        }
    }

    /// Whether this was asked for.
    pub(super) fn is_asking_for(&self, what: &Wish) -> bool {
        matches!(&self.need, Need::Asked(wish, _) if wish == what)
    }

    /// The question for a wish, which is asked now.
    pub(super) fn asks(&mut self, wish: Wish) -> (Listed, Question) {
        let tries = match &self.need {
            Need::Waiting(_, _, tries) => *tries,
            _ => 0,
        };
        let question = match &wish {
            Wish::Beginning => {
                let newest = self.sequence.time().or(self.newest);
                Question::Beginning(newest.map(after_second))
            }
            Wish::Newest => {
                self.looked = Instant::now();
                Question::Newest
            }
            Wish::Trades(ids) => {
                let from = self.sequence.time().unwrap_or(Time::EPOCH);
                Question::Trades(from, ids.clone())
            }
        };
        self.need = Need::Asked(wish, tries);
        (self.listed.clone(), question)
    }

    /// Takes in an answer: candles and trades are appended to `events`. Returns whether
    /// there were trades that the venue should have sent long ago.
    pub(super) fn answered(
        &mut self,
        result: Result<Answer, CallError>,
        events: &mut Vec<FeedEvent>,
    ) -> bool {
        let Need::Asked(wish, tries) = std::mem::replace(&mut self.need, Need::Nothing) else {
            return false;
        };
        let mut is_deaf = false;
        match result {
            Ok(Answer::Beginning(beginning)) => {
                events.push(FeedEvent::History(History {
                    instrument: self.instrument,
                    candles: beginning.candles,
                }));
                let next = self.sequence.next();
                match beginning.next {
                    Some(first) => self.sequence.begin(first.max(next.unwrap_or(0))),
                    // Nothing was ever traded.
                    None => {
                        self.has_no_past = true;
                        self.sequence.begin_with_first();
                    }
                }
                self.offer_asked(beginning.trades, next.is_none());
            }
            Ok(Answer::Newest(trades)) => {
                let is_first_look = std::mem::replace(&mut self.is_to_check, false);
                let last = trades.last().map(|trade| *trade.ids.end());
                let has_more = last >= self.sequence.next();
                if let Some(last) = last {
                    self.sequence.has_sent(last);
                }
                self.offer_asked(trades, false);
                is_deaf = has_more && !is_first_look && !self.is_refused;
            }
            Ok(Answer::Trades(ids, found)) => {
                self.offer_asked(found.trades, false);
                self.give(events);
                self.settle(&ids, found.is_all, tries, events);
            }
            Err(CallError::Limited) => self.again(wish, tries),
            Err(_) => self.failed(wish, tries + 1),
        }
        self.take(events);
        is_deaf
    }

    fn offer_asked(&mut self, trades: Vec<VenueTrade>, is_first: bool) {
        let origin = match is_first {
            // Nothing was missing.
            true => Origin::Sent,
            false => Origin::Asked,
        };
        for trade in trades {
            self.sequence.offer(trade, origin);
        }
    }

    /// Gives up what is still missing of these identifiers, if it will not come.
    fn settle(
        &mut self,
        ids: &RangeInclusive<u64>,
        is_all: bool,
        tries: u32,
        events: &mut Vec<FeedEvent>,
    ) {
        while let Some(missing) = self.sequence.missing()
            && missing.start() <= ids.end()
        {
            let missing = *missing.start()..=*missing.end().min(ids.end());
            if !is_all && tries + 1 < TRIES_MAX {
                return self.again(Wish::Trades(missing), tries + 1);
            }
            self.sequence.give_up(&missing);
            self.give(events);
        }
    }

    fn again(&mut self, wish: Wish, tries: u32) {
        let due = Instant::now() + AGAIN * tries.clamp(1, 5);
        self.need = Need::Waiting(wish, due, tries);
    }

    /// A call failed for the `tries`th time.
    fn failed(&mut self, wish: Wish, tries: u32) {
        if tries < TRIES_MAX {
            return self.again(wish, tries);
        }
        match wish {
            Wish::Trades(ids) => self.sequence.give_up(&ids),
            Wish::Newest => {}
            // Prices without a past are better than none.
            Wish::Beginning => match self.sequence.missing() {
                Some(missing) => self.sequence.give_up(&missing),
                None => {
                    self.has_no_past = true;
                    self.sequence.begin_with_first();
                }
            },
        }
    }
}

/// The time from which trades may be shown, where a bar of a second that begins at
/// this time is known.
fn after_second(newest: Time) -> Time {
    Interval::S1.start_of(newest) + Span::SECOND
}
