//! The symbols that the server has.

use shared::{SymbolsAnswer, routes};

use super::http::get;

/// How long the answer may take.
const PATIENCE_MS: u32 = 10_000;

/// All symbols, in the server's order.
///
/// # Errors
///
/// The server did not answer, or its answer cannot be read; the error says why.
pub(crate) async fn symbols() -> Result<Vec<String>, String> {
    let body = get(routes::SYMBOLS, PATIENCE_MS).await?;
    let answer: SymbolsAnswer = serde_json::from_slice(&body)
        .map_err(|error| format!("the answer could not be read: {error}"))?;
    Ok(answer.symbols.into_iter().map(|i| i.symbol).collect())
}
