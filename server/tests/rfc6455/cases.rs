//! The cases.

use super::frames::{BINARY, CLOSE, CONTINUATION, Frame, PING, PONG, TEXT, close};

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
const NOT_TEXT: Expect = Expect::Closes(Some(1_007));
/// Bytes that begin as text, and are none: a lone surrogate.
const BROKEN: &[u8] = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited";

/// All of them.
pub(crate) fn all() -> Vec<Case> {
    [
        messages(),
        pings(),
        reserved(),
        fragments(),
        texts(),
        closes(),
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
            "5.19 five parts with pings between",
            [begin(), go_on(), ping(), go_on(), go_on(), ping(), end()],
            Expect::Pongs(vec![b"between".to_vec(); 2]),
        ),
        case(
            "5.4 bytes within a text",
            [begin(), Frame::new(BINARY, [1])],
            PROTOCOL,
        ),
    ]
}

/// 6: texts that are UTF-8, and those that are not.
fn texts() -> Vec<Case> {
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
        case("6.3.1 a surrogate", [text(BROKEN)], NOT_TEXT),
        case(
            "6.3.2 a surrogate in another part",
            [
                Frame::part(TEXT, &BROKEN[..12]),
                Frame::new(CONTINUATION, &BROKEN[12..]),
            ],
            NOT_TEXT,
        ),
        case("6.6.1 half a character", [text(b"\xce")], NOT_TEXT),
        case(
            "6.6.3 a character without its end",
            [text(b"\xce\xba\xe1")],
            NOT_TEXT,
        ),
        case("6.12.1 a lone second byte", [text(b"\x80")], NOT_TEXT),
        case(
            "6.14.1 a lone first byte before a space",
            [text(b"\xc3 ")],
            NOT_TEXT,
        ),
        case(
            "6.18.1 a slash that is too long",
            [text(b"\xc0\xaf")],
            NOT_TEXT,
        ),
        case(
            "6.19.1 the highest character in too many bytes",
            [text(b"\xf0\x8f\xbf\xbf")],
            NOT_TEXT,
        ),
        case(
            "6.13.5 a byte that is never in a text",
            [text(b"\xff")],
            NOT_TEXT,
        ),
        case(
            "6.9.4 beyond the last character",
            [text(b"\xf4\x90\x80\x80")],
            NOT_TEXT,
        ),
    ]
}

/// 7: how a connection is closed.
fn closes() -> Vec<Case> {
    let longest = "*".repeat(123);
    let echoed = [
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
    let refused = [
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
    let mut cases = vec![
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
    ];
    cases.extend(
        echoed.map(|(code, name)| case(name, [close(code, "")], Expect::Closes(Some(code)))),
    );
    cases.extend(refused.map(|(code, name)| case(name, [close(code, "")], PROTOCOL)));
    cases
}

/// Lengths in more bytes than they need, which the library takes although no
/// client may send them (RFC 6455, section 5.2); and frames without a mask.
fn lengths_and_masks() -> Vec<Case> {
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
