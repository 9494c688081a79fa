//! Where the rows of a file are, in order of time.

/// So many rows are in a piece: 16 MB.
const PIECE_ROWS: usize = 1 << 20;

/// The time (in µs since the epoch) and the offset of each line with rows: 16 bytes
/// for each. It grows by pieces, so that it is never copied while it grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Index {
    pieces: Vec<Vec<(i64, u64)>>,
    /// Whether the last is the first.
    is_reversed: bool,
}

impl Index {
    /// Adds the next line of the file.
    pub(super) fn push(&mut self, time: i64, offset: u64) {
        if self
            .pieces
            .last()
            .is_none_or(|last| last.len() == PIECE_ROWS)
        {
            self.pieces.push(Vec::new());
        }
        if let Some(last) = self.pieces.last_mut() {
            last.push((time, offset));
        }
    }

    /// How many lines there are.
    fn len(&self) -> usize {
        let last = self.pieces.last().map_or(0, Vec::len);
        PIECE_ROWS * self.pieces.len().saturating_sub(1) + last
    }

    /// The offset of the line with this number in order of time.
    pub(super) fn get(&self, number: usize) -> Option<u64> {
        let at = match self.is_reversed {
            true => self.len().checked_sub(number + 1)?,
            false => number,
        };
        // After sorting there is one piece of all.
        match &self.pieces[..] {
            [all] => Some(all.get(at)?.1),
            pieces => Some(pieces.get(at / PIECE_ROWS)?.get(at % PIECE_ROWS)?.1),
        }
    }

    /// Puts it in order of time. Lines of one time keep the order that they have in
    /// the file, or, newest first, the other way round.
    pub(super) fn sort(&mut self) {
        let all = self.pieces.iter().flatten();
        if all.is_sorted_by(|a, b| a.0 >= b.0) {
            self.is_reversed = true;
            return;
        }
        // What is reserved takes no memory until it is written, and each piece is
        // given back when it was copied.
        let mut all = Vec::new();
        all.reserve_exact(self.len());
        for piece in std::mem::take(&mut self.pieces) {
            all.extend(piece);
        }
        all.sort_unstable();
        self.pieces.push(all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offsets(index: &Index) -> Vec<u64> {
        (0..).map_while(|number| index.get(number)).collect()
    }

    proptest! {
        #[test]
        fn lines_are_in_order_of_time(times in proptest::collection::vec(0i64..20, 0..40)) {
            let mut index = Index::default();
            let mut expected: Vec<_> = times.iter().copied().zip(0u64..).collect();
            expected.iter().for_each(|(time, offset)| index.push(*time, *offset));
            index.sort();
            match times.is_sorted_by(|a, b| a >= b) {
                true => expected.reverse(),
                false => expected.sort_by_key(|(time, _)| *time),
            }
            let expected: Vec<_> = expected.into_iter().map(|(_, offset)| offset).collect();
            prop_assert_eq!(offsets(&index), expected);
        }
    }

    #[test]
    fn several_pieces_are_one_index() {
        let count = 2 * PIECE_ROWS as u64 + 3;
        let (mut falling, mut mixed) = (Index::default(), Index::default());
        for offset in 0..count {
            falling.push(-(offset as i64), offset);
            mixed.push(offset as i64 ^ 1, offset);
        }
        falling.sort();
        mixed.sort();
        assert_eq!(offsets(&falling), (0..count).rev().collect::<Vec<_>>());
        let found = offsets(&mixed);
        assert_eq!((found.len() as u64, found[0], found[1]), (count, 1, 0));
    }
}
