//! The laws of a sequence: whatever is lost, repeated or reordered, each identifier is
//! given once, in order, with all of the quantity.

use proptest::prelude::*;
use shared::Side;

use super::*;

fn merged(ids: RangeInclusive<u64>) -> VenueTrade {
    let qty: u64 = ids.clone().map(qty_of).sum();
    VenueTrade {
        time: Time::from_micros(1_000 * *ids.start() as i64),
        ids,
        price: Decimal::ONE,
        qty: Decimal::whole(qty),
        side: Side::Buy,
    }
}

fn single(id: u64) -> VenueTrade {
    merged(id..=id)
}

/// Another one for each identifier.
fn qty_of(id: u64) -> u64 {
    1 + id * id
}

fn given(placed: &[Placed]) -> Vec<String> {
    placed.iter().map(Placed::id).collect()
}

fn begun(first: u64) -> Sequence {
    let mut sequence = Sequence::default();
    sequence.begin(first);
    sequence
}

#[test]
fn what_is_missing_is_found_and_what_comes_twice_is_left_out() {
    let mut sequence = begun(5);
    for id in [5, 4, 5, 7, 7, 9] {
        sequence.offer(single(id), Origin::Sent);
    }
    assert_eq!(given(&sequence.take()), ["5"]);
    assert_eq!(sequence.missing(), Some(6..=6));
    sequence.offer(single(6), Origin::Asked);
    assert_eq!(given(&sequence.take()), ["6", "7"]);
    assert_eq!(sequence.missing(), Some(8..=8));
    sequence.give_up(&(8..=8));
    assert_eq!(given(&sequence.take()), ["9"]);
    assert_eq!((sequence.filled(), sequence.missed()), (1, 1));
    assert_eq!(sequence.missing(), None);
    // The venue says that there were others.
    sequence.has_sent(11);
    assert_eq!(sequence.missing(), Some(10..=11));
    assert_eq!(sequence.waiting(), 0);
}

#[test]
fn a_merged_trade_fills_what_is_missing_of_it() {
    let mut sequence = begun(10);
    for id in [10, 12, 15] {
        sequence.offer(single(id), Origin::Sent);
    }
    assert_eq!(given(&sequence.take()), ["10"]);
    // Of these, 10 was given, and 12 is waiting.
    sequence.offer(merged(9..=14), Origin::Asked);
    // The quantity of 9 is not known.
    assert_eq!(given(&sequence.take()), [""; 0]);
    sequence.offer(merged(10..=14), Origin::Asked);
    let placed = sequence.take();
    assert_eq!(given(&placed), ["11,13-14", "12", "15"]);
    let rest = qty_of(11) + qty_of(13) + qty_of(14);
    assert_eq!(placed[0].trade.qty, Decimal::whole(rest));
    assert_eq!((sequence.filled(), sequence.missed()), (3, 0));
}

#[test]
fn a_venue_may_count_anew() {
    let mut sequence = begun(1_000_000);
    sequence.offer(single(1_000_000), Origin::Sent);
    assert_eq!(sequence.take().len(), 1);
    let mut anew = single(3);
    // An old one that comes again.
    sequence.offer(anew.clone(), Origin::Sent);
    assert_eq!(sequence.take().len(), 0);
    anew.time = single(1_000_000).time + COUNTS_ANEW * 2;
    sequence.offer(anew, Origin::Sent);
    assert_eq!(given(&sequence.take()), ["3"]);
}

#[test]
fn before_it_begins_all_wait() {
    let mut sequence = Sequence::default();
    for id in [7, 8, 6] {
        sequence.offer(single(id), Origin::Sent);
    }
    assert!(sequence.take().is_empty() && sequence.missing().is_none());
    sequence.begin(7);
    assert_eq!(given(&sequence.take()), ["7", "8"]);
}

/// What happens to a trade on its way.
#[derive(Clone, Debug)]
enum Way {
    Arrives,
    IsLost,
    ComesTwice,
    /// So many others come before it.
    IsLate(usize),
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![
        5 => Just(Way::Arrives),
        2 => Just(Way::IsLost),
        1 => Just(Way::ComesTwice),
        2 => (1..9_usize).prop_map(Way::IsLate),
    ]
}

/// The identifiers in the order in which they arrive.
fn arrivals(ways: &[Way]) -> Vec<u64> {
    let mut arrivals = Vec::new();
    for (way, id) in ways.iter().zip(1_u64..) {
        let place = id as usize * 10;
        match way {
            Way::Arrives => arrivals.push((place, id)),
            Way::IsLost => {}
            Way::ComesTwice => arrivals.extend([(place, id), (place + 25, id)]),
            Way::IsLate(by) => arrivals.push((place + 10 * by + 5, id)),
        }
    }
    arrivals.sort_unstable();
    arrivals.into_iter().map(|(_, id)| id).collect()
}

/// All identifiers of a placed trade.
fn ids(placed: &Placed) -> impl Iterator<Item = u64> {
    placed.ids.iter().cloned().flatten()
}

proptest! {
    #[test]
    fn each_identifier_once_in_order_with_all_of_the_quantity(
        ways in prop::collection::vec(way(), 1..60),
        // The pages of the venue: trades merged by so many.
        parts in prop::collection::vec(1..5_u64, 60),
        patience in 0..6_usize,
    ) {
        let last = ways.len() as u64;
        let mut pages = Vec::new();
        let mut first = 1;
        for part in parts {
            pages.push(first..=(first + part - 1).min(last));
            first += part;
            if first > last {
                break;
            }
        }
        let mut sequence = begun(1);
        let mut all = Vec::new();
        for (count, id) in arrivals(&ways).into_iter().enumerate() {
            sequence.offer(single(id), Origin::Sent);
            all.extend(sequence.take());
            if let (Some(missing), true) = (sequence.missing(), count % 6 >= patience) {
                let reaches = |page: &&RangeInclusive<u64>| page.end() >= missing.start();
                for page in pages.iter().filter(reaches).take(3) {
                    sequence.offer(merged(page.clone()), Origin::Asked);
                }
                all.extend(sequence.take());
            }
        }
        sequence.has_sent(last);
        for page in &pages {
            sequence.offer(merged(page.clone()), Origin::Asked);
            all.extend(sequence.take());
        }
        let firsts: Vec<_> = all.iter().map(|placed| *placed.ids[0].start()).collect();
        prop_assert!(firsts.is_sorted());
        let mut found: Vec<u64> = all.iter().flat_map(ids).collect();
        found.sort_unstable();
        prop_assert_eq!(found, (1..=last).collect::<Vec<_>>());
        for placed in &all {
            let expect: u64 = ids(placed).map(qty_of).sum();
            prop_assert_eq!(placed.trade.qty, Decimal::whole(expect));
        }
        prop_assert_eq!((sequence.missing(), sequence.missed()), (None, 0));
    }
}
