use std::io::Write as _;

use super::*;

fn lines(bytes: &[u8]) -> Result<Vec<String>, TextError> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("file.csv");
    std::fs::write(&path, bytes)?;
    let mut texts = Vec::new();
    for part in parts(&path)? {
        let mut lines = part.open()?;
        while let Some(line) = lines.next()? {
            texts.push(line.text);
        }
    }
    Ok(texts)
}

const TEXT: &str = "Último;x\r\n1;2\n\n3";

#[test]
fn texts_in_all_encodings_and_packings() {
    let expect = ["Último;x", "1;2", "", "3"];
    let check = |bytes: &[u8]| assert_eq!(lines(bytes).unwrap(), expect);
    check(TEXT.as_bytes());
    check(&[b"\xef\xbb\xbf", TEXT.as_bytes()].concat());
    let latin: Vec<u8> = TEXT.chars().map(|c| c as u8).collect();
    check(&latin);
    let little = TEXT.encode_utf16().flat_map(u16::to_le_bytes);
    check(&[0xff, 0xfe].into_iter().chain(little).collect::<Vec<_>>());
    let big = TEXT.encode_utf16().flat_map(u16::to_be_bytes);
    check(&[0xfe, 0xff].into_iter().chain(big).collect::<Vec<_>>());
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(TEXT.as_bytes()).unwrap();
    check(&gzip.finish().unwrap());
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    check(&ruzstd::encoding::compress_to_vec(TEXT.as_bytes(), level));
}

#[test]
fn what_is_no_text_is_refused() {
    let check = |bytes: &[u8], part: &str| {
        let error = lines(bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    };
    check(b"PAR1\x15\x04", "duckdb -c");
    check(b"\x7fELF\0\0\0", "it is no text");
    check(b"PK\x03\x04 and nothing", "its archive cannot be read");
    check(b"\x1f\x8b and nothing", "");
    check(&vec![b'x'; 70_000], "line 1 is longer than 65536 bytes");
}

#[test]
fn offsets_lead_back_to_lines() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.csv");
    std::fs::write(&path, TEXT).unwrap();
    let mut lines = parts(&path).unwrap()[0].open().unwrap();
    while let Some(line) = lines.next().unwrap() {
        let rest = &TEXT.as_bytes()[line.offset as usize..];
        assert!(rest.starts_with(line.text.as_bytes()), "{line:?}");
    }
}
