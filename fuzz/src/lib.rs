//! What the fuzz targets share.

#[cfg(feature = "server")]
pub mod server;

use shared::Instrument;
use shared::binary::Instruments;

/// A client that knows a few instruments, as after a snapshot.
pub fn instruments() -> Instruments {
    let mut known = Instruments::default();
    let instruments = [(2, 4), (0, 0), (8, 2)].map(|(decimals, qty_decimals)| Instrument {
        symbol: format!("S-{decimals}"),
        decimals,
        qty_decimals,
        ..Instrument::default()
    });
    known.learn_all(&instruments);
    known
}
