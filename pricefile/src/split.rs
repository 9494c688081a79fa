//! Splits lines into cells.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

/// Splits lines at a separator that is not within quotes.
pub(crate) struct Splitter {
    reader: Reader,
    out: Vec<u8>,
}

impl Splitter {
    pub(crate) fn new(separator: char) -> Self {
        let mut builder = ReaderBuilder::new();
        // Separators are ASCII.
        builder.delimiter(separator as u8);
        Self {
            reader: builder.build(),
            out: vec![0; 64],
        }
    }

    /// The cells of a line, without quotes, and without blanks around them.
    pub(crate) fn cells(&mut self, line: &str) -> Vec<String> {
        self.reader.reset();
        let mut cells = Vec::new();
        let (mut input, mut written) = (line.as_bytes(), 0);
        loop {
            let (result, read, wrote) = self.reader.read_field(input, &mut self.out[written..]);
            input = &input[read..];
            written += wrote;
            match result {
                // An empty input says that there is no more.
                ReadFieldResult::InputEmpty => {}
                ReadFieldResult::OutputFull => {
                    let length = self.out.len();
                    self.out.resize(2 * length, 0);
                }
                ReadFieldResult::Field { record_end } => {
                    // Cells of a text end between its characters.
                    let cell = String::from_utf8_lossy(&self.out[..written]);
                    cells.push(cell.trim().to_owned());
                    written = 0;
                    if record_end {
                        return cells;
                    }
                }
                ReadFieldResult::End => return cells,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_hold_separators() {
        let mut splitter = Splitter::new(',');
        assert_eq!(
            splitter.cells("a, b ,\"1,234.5\",,\"x\"\"y\""),
            ["a", "b", "1,234.5", "", "x\"y"]
        );
        assert_eq!(splitter.cells("\"never closed, 1"), ["never closed, 1"]);
        assert_eq!(splitter.cells(""), Vec::<String>::new());
        assert_eq!(splitter.cells(","), ["", ""]);
        assert_eq!(Splitter::new('\t').cells("1,2\t3"), ["1,2", "3"]);
        let long = "9".repeat(1_000);
        assert_eq!(splitter.cells(&format!("{long},1")), [long.as_str(), "1"]);
    }

    proptest! {
        #[test]
        fn cells_without_quotes_are_what_is_between(cells in proptest::collection::vec("[a-z0-9.]{0,70}", 2..8)) {
            let mut splitter = Splitter::new(';');
            prop_assert_eq!(splitter.cells(&cells.join(";")), cells);
        }

        #[test]
        fn nothing_panics(line in ".{0,100}|[\",a\n\r]{0,20}") {
            Splitter::new(',').cells(&line);
        }
    }
}
