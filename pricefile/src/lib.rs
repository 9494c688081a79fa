//! Reads the files of prices that people have: bars, trades and quotes of many
//! sources, told apart by their shape.
//!
//! Nothing is guessed: a number is read exactly as it was written, or refused; a
//! date that can be read in two ways is read as the rest of its column demands,
//! or refused with the setting that settles it.

mod cells;
mod columns;
mod date;
mod file;
mod names;
mod number;
mod shape;
mod split;
mod table;
mod text;

pub use self::columns::{Columns, Role};
pub use self::date::{DateError, DateForm, DateOrder, Moment};
pub use self::file::{FileError, Found, PriceFile, Rows, Survey, Tally, Told, open};
pub use self::number::{DecimalMark, Number, NumberError, number};
pub use self::shape::{Shape, ShapeError, Side};
pub use self::table::{Kind, Options, Row, RowError};
pub use self::text::{Line, TextError};
