//! What can go wrong, as plain data. The module `words` says it to people.

use shared::Decimal;

/// Why a call to the server failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallError {
    /// The server cannot be reached.
    Unreachable,
    /// It did not answer in time.
    Late,
    /// The answer broke off.
    BrokeOff,
    /// The server refused the call.
    Refused {
        /// The status of the answer.
        status: u16,
        /// The reason that the server gave, in words.
        reason: Option<String>,
    },
    /// The answer is not what it should be, for this reason.
    Unreadable(String),
    /// The browser lacks something, or does not allow it.
    Unsupported,
}

/// Why an alert command that a person gave failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertFault {
    /// The server did not carry it out.
    Call(CallError),
    /// A chart in per cent has no prices.
    ChartInPercent,
}

/// Why no symbol is what a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownSymbol {
    /// The server does not have it.
    None(String),
    /// It may be the second or the third.
    Several(String, String, String),
}

/// What is wrong with what a person wrote in the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FormFault {
    /// This field is not a number.
    NotANumber(&'static str),
    /// The text of this field can be read as either of these numbers.
    TwoWays(&'static str, String, [Decimal; 2]),
    /// This field is not a number of whole seconds.
    NotSeconds(&'static str),
    /// The text may be either of these symbols.
    Several(String, String, String),
}

/// What went wrong on this page.
#[derive(Clone, Debug)]
pub(crate) enum PageFault {
    /// The lists could not be read again.
    OutOfDate(CallError),
    /// A call that a person made failed.
    Call(CallError),
    /// The form cannot be read.
    Form(FormFault),
}
