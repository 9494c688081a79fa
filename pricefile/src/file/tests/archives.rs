//! Several files in one, and large ones.

use std::io::Write as _;

use super::*;

#[test]
fn archives_have_several_files_and_large_ones_are_streamed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file("b/XBTUSD_60.csv", options).unwrap();
    archive
        .write_all(b"1735689600,1,1,1,1,5,2\n1735693200,1,1,1,1,5,2\n")
        .unwrap();
    archive.start_file("a/ETHUSD_60.csv", options).unwrap();
    archive.write_all(b"1735689600,2,2,2,2,5,2\n").unwrap();
    archive.finish().unwrap();
    let files = opened_at(&path);
    assert_eq!(
        shown_rows(&files),
        [
            "1735689600 ETHUSD 2 2 2 2 5 2",
            "1735689600 XBTUSD 1 1 1 1 5 2",
            "1735693200 XBTUSD 1 1 1 1 5 2"
        ]
    );
    let (_folder, path) = written("S.csv", &[]);
    let mut large = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for minute in 0..SURVEYED_BYTES_MAX / 30 {
        let second = 1_600_000_000 + 60 * minute;
        writeln!(large, "{second},1.00,1.00,1.00,1.00,5.0,2").unwrap();
    }
    // It is found only when it is read.
    writeln!(large, "1600000000,1,1,1,1,5,2\n1900000000,1,1,1,1,5,2").unwrap();
    drop(large);
    let files = opened_at(&path);
    assert!(files[0].is_streamed);
    let error = files[0].rows().unwrap().find_map(Result::err).unwrap();
    assert!(
        error
            .to_string()
            .contains("it is older than the row before it"),
        "{error}"
    );
}

#[test]
fn an_archive_with_very_many_lines_is_refused_where_there_is_a_bound() {
    let text = "date,open,high,low,close\n2025-01-02,1,2,1,2\n".to_owned() + &"\n".repeat(500);
    let (_folder, path) = written("T.csv", text.as_bytes());
    let options = Options {
        lines_max: Some(400),
        ..Options::default()
    };
    let error = open(&path, &options, &mut |_, _| {})
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("T.csv: it has more than 400 lines"),
        "{error}"
    );
}

#[test]
fn what_else_is_in_an_archive_is_left_out_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("A.csv", "date,open,high,low,close\n2025-01-02,1,2,1,2\n"),
        ("LICENCE.txt", "You may read this.\nAnd this.\n"),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap();
    let opened = open(&path, &Options::default(), &mut |_, _| {}).unwrap();
    assert_eq!((opened.files.len(), opened.others.len()), (1, 1));
    let told = opened.others[0].to_string();
    assert!(told.starts_with("LICENCE.txt: "), "{told}");
}
