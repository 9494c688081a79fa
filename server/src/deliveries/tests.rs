use shared::{Condition, PriceKind};
use tokio::time::timeout;

use super::*;

fn delivery(count: u64) -> Delivery {
    let firing = Firing {
        id: 1,
        symbol: "A".to_owned(),
        condition: Condition::SilentS(1),
        on: PriceKind::Last,
        price: None,
        time: clock::now(),
        at: None,
        count,
        note: String::new(),
    };
    Delivery::new(Arc::new(firing), clock::now())
}

fn deliveries() -> Deliveries {
    Deliveries::new("id".to_owned(), "receiver".to_owned(), true)
}

/// The next delivery, if it is due within this time.
async fn next(all: &Deliveries, within: Duration) -> Option<Delivery> {
    timeout(within, all.next()).await.ok()
}

fn later(wait_s: Option<u64>) -> Outcome {
    Outcome::Later("no".to_owned(), wait_s.map(Duration::from_secs))
}

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn of_too_many_the_oldest_are_given_up() {
    let all = deliveries();
    all.extend((0..WAITING_MAX as u64 + 3).map(delivery));
    let status = all.status();
    assert_eq!((status.waiting, status.given_up), (WAITING_MAX as u64, 3));
    assert_eq!(all.take_settled(), [(1, 0), (1, 1), (1, 2)]);
    assert_eq!(next(&all, MOMENT).await.unwrap().firing.count, 3);
}

#[tokio::test(start_paused = true)]
async fn what_is_too_old_is_given_up_without_an_attempt() {
    let all = deliveries();
    let age = Span::from(AGE_MAX);
    let old = Delivery {
        made: clock::now() - age - Span::from_micros(1),
        ..delivery(1)
    };
    all.extend([old, delivery(2)]);
    assert_eq!(next(&all, MOMENT).await.unwrap().firing.count, 2);
    assert_eq!(
        (all.status().given_up, all.take_settled()),
        (1, [(1, 1)].into())
    );
    // But not if only the clock jumped ahead.
    all.extend([delivery(3)]);
    all.jump(age * 2);
    assert_eq!(next(&all, MOMENT).await.unwrap().firing.count, 3);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_fails_is_tried_by_one_at_a_time() {
    let all = deliveries();
    all.extend((0..10).map(delivery));
    for _ in 0..PATIENCE {
        let one = next(&all, MOMENT).await.unwrap();
        all.settle(one, later(None));
    }
    assert!(next(&all, BACKOFF / 4).await.is_none(), "a pause");
    let probe = next(&all, BACKOFF).await.unwrap();
    assert!(next(&all, BACKOFF_MAX).await.is_none(), "one at a time");
    all.settle(probe, Outcome::Taken);
    for _ in 0..AT_ONCE {
        assert!(next(&all, MOMENT).await.is_some(), "all at once again");
    }
    assert_eq!(all.status().taken, 1);
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_asks_for_time_gets_it_from_all() {
    let all = deliveries();
    all.extend((0..3).map(delivery));
    let (one, two) = (
        next(&all, MOMENT).await.unwrap(),
        next(&all, MOMENT).await.unwrap(),
    );
    all.settle(one, later(Some(60)));
    // A success of a request that was under way does not shorten the wait.
    all.settle(two, Outcome::Taken);
    assert!(next(&all, Duration::from_secs(59)).await.is_none());
    assert!(next(&all, Duration::from_secs(2)).await.is_some());
}
