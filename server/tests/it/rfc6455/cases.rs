//! The cases.

use self::ends::{closes, codes, lengths_and_masks, no_texts, texts};
use super::frames::{BINARY, CONTINUATION, Frame, PING, PONG, TEXT, close};

mod ends;

/// What the server does.
#[derive(Debug)]
pub(crate) enum Expect {
    /// The connection stays, and commands are answered.
    Stays,
    /// It stays, and these pongs came.
    Pongs(Vec<Vec<u8>>),
    /// It is closed with this code; `None` for a close frame without one.
    Closes(Option<u16>),
}

pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) frames: Vec<Frame>,
    pub(crate) byte_by_byte: bool,
    pub(crate) expect: Expect,
}

const PROTOCOL: Expect = Expect::Closes(Some(1_002));
/// All of them.
pub(crate) fn all() -> Vec<Case> {
    [
        messages(),
        pings(),
        reserved(),
        fragments(),
        fragments_that_are_none(),
        texts(),
        no_texts(),
        closes(),
        codes(),
        lengths_and_masks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn case(name: &'static str, frames: impl Into<Vec<Frame>>, expect: Expect) -> Case {
    Case {
        name,
        frames: frames.into(),
        byte_by_byte: false,
        expect,
    }
}

fn slowly(case: Case) -> Case {
    Case {
        byte_by_byte: true,
        ..case
    }
}

/// 1: texts and bytes of many lengths. They are no commands, which is said.
fn messages() -> Vec<Case> {
    let text = |length| Frame::new(TEXT, vec![b'*'; length]);
    let binary = |length| Frame::new(BINARY, vec![0xfe; length]);
    vec![
        case("1.1.1 an empty text", [text(0)], Expect::Stays),
        case("1.1.2 a text of 125 bytes", [text(125)], Expect::Stays),
        case("1.1.3 a text of 126 bytes", [text(126)], Expect::Stays),
        case("1.1.4 a text of 127 bytes", [text(127)], Expect::Stays),
        case("1.1.5 a text of 128 bytes", [text(128)], Expect::Stays),
        case(
            "1.1.6 a text of 65,535 bytes",
            [text(65_535)],
            Expect::Stays,
        ),
        case(
            "1.1.7 a text of 65,536 bytes",
            [text(65_536)],
            Expect::Stays,
        ),
        slowly(case(
            "1.1.8 a text of 4,000 bytes, byte by byte",
            [text(4_000)],
            Expect::Stays,
        )),
        case("1.2.1 no bytes", [binary(0)], Expect::Stays),
        case("1.2.2 125 bytes", [binary(125)], Expect::Stays),
        case("1.2.3 126 bytes", [binary(126)], Expect::Stays),
        case("1.2.6 65,535 bytes", [binary(65_535)], Expect::Stays),
        case("1.2.7 65,536 bytes", [binary(65_536)], Expect::Stays),
        case(
            "9.1 a message that is too long",
            [text(512 * 1024 + 1)],
            Expect::Closes(Some(1_009)),
        ),
    ]
}

/// 2: pings and pongs.
fn pings() -> Vec<Case> {
    let ping = |payload: &[u8]| Frame::new(PING, payload);
    let pongs = |payloads: &[&[u8]]| {
        Expect::Pongs(payloads.iter().map(|payload| payload.to_vec()).collect())
    };
    let bytes: &[u8] = b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff";
    let most = [0xfe; 125];
    let ten: Vec<Vec<u8>> = (0..10).map(|n| format!("payload-{n}").into()).collect();
    let ten_pings: Vec<_> = ten.iter().map(|payload| ping(payload)).collect();
    vec![
        case("2.1 a ping without payload", [ping(b"")], pongs(&[b""])),
        case(
            "2.2 a ping with a text",
            [ping(b"Hello, world!")],
            pongs(&[b"Hello, world!"]),
        ),
        case("2.3 a ping with bytes", [ping(bytes)], pongs(&[bytes])),
        case("2.4 a ping of 125 bytes", [ping(&most)], pongs(&[&most])),
        case("2.5 a ping of 126 bytes", [ping(&[0xfe; 126])], PROTOCOL),
        slowly(case(
            "2.6 a ping, byte by byte",
            [ping(&most)],
            pongs(&[&most]),
        )),
        case(
            "2.7 a pong that nobody asked for",
            [Frame::new(PONG, "")],
            Expect::Stays,
        ),
        case(
            "2.8 such a pong with payload",
            [Frame::new(PONG, "unsolicited")],
            Expect::Stays,
        ),
        case(
            "2.9 such a pong, and a ping",
            [Frame::new(PONG, "unsolicited"), ping(b"x")],
            pongs(&[b"x"]),
        ),
        case(
            "2.10 ten pings",
            ten_pings.clone(),
            Expect::Pongs(ten.clone()),
        ),
        slowly(case(
            "2.11 ten pings, byte by byte",
            ten_pings,
            Expect::Pongs(ten),
        )),
    ]
}

/// 3 and 4: bits and opcodes that are reserved.
fn reserved() -> Vec<Case> {
    let text = || Frame::new(TEXT, "Hello");
    let mut cases = vec![
        case("3.1 reserved bits 1", [text().reserved(1)], PROTOCOL),
        case(
            "3.2 reserved bits 2, after a text",
            [text(), text().reserved(2)],
            PROTOCOL,
        ),
        slowly(case(
            "3.4 reserved bits 4, byte by byte",
            [text(), text().reserved(4)],
            PROTOCOL,
        )),
        case(
            "3.5 reserved bits 5 of bytes",
            [Frame::new(BINARY, [1]).reserved(5)],
            PROTOCOL,
        ),
        case(
            "3.6 reserved bits 6 of a ping",
            [Frame::new(PING, "x").reserved(6)],
            PROTOCOL,
        ),
        case(
            "3.7 reserved bits 7 of a close frame",
            [close(1_000, "").reserved(7)],
            PROTOCOL,
        ),
    ];
    let names = [
        (3, "4.1.1 opcode 3"),
        (4, "4.1.2 opcode 4"),
        (5, "4.1.3 opcode 5"),
        (6, "4.1.4 opcode 6"),
        (7, "4.1.5 opcode 7"),
        (11, "4.2.1 opcode 11"),
        (12, "4.2.2 opcode 12"),
        (13, "4.2.3 opcode 13"),
        (14, "4.2.4 opcode 14"),
        (15, "4.2.5 opcode 15"),
    ];
    cases.extend(
        names.map(|(opcode, name)| case(name, [text(), Frame::new(opcode, "x")], PROTOCOL)),
    );
    cases
}

/// 5: messages in parts.
fn fragments() -> Vec<Case> {
    let begin = || Frame::part(TEXT, "frag");
    let go_on = || Frame::part(CONTINUATION, "ment");
    let end = || Frame::new(CONTINUATION, "ed");
    let ping = || Frame::new(PING, "between");
    let one_pong = || Expect::Pongs(vec![b"between".to_vec()]);
    vec![
        case("5.3 a text in two parts", [begin(), end()], Expect::Stays),
        slowly(case(
            "5.5 a text in two parts, byte by byte",
            [begin(), end()],
            Expect::Stays,
        )),
        case(
            "5.6 a ping between two parts",
            [begin(), ping(), end()],
            one_pong(),
        ),
        slowly(case(
            "5.8 the same, byte by byte",
            [begin(), ping(), end()],
            one_pong(),
        )),
        case(
            "5.19 five parts with pings between",
            [begin(), go_on(), ping(), go_on(), go_on(), ping(), end()],
            Expect::Pongs(vec![b"between".to_vec(); 2]),
        ),
    ]
}

/// 5: parts that belong to nothing, or are in the middle of something else.
fn fragments_that_are_none() -> Vec<Case> {
    let begin = || Frame::part(TEXT, "frag");
    let go_on = || Frame::part(CONTINUATION, "ment");
    let end = || Frame::new(CONTINUATION, "ed");
    vec![
        case(
            "5.1 a ping in two parts",
            [Frame::part(PING, "a"), end()],
            PROTOCOL,
        ),
        case(
            "5.2 a pong in two parts",
            [Frame::part(PONG, "a"), end()],
            PROTOCOL,
        ),
        case("5.9 a part of nothing", [end(), begin(), end()], PROTOCOL),
        case(
            "5.12 a part of nothing that goes on",
            [go_on(), end()],
            PROTOCOL,
        ),
        case(
            "5.15 a part after the last one",
            [begin(), end(), go_on(), end()],
            PROTOCOL,
        ),
        case(
            "5.18 a text within a text",
            [begin(), Frame::new(TEXT, "x")],
            PROTOCOL,
        ),
        case(
            "5.4 bytes within a text",
            [begin(), Frame::new(BINARY, [1])],
            PROTOCOL,
        ),
    ]
}
