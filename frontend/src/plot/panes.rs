//! How the height of a chart is divided into panes.

/// A part of the height, in the same pixels as the height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
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

/// The panes: prices on top, and `below` others below them. Each of the others
/// is at least `least` high; those without enough room are left out.
pub fn panes(height: f64, below: usize, least: f64) -> Vec<Band> {
    let each = (height * SHARE).max(least).floor();
    let room = (height * (1.0 - PRICE_SHARE_MIN) / each).max(0.0) as usize;
    let below = below.min(room);
    let mut top = height - each * below as f64;
    let mut all = vec![Band {
        top: 0.0,
        bottom: top,
    }];
    for _ in 0..below {
        all.push(Band {
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
        let count = |height| {
            let panes = panes(height, 3, 50.0);
            assert!(panes.windows(2).all(|p| p[0].bottom == p[1].top));
            assert_eq!(panes[panes.len() - 1].bottom, height);
            panes.len()
        };
        assert_eq!(count(500.0), 4);
        assert_eq!(count(200.0), 3);
        assert_eq!(count(100.0), 2);
        assert_eq!(count(60.0), 1);
    }
}
