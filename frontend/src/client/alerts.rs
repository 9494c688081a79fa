//! The server's alerts, as far as a chart shows them: those on a price.

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_net::http::Request;
use js_sys::{Array, JSON, Object, Reflect};
use shared::{FiredAnswer, Firing};
use wasm_bindgen::{JsCast, JsValue};

use super::http::{get, send};

const ALERTS: &str = "api/alerts";
/// How long an answer may take. A server waits up to two seconds for its store.
const PATIENCE_MS: u32 = 10_000;
/// The kinds of alerts that are on a price.
const KINDS: [&str; 3] = ["above", "below", "crosses"];

/// An alert on a price, as the server told it. It is kept as the JSON that it
/// is, since it goes back as it came, but for its price.
#[derive(Clone)]
pub struct PriceAlert {
    json: JsValue,
    /// The symbol that it watches.
    pub symbol: String,
    /// `above`, `below` or `crosses`.
    pub kind: &'static str,
    /// The price, for the screen.
    pub level: f64,
}

fn field(json: &JsValue, name: &str) -> JsValue {
    // Fails only for what is no object, which has no field.
    Reflect::get(json, &name.into()).unwrap_or_default()
}

/// A number or a text, as it stands in an address.
fn text(json: &JsValue, name: &str) -> String {
    let value = field(json, name);
    let number = value.as_f64().map(|number| (number as u64).to_string());
    number.or_else(|| value.as_string()).unwrap_or_default()
}

impl PriceAlert {
    /// `None` for one that is off, or of another kind.
    fn of(json: JsValue) -> Option<Self> {
        field(&json, "enabled")
            .as_bool()
            .filter(|enabled| *enabled)?;
        let mut levels = KINDS.iter().map(|kind| (*kind, text(&json, kind)));
        let (kind, level) = levels.find(|(_, level)| !level.is_empty())?;
        Some(Self {
            symbol: text(&json, "symbol"),
            kind,
            level: js_sys::parse_float(&level),
            json,
        })
    }

    /// Whether both are the same alert, wherever they are.
    pub fn is(&self, other: &Self) -> bool {
        text(&self.json, "id") == text(&other.json, "id")
    }

    /// Moves it to another price.
    async fn move_to(&self, level: String) -> Result<(), String> {
        let moved = Object::assign(&Object::new(), &Object::from(self.json.clone()));
        let _ = Reflect::set(&moved, &self.kind.into(), &level.into());
        let body = JSON::stringify(&moved).map_err(|_| "no JSON")?;
        let url = [ALERTS, "/", &text(&self.json, "id")].concat();
        // Somebody else may have changed it since.
        let tag = ["\"", &text(&self.json, "version"), "\""].concat();
        let request = Request::put(&url).header("if-match", &tag);
        send(request, Some(body.into()), PATIENCE_MS).await?;
        Ok(())
    }
}

/// What the page wishes of the server's alerts.
pub enum Wish {
    /// To know them all.
    List,
    /// To know what fired.
    Fired,
    /// To have one at another price.
    Move(PriceAlert, String),
    /// To have one more: a symbol, and the price that it has to reach.
    Add(String, String),
}

/// What there is to tell whoever wished.
pub enum Answer {
    /// It is being looked up; a wish from now on is another one.
    Begun,
    /// All alerts on a price.
    All(Vec<PriceAlert>),
    /// What fired, the newest first.
    Fired(Vec<Firing>),
    /// Why it did not work.
    Fault(String),
    /// A question had no answer that nobody asked in person: it is to be asked
    /// again, a little later.
    Again(Wish),
}

/// Fulfils wishes, one after the other.
pub(crate) async fn serve(mut wishes: mpsc::UnboundedReceiver<Wish>, tell: impl Fn(Answer)) {
    while let Some(wish) = wishes.next().await {
        let done = match wish {
            Wish::List => {
                tell(Answer::Begun);
                Ok(())
            }
            Wish::Fired => {
                match fired().await {
                    Ok(fired) => tell(Answer::Fired(fired)),
                    Err(_) => tell(Answer::Again(Wish::Fired)),
                }
                continue;
            }
            Wish::Move(alert, level) => alert.move_to(level).await,
            Wish::Add(symbol, level) => add(&symbol, &level).await,
        };
        // Whoever changed one may change it again at once.
        tell(match done {
            Ok(()) => match all().await {
                Ok(all) => Answer::All(all),
                Err(_) => Answer::Again(Wish::List),
            },
            Err(fault) => Answer::Fault(fault),
        });
    }
}

/// Makes an alert that fires when the price reaches this.
async fn add(symbol: &str, level: &str) -> Result<(), String> {
    // Neither has anything in it that would have to be escaped: symbols are
    // letters, digits and a few marks.
    let body = [r#"{"symbol":""#, symbol, r#"","crosses":""#, level, r#""}"#].concat();
    send(Request::post(ALERTS), Some(body), PATIENCE_MS).await?;
    Ok(())
}

/// What fired, as far back as the server knows.
async fn fired() -> Result<Vec<Firing>, String> {
    let body = get("api/alerts/fired?limit=1000", PATIENCE_MS).await?;
    let answer = shared::from_json::<FiredAnswer>(&body);
    let answer = answer.map_err(|_| "the answer could not be read")?;
    Ok(answer.fired)
}

/// All alerts that are on and on a price.
async fn all() -> Result<Vec<PriceAlert>, String> {
    let body = get(ALERTS, PATIENCE_MS).await?;
    let body = String::from_utf8(body).unwrap_or_default();
    let answer = JSON::parse(&body).map_err(|_| "the answer could not be read")?;
    let alerts = field(&answer, "alerts");
    let alerts = alerts.dyn_ref::<Array>();
    let alerts = alerts.ok_or("the answer could not be read")?;
    Ok(alerts.iter().filter_map(PriceAlert::of).collect())
}
