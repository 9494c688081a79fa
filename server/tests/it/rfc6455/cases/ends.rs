//! Texts, close frames, and how frames say their length.

use super::super::frames::{CLOSE, CONTINUATION, Frame, PING, TEXT, close};
use super::{Case, Expect, PROTOCOL, case, slowly};

const NOT_TEXT: Expect = Expect::Closes(Some(1_007));
/// Bytes that begin as text, and are none: a lone surrogate.
const BROKEN: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";

/// 6: texts that are UTF-8, and those that are not.
pub(super) fn texts() -> Vec<Case> {
    let good = "Hello-µ@ßöäüàá-UTF-8!!κόσμε\u{10ffff}".as_bytes();
    let parts: Vec<_> = std::iter::once(Frame::part(TEXT, &good[..1]))
        .chain(
            good[1..]
                .iter()
                .map(|byte| Frame::part(CONTINUATION, [*byte])),
        )
        .chain([Frame::new(CONTINUATION, "")])
        .collect();
    let text = |bytes: &[u8]| Frame::new(TEXT, bytes);
    vec![
        case(
            "6.1.2 three empty parts",
            [
                Frame::part(TEXT, ""),
                Frame::part(CONTINUATION, ""),
                Frame::new(CONTINUATION, ""),
            ],
            Expect::Stays,
        ),
        case("6.2.1 a text", [text(good)], Expect::Stays),
        case(
            "6.2.3 parts of a byte each, within characters",
            parts,
            Expect::Stays,
        ),
        slowly(case(
            "6.2.4 a text, byte by byte",
            [text(good)],
            Expect::Stays,
        )),
        case(
            "6.3.2 a surrogate in another part",
            [
                Frame::part(TEXT, &BROKEN[..12]),
                Frame::new(CONTINUATION, &BROKEN[12..]),
            ],
            NOT_TEXT,
        ),
    ]
}

/// 6: bytes that are no text.
const NO_TEXTS: [(&str, &[u8]); 9] = [
    ("6.6.1 half a character", b"\xce"),
    ("6.6.3 a character without its end", b"\xce\xba\xe1"),
    ("6.12.1 a lone second byte", b"\x80"),
    ("6.14.1 a lone first byte before a space", b"\xc3 "),
    ("6.18.1 a slash that is too long", b"\xc0\xaf"),
    (
        "6.19.1 the highest character in too many bytes",
        b"\xf0\x8f\xbf\xbf",
    ),
    ("6.13.5 a byte that is never in a text", b"\xff"),
    ("6.9.4 beyond the last character", b"\xf4\x90\x80\x80"),
    ("6.3.1 a surrogate", BROKEN),
];

/// 6: the same, as cases.
pub(super) fn no_texts() -> Vec<Case> {
    let cases = NO_TEXTS.map(|(name, bytes)| case(name, [Frame::new(TEXT, bytes)], NOT_TEXT));
    cases.into()
}

/// 7: codes that are sent back.
const ECHOED: [(u16, &str); 13] = [
    (1_000, "7.7.1 code 1000"),
    (1_001, "7.7.2 code 1001"),
    (1_002, "7.7.3 code 1002"),
    (1_003, "7.7.4 code 1003"),
    (1_007, "7.7.5 code 1007"),
    (1_008, "7.7.6 code 1008"),
    (1_009, "7.7.7 code 1009"),
    (1_010, "7.7.8 code 1010"),
    (1_011, "7.7.9 code 1011"),
    (3_000, "7.7.10 code 3000"),
    (3_999, "7.7.11 code 3999"),
    (4_000, "7.7.12 code 4000"),
    (4_999, "7.7.13 code 4999"),
];

/// 7: codes that must not be sent.
const REFUSED: [(u16, &str); 11] = [
    (0, "7.9.1 code 0"),
    (999, "7.9.2 code 999"),
    (1_004, "7.9.3 code 1004"),
    (1_005, "7.9.4 code 1005"),
    (1_006, "7.9.5 code 1006"),
    (1_016, "7.9.6 code 1016"),
    (1_100, "7.9.7 code 1100"),
    (2_000, "7.9.8 code 2000"),
    (2_999, "7.9.9 code 2999"),
    (5_000, "7.13.1 code 5000"),
    (65_535, "7.13.2 code 65535"),
];

/// 7: the same, as cases.
pub(super) fn codes() -> Vec<Case> {
    let echoed =
        ECHOED.map(|(code, name)| case(name, [close(code, "")], Expect::Closes(Some(code))));
    let refused = REFUSED.map(|(code, name)| case(name, [close(code, "")], PROTOCOL));
    echoed.into_iter().chain(refused).collect()
}

/// 7: how a connection is closed.
pub(super) fn closes() -> Vec<Case> {
    let longest = "*".repeat(123);
    vec![
        case(
            "7.1.1 a text, then a close frame",
            [Frame::new(TEXT, "x"), close(1_000, "")],
            Expect::Closes(Some(1_000)),
        ),
        case(
            "7.1.2 two close frames",
            [close(1_000, ""), close(1_000, "")],
            Expect::Closes(Some(1_000)),
        ),
        case(
            "7.1.3 a ping after a close frame",
            [close(1_000, ""), Frame::new(PING, "x")],
            Expect::Closes(Some(1_000)),
        ),
        case(
            "7.3.1 a close frame without code",
            [Frame::new(CLOSE, "")],
            Expect::Closes(None),
        ),
        case(
            "7.3.2 a close frame of one byte",
            [Frame::new(CLOSE, "x")],
            PROTOCOL,
        ),
        case(
            "7.3.4 a code and a reason",
            [close(1_000, "Hello")],
            Expect::Closes(Some(1_000)),
        ),
        case(
            "7.3.5 the longest reason",
            [close(1_000, &longest)],
            Expect::Closes(Some(1_000)),
        ),
        case(
            "7.3.6 a reason that is too long",
            [close(1_000, format!("{longest}*"))],
            PROTOCOL,
        ),
        case(
            "7.5.1 a reason that is no text",
            [close(1_000, BROKEN)],
            NOT_TEXT,
        ),
    ]
}

/// Lengths in more bytes than they need, which the library takes although no
/// client may send them (RFC 6455, section 5.2); and frames without a mask.
pub(super) fn lengths_and_masks() -> Vec<Case> {
    let text = || Frame::new(TEXT, "Hello");
    vec![
        case(
            "5.2 (RFC) a length in two bytes that fits into one",
            [text().length_bytes(2)],
            Expect::Stays,
        ),
        case(
            "5.2 (RFC) a length in eight bytes that fits into one",
            [text().length_bytes(8)],
            Expect::Stays,
        ),
        case(
            "5.1 (RFC) a text without a mask",
            [text().unmasked()],
            PROTOCOL,
        ),
        case(
            "5.1 (RFC) a ping without a mask",
            [Frame::new(PING, "x").unmasked()],
            PROTOCOL,
        ),
    ]
}
