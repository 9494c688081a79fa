//! A client that checks everything it receives.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::{Chain, Cursor, Epoch, Pace, ServerMessage, Symbols, Tick, TicksAnswer, Verdict};

use super::super::{Entries, Frame, Market, Notice, Observer, Past, Reader, Start};
use super::events::Event;
use super::{SYMBOLS, fired, instruments, live, message, names, past, quote, set_of, trade};
use crate::alerts::{AlertBook, PastAlerts};
use crate::catalogue::Catalogue;
use crate::encoding::{Encoding, JSON};
use crate::metrics::Work;

/// A client that checks everything it receives.
pub(super) struct Client {
    pub(super) market: Arc<Market>,
    pub(super) book: Arc<AlertBook>,
    encoding: &'static dyn Encoding,
    reader: Reader,
    pace: Pace,
    pub(super) chain: Chain,
    /// The `cursor` that the next `from` has to equal; `None` at the start of
    /// a chain.
    last: Option<Cursor>,
    /// Its set: for each symbol, the position up to which the client has its
    /// entries.
    known: BTreeMap<&'static str, u64>,
    /// The symbols of each entry that was published: of a tick or of alerts;
    /// none for a status.
    published: Vec<Vec<&'static str>>,
    /// Which entries are trades (true) and which are quotes (false), by number.
    trades: BTreeMap<u64, bool>,
    /// The numbers of the changes of the feed's state that it received.
    statuses: Vec<u64>,
}

impl Client {
    pub(super) fn new(capacity: u64, set: u8) -> Self {
        Self::with_encoding(JSON, capacity, set)
    }

    pub(super) fn with_encoding(encoding: &'static dyn Encoding, capacity: u64, set: u8) -> Self {
        let epoch = Epoch::from_number(77);
        let catalogue = Arc::new(Catalogue::new(instruments().to_vec()));
        let past = PastAlerts::default();
        let book = Arc::new(AlertBook::new(past, Arc::clone(&catalogue), [], false));
        let observer = Arc::clone(&book) as Arc<dyn Observer>;
        let past = Past::default();
        let market = Market::new(
            Start::of_epoch(epoch),
            live("test"),
            catalogue,
            past,
            capacity,
            observer,
            Work::default(),
        );
        let names = names(set);
        let reader = Reader::new(&market, encoding, set_of(&market, set), None);
        Self {
            market,
            book,
            encoding,
            reader,
            pace: Pace::default(),
            trades: BTreeMap::new(),
            chain: Chain::default(),
            last: None,
            known: names.into_iter().map(|name| (name, 0)).collect(),
            published: Vec::new(),
            statuses: Vec::new(),
        }
    }

    pub(super) fn live(&mut self, event: &Event) {
        match event {
            Event::Publish(symbols) => {
                let ticks = symbols.iter().map(|(symbol, is_trade)| match is_trade {
                    true => self.market.trade(trade(*symbol)),
                    false => self.market.quote(quote(*symbol)),
                });
                super::publish_ticks(&self.market, ticks.collect());
                for (symbol, is_trade) in symbols {
                    self.published.push(vec![SYMBOLS[*symbol]]);
                    self.trades.insert(self.published.len() as u64, *is_trade);
                }
            }
            Event::Status => {
                super::publish(
                    &self.market,
                    vec![Entries::Notice(Notice::Feed(live("test")))],
                );
                self.published.push(Vec::new());
            }
            Event::Anew => {
                // Nobody gets that entry: a snapshot has to cover it.
                super::publish(&self.market, vec![Entries::Anew(Vec::new())]);
                self.published.push(SYMBOLS.to_vec());
            }
            Event::History(symbol) => {
                let known = self.market.known(past(*symbol));
                super::publish(&self.market, known);
                self.published.push(vec![SYMBOLS[*symbol]]);
            }
            Event::Alerts(symbols) => {
                let symbols = names(*symbols);
                let fired: Vec<_> = symbols.iter().map(|symbol| fired(symbol)).collect();
                super::publish(&self.market, vec![Entries::Firings(fired)]);
                self.published.push(symbols);
            }
            Event::Read => {
                let frames = self.reader.read();
                self.follow(&frames);
            }
            Event::Answer(limit) => self.answer(*limit),
            Event::Heartbeat => {
                let frame = self.reader.heartbeat();
                self.follow(frame.as_slice());
            }
            Event::Pace(every_ms, latest) => {
                // What is still unread is read at the old pace.
                self.drain();
                self.pace = Pace {
                    every_ms: *every_ms,
                    latest: *latest,
                };
                let frames = self.reader.set_pace(None, self.pace);
                self.follow(&frames);
            }
            Event::Reconnect => {
                // One cursor cannot express that some symbols are still
                // catching up: a client that loses its connection at that
                // moment resumes from the older position and drops by number
                // what it has seen. This client catches up first.
                self.drain();
                let cursor = self.chain.cursor();
                self.connect(cursor);
            }
            Event::Restart => self.connect(None),
            Event::Subscribe(set, back) => self.subscribe(*set, *back),
            Event::Unsubscribe(set) => {
                let set = set_of(&self.market, *set);
                let frames = self.reader.unsubscribe(None, &set);
                self.follow(&frames);
            }
        }
    }

    fn connect(&mut self, cursor: Option<Cursor>) {
        let names: Vec<_> = self.known.keys().map(|name| (*name).to_owned()).collect();
        let set = self.market.set(&Symbols::Named(names)).unwrap();
        self.reader = Reader::new(&self.market, self.encoding, set, cursor).with_pace(self.pace);
        let from = cursor.map_or(0, |cursor| cursor.seq);
        for known in self.known.values_mut() {
            *known = (*known).max(from);
        }
    }

    fn answer(&mut self, limit: usize) {
        // Only streams send the past of symbols that joined.
        self.drain();
        let answer = self.reader.answer(limit);
        let events: Vec<_> = answer.frames.iter().map(message).collect();
        let ticks: usize = answer.frames.iter().map(|frame| frame.ticks).sum();
        assert!(ticks <= limit, "{ticks} ticks, not {limit}");
        for event in &events {
            self.follow_message(event);
        }
        // An empty answer is not sent, so the client's position does not
        // change.
        if !events.is_empty() {
            self.last = Some(answer.cursor);
            self.chain.finish(&TicksAnswer {
                from: answer.from,
                cursor: answer.cursor,
                events,
            });
        }
    }

    fn subscribe(&mut self, set: u8, back: Option<u64>) {
        self.drain();
        let head = self.market.cursor();
        let cursor = back.map(|back| Cursor {
            seq: head.seq.saturating_sub(back),
            ..head
        });
        let had_nothing = self.known.is_empty();
        let added: Vec<_> = names(set)
            .into_iter()
            .filter(|n| !self.known.contains_key(n))
            .collect();
        let set = set_of(&self.market, set);
        let frames = self.reader.subscribe(None, &set, cursor);
        // Joining symbols are known up to the cursor. Everything after it must
        // arrive, or a snapshot.
        for name in &added {
            self.known
                .insert(name, cursor.map_or(0, |cursor| cursor.seq));
        }
        if let Some(cursor) = cursor {
            if had_nothing {
                // The cursor asks for past states of the feed as well.
                self.statuses.clear();
            }
            // The command restarts the chain at the cursor that it gave.
            self.begin_chain_at(&frames, cursor);
            return;
        }
        self.follow(&frames);
    }

    /// Follows the messages before `subscribed` with the old chain and those
    /// after it with a new one.
    fn begin_chain_at(&mut self, frames: &[Frame], cursor: Cursor) {
        let answer = frames.iter().position(|frame| frame.event == "subscribed");
        let (before, after) = frames.split_at(answer.unwrap());
        self.follow(before);
        self.check_chain();
        self.chain = Chain::from_cursor(cursor);
        self.last = Some(cursor);
        self.follow(after);
    }

    pub(super) fn drain(&mut self) {
        loop {
            let frames = self.reader.read();
            if frames.is_empty() {
                return;
            }
            self.follow(&frames);
        }
    }

    fn follow(&mut self, frames: &[Frame]) {
        for frame in frames {
            self.follow_message(&message(frame));
        }
    }

    fn follow_message(&mut self, message: &ServerMessage) {
        assert_eq!(self.chain.follow(message), Verdict::Apply, "{message:?}");
        self.follow_chain(message);
        match message {
            ServerMessage::Snapshot {
                cursor, symbols, ..
            } => {
                for state in symbols {
                    let known = self.known.get_mut(state.symbol.as_str());
                    let known = known.expect("only what was asked for");
                    assert!(cursor.seq >= *known, "a snapshot goes back");
                    *known = cursor.seq;
                }
            }
            ServerMessage::Ticks {
                cursor,
                ticks,
                skipped,
                ..
            } if *skipped > 0 => {
                assert!(self.pace.latest, "{message:?}");
                self.see_latest(ticks, cursor.seq, *skipped);
            }
            ServerMessage::Ticks {
                from,
                cursor,
                ticks,
                ..
            } => {
                for tick in ticks {
                    assert!(
                        from.seq < tick.seq() && tick.seq() <= cursor.seq,
                        "{message:?}"
                    );
                    self.see(tick.symbol(), tick.seq());
                }
            }
            ServerMessage::Alerts {
                cursor, firings, ..
            } => {
                for firing in firings {
                    self.see(&firing.symbol, cursor.seq);
                }
            }
            ServerMessage::States {
                cursor, symbols, ..
            } => {
                for state in symbols {
                    self.see(&state.symbol, cursor.seq);
                }
            }
            ServerMessage::Status {
                cursor: Some(cursor),
                ..
            } => self.statuses.push(cursor.seq),
            ServerMessage::Subscribed { symbols, .. } => {
                let all = symbols == &["*"];
                self.known
                    .retain(|name, _| all || symbols.iter().any(|s| s == name));
            }
            _ => {}
        }
    }

    fn follow_chain(&mut self, message: &ServerMessage) {
        if let Some((from, cursor)) = message.span() {
            if let Some(last) = self.last.replace(cursor) {
                assert_eq!(from, last, "the chain breaks at {message:?}");
            }
        } else if let Some(cursor) = message.cursor() {
            self.last = Some(cursor);
        }
    }

    /// Checks that the entry is the symbol's next one after what is known.
    fn see(&mut self, symbol: &str, seq: u64) {
        let known = *self.known.get(symbol).expect("only what was asked for");
        assert_eq!(
            self.next_of(symbol, known),
            Some(seq),
            "{symbol} after {known}"
        );
        if let Some(known) = self.known.get_mut(symbol) {
            *known = seq;
        }
    }

    /// Checks that each entry up to `cursor` either arrived, or was left out
    /// for a newer one and counted.
    fn see_latest(&mut self, ticks: &[Tick], cursor: u64, skipped: u64) {
        let mut seen = Vec::new();
        for (symbol, known) in &mut self.known {
            let entries = (1u64..).zip(&self.published);
            let own = entries.filter(|(seq, symbols)| {
                (*known + 1..=cursor).contains(seq) && symbols.contains(symbol)
            });
            let own: Vec<u64> = own.map(|(seq, _)| seq).collect();
            *known = own.last().copied().unwrap_or(*known);
            seen.extend(own);
        }
        seen.sort_unstable();
        assert_eq!(
            seen.len() as u64,
            ticks.len() as u64 + skipped,
            "all are counted"
        );
        let told: Vec<u64> = ticks.iter().map(Tick::seq).collect();
        assert!(told.is_sorted() && told.iter().all(|seq| seen.contains(seq)));
        for left_out in seen.iter().filter(|seq| !told.contains(seq)) {
            let what = |seq: u64| (&self.published[seq as usize - 1], self.trades[&seq]);
            let mut newer = left_out + 1..=self.published.len() as u64;
            assert!(
                newer.any(|seq| self.trades.contains_key(&seq) && what(seq) == what(*left_out)),
                "{left_out} is the newest of its kind"
            );
        }
    }

    /// The number of the symbol's first entry after `position`.
    fn next_of(&self, symbol: &str, position: u64) -> Option<u64> {
        let mut entries = (1u64..).zip(&self.published).skip(position as usize);
        let next = entries.find(|(_, symbols)| symbols.contains(&symbol));
        next.map(|(seq, _)| seq)
    }

    fn check_chain(&self) {
        // The first message of a new chain may begin anywhere.
        assert_eq!(self.chain.repeated(), 0);
    }

    /// Reads to the end and checks that nothing of the set is missing.
    pub(super) fn finish(mut self) {
        self.drain();
        self.check_chain();
        for (symbol, known) in &self.known {
            assert_eq!(self.next_of(symbol, *known), None, "{symbol} after {known}");
        }
        let told_once = self.statuses.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(
            told_once,
            "a change of the feed was told twice: {:?}",
            self.statuses
        );
    }
}
