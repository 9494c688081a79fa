//! What is in the cells of a row.

use shared::Decimal;

use crate::columns::Role;
use crate::number::{DecimalMark, NumberError, number};
use crate::shape::Side;
use crate::table::Kind;

/// The roles whose cells are prices.
pub(crate) const PRICES: [Role; 7] = [
    Role::Open,
    Role::High,
    Role::Low,
    Role::Close,
    Role::Price,
    Role::Bid,
    Role::Ask,
];

/// What is in a row, whether its volume was rounded, and how it was mended.
pub(crate) type Content = (Kind, bool, Option<String>);

impl Side {
    pub(crate) fn symbol_of(&self, cells: &[String]) -> Option<String> {
        let cell = self.columns.find(Role::Symbol).and_then(|at| cells.get(at));
        let own = cell.filter(|cell| !cell.is_empty()).cloned();
        own.or_else(|| self.symbol.clone())
    }

    /// What is in a row; the inner error is the reason why it is left out.
    pub(crate) fn read(
        &self,
        cells: &[String],
        mark: DecimalMark,
        is_databento: bool,
    ) -> Result<Result<Content, &'static str>, NumberError> {
        let mut is_rounded = false;
        let mut value = |role| -> Result<Option<Decimal>, NumberError> {
            let cell = self.columns.find(role).and_then(|at| cells.get(at));
            let found = cell.map(|cell| number(cell, mark)).transpose()?.flatten();
            is_rounded |= found.is_some_and(|number| number.is_rounded);
            let value = found.map(|number| number.value);
            match is_databento && PRICES.contains(&role) {
                true => of_databento(value, cell),
                false => Ok(value),
            }
        };
        if self.has_bars() {
            let (open, close) = (value(Role::Open)?, value(Role::Close)?);
            let (high, low) = (value(Role::High)?, value(Role::Low)?);
            let (volume, trades) = (value(Role::Volume)?, value(Role::Trades)?);
            let prices = match (open, high, low, close) {
                (Some(open), Some(high), Some(low), Some(close)) => [open, high, low, close],
                _ => return Ok(Err("it has no prices")),
            };
            if volume.is_some_and(|volume| volume < Decimal::ZERO) {
                return Ok(Err("its volume is below zero"));
            }
            let ([open, high, low, close], mended) = match mended(prices) {
                Ok(mended) => mended,
                Err(reason) => return Ok(Err(reason)),
            };
            let kind = Kind::Bar {
                open,
                high,
                low,
                close,
                volume,
                trades: trades.and_then(|count| count.to_string().parse().ok()),
            };
            return Ok(Ok((kind, is_rounded, mended)));
        }
        if self.columns.find(Role::Price).is_some() {
            let Some(price) = value(Role::Price)? else {
                return Ok(Err("it has no price"));
            };
            let size = value(Role::Size)?;
            if size.is_some_and(|size| size < Decimal::ZERO) {
                return Ok(Err("its quantity is below zero"));
            }
            return Ok(Ok((Kind::Trade { price, size }, is_rounded, None)));
        }
        let (bid, ask) = (value(Role::Bid)?, value(Role::Ask)?);
        if bid.is_none() && ask.is_none() {
            return Ok(Err("it has neither a bid nor an ask"));
        }
        Ok(Ok((Kind::Quote { bid, ask }, is_rounded, None)))
    }
}

/// A price of Databento. Without a point, it is in units of 1e-9
/// (https://databento.com/docs/standards-and-conventions/common-fields-enums-types).
fn of_databento(
    value: Option<Decimal>,
    cell: Option<&String>,
) -> Result<Option<Decimal>, NumberError> {
    match (value, cell) {
        (Some(value), Some(cell)) if !cell.contains('.') => {
            let scaled = Decimal::from_digits(value.digits(), 9);
            let scaled = scaled.ok_or_else(|| NumberError::TooLong(cell.clone()))?;
            Ok(Some(scaled))
        }
        _ => Ok(value),
    }
}

/// The open, high, low and close of a bar, and what was mended of them. Where the
/// open or the close is beyond the high or the low by no more than one unit of
/// the row's last decimal, as where a source has rounded them, the high or the
/// low is moved there. A bar that contradicts itself by more is left out.
fn mended(
    [open, high, low, close]: [Decimal; 4],
) -> Result<([Decimal; 4], Option<String>), &'static str> {
    let (most, least) = (open.max(close), open.min(close));
    if high < low {
        return Err("its high is below its low");
    }
    if high >= most && low <= least {
        return Ok(([open, high, low, close], None));
    }
    let scales = [open, high, low, close].map(|price| price.scale());
    let unit = Decimal::new(1, scales.into_iter().max().unwrap_or(0));
    let is_rounding = |by: Option<Decimal>| by.is_some_and(|by| by <= unit);
    let (above, below) = (most.checked_sub(high), low.checked_sub(least));
    if !is_rounding(above) || !is_rounding(below) {
        return Err("its open or its close is not between its low and its high");
    }
    let moved = [
        (high < most).then(|| format!("its high {high} was moved to {most}")),
        (low > least).then(|| format!("its low {low} was moved to {least}")),
    ];
    let text = moved
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", and ");
    Ok(([open, high.max(most), low.min(least), close], Some(text)))
}
