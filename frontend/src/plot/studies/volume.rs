//! The quantity traded in each bar.

use super::{Line, Pane, Range, Since, Source, Study, Style, Text};

pub(super) const STUDY: Study = Study {
    key: "volume",
    name: "Volume",
    label: "Vol",
    period: None,
    pane: Pane::Own {
        range: Range::FromZero,
        guides: &[],
        text: Text::Quantity,
    },
    lines: &[Line {
        colour: 0,
        style: Style::ByBar,
    }],
    values: Source::Bar(|bar| bar.volume),
    since: Since::Any,
};
