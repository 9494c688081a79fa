//! How the height of a chart is divided into panes.

/// What a pane shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaneKind {
    /// Prices, and what is drawn over them.
    Price,
    /// Quantities traded.
    Volume,
    /// A relative strength index.
    Rsi,
    /// A convergence/divergence of averages.
    Macd,
}

/// A part of the height, in the same pixels as the height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pane {
    /// What it shows.
    pub kind: PaneKind,
    /// Its upper edge.
    pub top: f64,
    /// Its lower edge.
    pub bottom: f64,
}

/// The share of the height of each pane below the prices.
const SHARE: f64 = 0.16;
/// Panes below the prices are left out if the prices would get less than this
/// share of the height.
const PRICE_SHARE_MIN: f64 = 0.5;

/// The panes: prices on top, the others below in this order. Each of the others
/// is at least `least` high; those without enough room are left out.
pub fn panes(height: f64, below: &[PaneKind], least: f64) -> Vec<Pane> {
    let each = (height * SHARE).max(least).floor();
    let room = (height * (1.0 - PRICE_SHARE_MIN) / each).max(0.0) as usize;
    let below = &below[..below.len().min(room)];
    let mut top = height - each * below.len() as f64;
    let mut all = vec![Pane {
        kind: PaneKind::Price,
        top: 0.0,
        bottom: top,
    }];
    for kind in below {
        all.push(Pane {
            kind: *kind,
            top,
            bottom: top + each,
        });
        top += each;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_keep_their_room() {
        use PaneKind::{Macd, Price, Rsi, Volume};
        let kinds = |height| -> Vec<_> {
            let panes = panes(height, &[Volume, Rsi, Macd], 50.0);
            assert!(panes.windows(2).all(|p| p[0].bottom == p[1].top));
            assert_eq!(panes[panes.len() - 1].bottom, height);
            panes.iter().map(|pane| pane.kind).collect()
        };
        assert_eq!(kinds(500.0), [Price, Volume, Rsi, Macd]);
        assert_eq!(kinds(200.0), [Price, Volume, Rsi]);
        assert_eq!(kinds(100.0), [Price, Volume]);
        assert_eq!(kinds(60.0), [Price]);
    }
}
