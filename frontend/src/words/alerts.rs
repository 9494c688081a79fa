//! Alerts: over the charts, and on their own page.

use shared::{
    Alert, AlertSpec, Condition, Decimal, Firing, Moves, Parameters, PriceKind, WebhookStatus,
};

use super::{ALERTS, call_error};
use crate::faults::AlertFault;
use crate::faults::{FormFault, PageFault};
use crate::format;

pub(crate) const ALERTS_FAILED: &str = "Alerts: ";
pub(crate) const SHOW_CHART: &str = "Show its chart";

pub(crate) fn alert_fault(fault: &AlertFault) -> String {
    match fault {
        AlertFault::Call(error) => call_error(error),
        AlertFault::ChartInPercent => {
            "a chart in per cent has no prices; stop comparing first".to_owned()
        }
    }
}

/// What happened to an alert, as in `BTC-USD above 64,000.00, at 64,012.75`.
pub(crate) fn firing(firing: &Firing) -> String {
    let what = condition(firing.on, &firing.condition);
    match firing.price {
        Some(price) => {
            let price = format::fixed(price, price.scale());
            format!("{} {what}, at {price}", firing.symbol)
        }
        None => format!("{} {what}", firing.symbol),
    }
}

/// The alerts that are only counted, as in `12 more alerts fired`.
pub(crate) fn more_firings(count: usize) -> String {
    match count {
        1 => "1 more alert fired".to_owned(),
        _ => format!("{count} more alerts fired"),
    }
}

pub(crate) fn more_firings_elsewhere(count: usize) -> String {
    format!("{}; the page {ALERTS} has them", more_firings(count))
}

/// The condition of an alert, as in `above 64,000.00` or `bid above 64,000.00`.
pub(crate) fn condition(on: PriceKind, condition: &Condition) -> String {
    let what = match condition.parameters() {
        Parameters::Level(level) => format::fixed(level, level.scale()),
        Parameters::Moves(Moves { percent, window_s }) => {
            let percent = format::fixed(percent, percent.scale());
            format!("{percent}% within {}", seconds(window_s))
        }
        Parameters::Seconds(silent_s) => seconds(silent_s),
    };
    let (price, waits) = (condition.price_words(on), condition.kind().waits);
    format!("{price}{waits} {what}")
}

/// A duration in the largest unit of which it is a whole number.
pub(crate) fn seconds(seconds: u32) -> String {
    let units = [(3_600, "h"), (60, "min"), (1, "s")];
    let fits = |(length, _): &&(u32, &str)| seconds.is_multiple_of(*length);
    let (length, name) = units.iter().find(fits).unwrap_or(&units[2]);
    format!("{} {name}", seconds / length)
}

/// The state of a webhook, as in `takes alerts; 12 taken`. `since` is when it
/// began to fail, in words.
pub(crate) fn webhook(webhook: &WebhookStatus, since: Option<String>) -> String {
    let mut words = match since {
        None => "takes alerts".to_owned(),
        Some(since) => format!("takes none since {since}: {}", webhook.detail),
    };
    for (count, what) in [
        (webhook.taken, "taken"),
        (webhook.waiting, "waiting"),
        (webhook.given_up, "given up"),
    ] {
        if count > 0 {
            words += &format!("; {count} {what}");
        }
    }
    words
}

// The page of alerts: the form.
pub(crate) const ALERT: &str = "Alert";
pub(crate) const NEW_ALERT: &str = "New alert";
pub(crate) const ALERTS_EXPLAINED: &str = "The server watches, whether or not a page is open. An alert fires when its condition comes true, and again only after it was not.";
pub(crate) const SYMBOL: &str = "Symbol";
pub(crate) const PRICE_KIND: &str = "Price kind";
/// The prices of a symbol: the kind of each, and its label.
pub(crate) const PRICE_KINDS: [(PriceKind, &str); 3] = [
    (PriceKind::Last, "last price"),
    (PriceKind::Bid, "bid"),
    (PriceKind::Ask, "ask"),
];
pub(crate) const CONDITION: &str = "Condition";
pub(crate) const PER_CENT: &str = "Per cent";
pub(crate) const PER_CENT_WITHIN: &str = " % within ";
pub(crate) const WITHIN_SECONDS: &str = "Within seconds";
pub(crate) const SECONDS: &str = "Seconds";
pub(crate) const UNIT_S: &str = " s";
pub(crate) const AGAIN_AT_MOST: &str = "again and again, at most every";
pub(crate) const QUIET_SECONDS: &str = "Quiet for seconds after it fired";
pub(crate) const NOTE: &str = "Note";
pub(crate) const SAVE: &str = "Save";
pub(crate) const CREATE_ALERT: &str = "Create alert";
pub(crate) const CANCEL: &str = "Cancel";
// The fields, as a fault names them.
pub(crate) const THE_PRICE: &str = "The price";
pub(crate) const THE_MOVE: &str = "The move";
pub(crate) const THE_TIME: &str = "The time";
pub(crate) const THE_SILENCE: &str = "The silence";
pub(crate) const THE_PAUSE: &str = "The pause";

// Its lists.
pub(crate) const ALERT_HEADINGS: [&str; 7] = [
    "On",
    SYMBOL,
    "Fires when it",
    "Again",
    "Fired",
    NOTE,
    "Actions",
];
pub(crate) const FIRED: &str = "Fired";
pub(crate) const FIRED_HEADINGS: [&str; 5] = ["Time", SYMBOL, "What happened", "At", NOTE];
pub(crate) const LOADING: &str = "Loading";
pub(crate) const NO_ALERTS: &str = "There are no alerts. Make one above, or press n at a chart.";
pub(crate) const NOTHING_FIRED: &str = "Nothing has fired yet.";
pub(crate) const SHOW_MORE: &str = "Show more";
pub(crate) const EDIT: &str = "Edit";
pub(crate) const DELETE: &str = "Delete";
pub(crate) const WEBHOOKS: &str = "Webhooks";

// How a person is told.
pub(crate) const HOW_TO_BE_TOLD: &str = "How to be told";
pub(crate) const TOLD_EXPLAINED: &str = "In this browser, while the page Markets is open and has the symbol; there it also shows over the page. Another program can be told by the server: start it with --webhook.";
pub(crate) const SOUND: &str = "A sound";
pub(crate) const NOTIFICATIONS: &str = "The system's notifications";
pub(crate) const NO_NOTIFICATIONS: &str = "This browser has no notifications.";
pub(crate) const NOTIFICATIONS_NOT_ALLOWED: &str =
    "The browser does not allow notifications for this page; its settings can.";

pub(crate) fn alert_number(id: u64) -> String {
    format!("{ALERT} {id}")
}

/// An alert in words, as in `BTC-USD above 64,000.00`.
pub(crate) fn alert(alert: &Alert) -> String {
    let spec = &alert.spec;
    format!("{} {}", spec.symbol, condition(spec.on, &spec.condition))
}

pub(crate) fn switch_of(alert: &Alert) -> String {
    format!("On: {}", self::alert(alert))
}

pub(crate) fn edit_of(alert: &Alert) -> String {
    format!("{EDIT} {}", self::alert(alert))
}

pub(crate) fn delete_of(alert: &Alert) -> String {
    format!("{DELETE} {}", self::alert(alert))
}

/// Whether an alert fires again, and after which pause.
pub(crate) fn repeats(spec: &AlertSpec) -> String {
    if spec.repeat {
        format!("after {}", seconds(spec.cooldown_s))
    } else {
        "once".to_owned()
    }
}

/// What is wrong with the form.
pub(crate) fn form_fault(fault: &FormFault) -> String {
    match fault {
        FormFault::NotANumber(field) => {
            let example = format::editable(Decimal::new(6_400_050, 2));
            format!("{field} has to be a number, as in {example}")
        }
        FormFault::TwoWays(field, text, ways) => {
            let [one, other] = ways.map(format::editable);
            format!("{field} {text} can be read as {one} and as {other}; write one of these")
        }
        FormFault::NotSeconds(field) => format!("{field} has to be whole seconds"),
        FormFault::Several(text, one, other) => {
            format!("'{text}' may be {one} or {other}; choose one")
        }
    }
}

/// Why the lists may be out of date, or a call failed.
pub(crate) fn alerts_page_fault(fault: &PageFault) -> String {
    match fault {
        PageFault::OutOfDate(error) => format!("This may be out of date: {}", call_error(error)),
        PageFault::Call(error) => call_error(error),
        PageFault::Form(fault) => form_fault(fault),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts() {
        let json = r#"{"id":7,"symbol":"BTC-USD","above":"64000.00","price":"64012.75","time":5,"count":1}"#;
        let fired: Firing = serde_json::from_str(json).unwrap();
        assert_eq!(firing(&fired), "BTC-USD above 64,000.00, at 64,012.75");
        let moves = Condition::Moves(Moves {
            percent: "2.5".parse().unwrap(),
            window_s: 300,
        });
        assert_eq!(
            condition(PriceKind::Bid, &moves),
            "bid moves 2.5% within 5 min"
        );
        assert_eq!(
            condition(PriceKind::Last, &Condition::SilentS(90)),
            "silent for 90 s"
        );
        assert_eq!(seconds(7_200), "2 h");
    }
}
