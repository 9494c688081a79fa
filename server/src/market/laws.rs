//! Property tests of the log, with random sequences of events: whatever a
//! reader does and however often it reconnects, it sees each tick of its set
//! once and in order, or a snapshot that covers what it did not see.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use shared::binary::Instruments;
use shared::{
    AlertSpec, Chain, Condition, Cursor, Decimal, Epoch, FeedState, FeedStatus, Firing, Instrument,
    Pace, PriceKind, ServerMessage, Symbols, Tick, TicksAnswer, Time, Verdict,
};

use super::batch::Notice;
use super::{Frame, Market, Observer, Past, Placed, Reader};
use crate::alerts::{AlertBook, PastAlerts};
use crate::catalogue::Catalogue;
use crate::encoding::{BINARY, Encoding, JSON};
use crate::feed::{Quote, Trade};

const SYMBOLS: [&str; 4] = ["A", "B", "C", "D"];

/// What can happen to the market and to its reader.
#[derive(Clone, Debug)]
enum Event {
    /// A batch of ticks: for each, the index of its symbol and whether it is a
    /// trade.
    Publish(Vec<(usize, bool)>),
    /// The feed's state changes.
    Status,
    /// An alert on each of these symbols (as bits) fires, all at once.
    Alerts(u8),
    /// The reader reads as a stream does.
    Read,
    /// The reader gets a poll's answer with this limit.
    Answer(usize),
    Heartbeat,
    /// The reader changes its pace: `every_ms` and `latest`.
    Pace(u32, bool),
    /// The reader is lost. Its client reconnects with its last cursor.
    Reconnect,
    /// The reader is lost. Its client reconnects without a cursor.
    Restart,
    /// Symbols join the set (as bits), with a cursor this many entries back, or
    /// without one.
    Subscribe(u8, Option<u64>),
    Unsubscribe(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => proptest::collection::vec((0..SYMBOLS.len(), any::<bool>()), 1..6).prop_map(Event::Publish),
        1 => Just(Event::Status),
        1 => (1u8..16).prop_map(Event::Alerts),
        4 => Just(Event::Read),
        2 => (1usize..8).prop_map(Event::Answer),
        1 => Just(Event::Heartbeat),
        1 => (0u32..2, any::<bool>()).prop_map(|(every_ms, latest)| Event::Pace(every_ms, latest)),
        1 => Just(Event::Reconnect),
        1 => Just(Event::Restart),
        2 => (1u8..16, proptest::option::of(0u64..20)).prop_map(|(set, back)| Event::Subscribe(set, back)),
        1 => (1u8..16).prop_map(Event::Unsubscribe),
    ];
    proptest::collection::vec(event, 1..60)
}

/// A client that checks everything it receives.
struct Client {
    market: Arc<Market>,
    book: Arc<AlertBook>,
    encoding: &'static dyn Encoding,
    reader: Reader,
    pace: Pace,
    chain: Chain,
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
    fn new(capacity: u64, set: u8) -> Self {
        Self::with_encoding(JSON, capacity, set)
    }

    fn with_encoding(encoding: &'static dyn Encoding, capacity: u64, set: u8) -> Self {
        let epoch = Epoch::from_number(77);
        let catalogue = Arc::new(Catalogue::new(instruments().to_vec()));
        let past = PastAlerts::default();
        let book = Arc::new(AlertBook::new(past, Arc::clone(&catalogue), [], false));
        let observer = Arc::clone(&book) as Arc<dyn Observer>;
        let past = Past::default();
        let market = Market::new(epoch, status(), catalogue, past, capacity, observer);
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

    fn live(&mut self, event: &Event) {
        match event {
            Event::Publish(symbols) => {
                let ticks = symbols.iter().map(|(symbol, is_trade)| match is_trade {
                    true => self.market.trade(trade(*symbol)),
                    false => self.market.quote(quote(*symbol)),
                });
                self.market.publish(&mut ticks.collect());
                for (symbol, is_trade) in symbols {
                    self.published.push(vec![SYMBOLS[*symbol]]);
                    self.trades.insert(self.published.len() as u64, *is_trade);
                }
            }
            Event::Status => {
                self.market.publish_notice(Notice::Feed(status()));
                self.published.push(Vec::new());
            }
            Event::Alerts(symbols) => {
                let symbols = names(*symbols);
                let fired: Vec<_> = symbols.iter().map(|symbol| fired(symbol)).collect();
                self.market.publish_firings(&fired);
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

    fn drain(&mut self) {
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
        if let Some((from, cursor)) = message.span() {
            if let Some(last) = self.last.replace(cursor) {
                assert_eq!(from, last, "the chain breaks at {message:?}");
            }
        } else if let Some(cursor) = message.cursor() {
            self.last = Some(cursor);
        }
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
    fn finish(mut self) {
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

fn status() -> FeedStatus {
    FeedStatus {
        feed: "test".to_owned(),
        label: String::new(),
        state: FeedState::Live,
        detail: String::new(),
        retry_ms: None,
    }
}

/// An alert of the symbol fired.
fn fired(symbol: &str) -> Placed {
    let place = SYMBOLS.iter().position(|known| *known == symbol);
    (place.unwrap(), Arc::new(firing(symbol)))
}

fn firing(symbol: &str) -> Firing {
    Firing {
        id: 1,
        symbol: symbol.to_owned(),
        condition: Condition::SilentS(1),
        on: PriceKind::Last,
        price: None,
        time: Time::from_micros(1),
        at: None,
        count: 1,
        note: String::new(),
    }
}

fn trade(instrument: usize) -> Trade {
    Trade {
        instrument,
        time: Time::from_micros(1),
        at: None,
        id: None,
        price: Decimal::ONE,
        qty: Decimal::ONE,
        side: None,
        bid: None,
        ask: None,
    }
}

fn publish_trades(market: &Market, places: &[usize]) {
    let ticks = places.iter().map(|place| market.trade(trade(*place)));
    market.publish(&mut ticks.collect());
}

fn quote(instrument: usize) -> Quote {
    Quote {
        instrument,
        time: Time::from_micros(1),
        at: None,
        bid: Some(Decimal::ONE),
        bid_qty: Some(Decimal::ONE),
        ask: None,
        ask_qty: None,
    }
}

fn names(bits: u8) -> Vec<&'static str> {
    let chosen = (0..SYMBOLS.len()).filter(|i| bits & (1 << i) != 0);
    chosen.map(|i| SYMBOLS[i]).collect()
}

fn set_of(market: &Market, bits: u8) -> Arc<super::SymbolSet> {
    let names = names(bits).into_iter().map(str::to_owned);
    market.set(&Symbols::Named(names.collect())).unwrap()
}

/// The message that a client decodes from a frame, in either encoding.
fn message(frame: &Frame) -> ServerMessage {
    let message = if frame.bytes.first() == Some(&b'{') {
        serde_json::from_slice(&frame.bytes).unwrap()
    } else {
        let mut known = Instruments::default();
        known.learn_all(&instruments());
        known.read(&frame.bytes).unwrap()
    };
    assert_ne!(message, ServerMessage::Unknown);
    message
}

fn instruments() -> [Instrument; SYMBOLS.len()] {
    SYMBOLS.map(|symbol| Instrument {
        symbol: symbol.to_owned(),
        name: symbol.to_lowercase(),
        ..Instrument::default()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Small logs drop entries that the reader still needs; large ones do not.
    #[test]
    fn each_tick_once_in_order_or_a_snapshot(
        capacity in prop_oneof![1u64..30, Just(10_000)],
        set in 0u8..16,
        events in events(),
        is_binary: bool,
    ) {
        let encoding = if is_binary { BINARY } else { JSON };
        let mut client = Client::with_encoding(encoding, capacity, set);
        for event in &events {
            client.live(event);
        }
        client.finish();
    }

    /// Without a change of the set, the chain has no break from end to end.
    #[test]
    fn the_chain_never_breaks(
        capacity in prop_oneof![1u64..30, Just(10_000)],
        set in 1u8..16,
        events in events(),
    ) {
        let mut client = Client::new(capacity, set);
        for event in &events {
            if !matches!(event, Event::Subscribe(..) | Event::Unsubscribe(_)) {
                client.live(event);
            }
        }
        client.drain();
        prop_assert_eq!((client.chain.missed(), client.chain.repeated()), (0, 0));
    }
}

#[test]
fn snapshots_of_the_same_moment_share_the_bytes() {
    let client = Client::new(100, 0b0011);
    let market = &client.market;
    publish_trades(market, &[0, 2]);
    let snapshot = |set| {
        Reader::new(market, JSON, set_of(market, set), None)
            .read()
            .remove(0)
    };
    let (one, other, all) = (snapshot(0b0011), snapshot(0b0011), snapshot(0b1111));
    assert_eq!(one.bytes.as_ptr(), other.bytes.as_ptr());
    assert_ne!(one.bytes.as_ptr(), all.bytes.as_ptr());
    let called = |set| market.snapshot(&set_of(market, set)).unwrap();
    assert_eq!(called(0b0011).as_ptr(), called(0b0011).as_ptr());
    // A snapshot of the next moment is not shared.
    let late = market.trade(Trade {
        price: Decimal::TWO,
        ..trade(1)
    });
    market.publish(&mut vec![late]);
    let later = message(&snapshot(0b0011));
    let ServerMessage::Snapshot {
        cursor, symbols, ..
    } = later
    else {
        panic!("{later:?}");
    };
    assert_eq!(cursor.seq, 3);
    let last: Vec<_> = symbols.iter().map(|state| state.last).collect();
    assert_eq!(last, [Some(Decimal::ONE), Some(Decimal::TWO)]);
    let before = message(&one);
    assert!(matches!(before, ServerMessage::Snapshot { symbols, .. } if symbols[1].last.is_none()));
}

#[test]
fn a_log_of_many_firings_keeps_no_more_than_one_of_ticks() {
    let client = Client::new(100, 0b0001);
    let market = &client.market;
    for _ in 0..50 {
        market.publish_firings(&vec![fired("A"); 30]);
    }
    let head = market.cursor();
    assert_eq!(head.seq, 50, "what fired together is one entry");
    let at = |seq| Cursor { seq, ..head };
    let reads = |seq| Reader::new(market, JSON, set_of(market, 1), Some(at(seq))).read()[0].event;
    assert_eq!((reads(47), reads(46)), ("alerts", "snapshot"));
}

#[test]
fn readers_of_the_same_set_share_the_bytes() {
    let client = Client::new(100, 0b0011);
    let market = &client.market;
    let readers = || Reader::new(market, JSON, set_of(market, 0b0011), Some(market.cursor()));
    let (mut one, mut other) = (readers(), readers());
    publish_trades(market, &[0, 2, 1]);
    let (one, other) = (one.read(), other.read());
    assert_eq!(one[0].bytes.as_ptr(), other[0].bytes.as_ptr());
}

#[test]
fn very_many_changes_are_told_as_that() {
    let client = Client::new(100, 0b0001);
    let (market, book) = (&client.market, &client.book);
    let mut reader = Reader::new(market, JSON, set_of(market, 1), Some(market.cursor()));
    let spec = AlertSpec {
        symbol: "B".to_owned(),
        condition: Condition::Above(Decimal::TEN),
        on: PriceKind::Last,
        repeat: false,
        cooldown_s: 60,
        enabled: true,
        note: String::new(),
    };
    let mut told = |count: u64| {
        let made = || book.create(spec.clone()).unwrap().id;
        let ids: Vec<_> = std::iter::repeat_with(made).take(count as usize).collect();
        book.delete(ids[0], None).unwrap();
        market.publish_announcements();
        let [frame] = reader.read().try_into().unwrap();
        let ServerMessage::AlertsChanged { changes, .. } = message(&frame) else {
            panic!("{frame:?}");
        };
        let changed: Vec<_> = changes.changed.iter().map(|alert| alert.id).collect();
        (ids, changed, changes.deleted, changes.more)
    };
    let (ids, changed, deleted, more) = told(3);
    assert_eq!(
        (changed, deleted, more),
        (ids[1..].to_vec(), vec![ids[0]], false)
    );
    let (_, changed, deleted, more) = told(300);
    assert_eq!((changed, deleted, more), (vec![], vec![], true));
    let (ids, changed, deleted, more) = told(2);
    assert_eq!(
        (changed, deleted, more),
        (ids[1..].to_vec(), vec![ids[0]], false)
    );
}

#[test]
fn a_quiet_reader_does_not_fall_out_of_the_log_while_others_fill_it() {
    type Publish = fn(&Market);
    let cases: [(&str, Publish); 3] = [
        ("ticks", |market| publish_trades(market, &[0])),
        ("alerts", |market| market.publish_firings(&[fired("A")])),
        ("status", |market| {
            market.publish_notice(Notice::Feed(status()));
        }),
    ];
    for (event, publish) in cases {
        let client = Client::new(5, 0b0001);
        let market = &client.market;
        let cursor = Some(market.cursor());
        let reader = || Reader::new(market, JSON, set_of(market, 0b0001), cursor);
        let (mut stream, mut poll, mut leaves) = (reader(), reader(), reader());
        let more = set_of(market, 0b0011);
        leaves.subscribe(None, &more, cursor);
        while !leaves.read().is_empty() {}
        for reader in [&mut stream, &mut poll] {
            assert!(reader.read().is_empty());
        }
        for _ in 0..20 {
            publish_trades(market, &[2]);
        }
        leaves.unsubscribe(None, &set_of(market, 0b0010));
        publish(market);
        for frames in [stream.read(), poll.answer(10).frames, leaves.read()] {
            let events: Vec<_> = frames.iter().map(|frame| frame.event).collect();
            assert_eq!(events, [event]);
        }
        // A gap in the reader's own set is reported.
        let mut late = Reader::new(market, JSON, set_of(market, 0b0001), Some(market.cursor()));
        for _ in 0..20 {
            publish_trades(market, &[0]);
        }
        assert_eq!(late.read()[0].event, "snapshot");
    }
}
