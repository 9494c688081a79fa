//! The replay: where it is, what is wanted of it, and files that are brought.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use futures_util::StreamExt as _;
use serde::Deserialize;
use shared::{Replay, ReplayAnswer, ReplayDraft, Step};
use tokio::fs::File;
use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use utoipa::IntoParams;

use crate::app::App;
use crate::config::{parse_dates, parse_decimals, parse_zone};
use crate::feed::{FeedError, Order};
use crate::http::fault::{BadReplay, BadUpload, Busy, Fault, NoReplay, NoUploads, TooLong};
use crate::http::query::Query;
use crate::metrics::Refusal;
use crate::uploads::Uploads;

/// The route of files that are brought.
pub(super) const FILES: &str = "/api/replay/files/{name}";
/// The longest name of such a file, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// What a user says of a file, where nothing tells.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FileParameters {
    /// Whether days come before months: `dmy` or `mdy`.
    #[param(value_type = Option<String>, pattern = "^(dmy|mdy)$", example = "dmy")]
    dates: Option<String>,
    /// What separates decimals: `comma` or `point`.
    #[param(value_type = Option<String>, pattern = "^(comma|point)$", example = "point")]
    decimals: Option<String>,
    /// The time zone of its times.
    #[param(value_type = Option<String>, example = "Europe/Berlin")]
    tz: Option<String>,
}

impl FileParameters {
    fn options(&self) -> Result<pricefile::Options, Fault> {
        Ok(pricefile::Options {
            dates: parsed("dates", self.dates.as_deref(), parse_dates)?,
            zone: parsed("tz", self.tz.as_deref(), parse_zone)?,
            mark: parsed("decimals", self.decimals.as_deref(), parse_decimals)?,
            ..pricefile::Options::default()
        })
    }
}

/// A parameter, read as the setting of the same name is.
fn parsed<T>(
    name: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Result<Option<T>, Fault> {
    let read = |text| {
        parse(text).map_err(|allowed| {
            Fault::BadParameter(format!("{name} '{text}' is not allowed; {allowed}"))
        })
    };
    text.map(read).transpose()
}

/// What is replayed, and where it is
#[utoipa::path(get, path = "/api/replay", tag = "Replay",
    responses((status = 200, description = "The replay, if prices are replayed, and whether files may be brought",
        body = ReplayAnswer,
        example = json!({"replay": {"state": "live", "status": {"from": 946_857_600_000_000_i64, "to": 1_587_081_600_000_000_i64,
            "at": 1_221_436_800_000_000_i64, "speed": "2", "repeats": false, "bars": "1d"}, "files": [{"name": "SPX.csv",
            "taken_for": "yahoo, daily, SPX, yyyy-mm-dd, UTC", "left_out": 0, "mended": 0, "told": []}]}}))))]
pub(super) async fn get(State(app): State<App>) -> Json<ReplayAnswer> {
    Json(answer(
        &app,
        app.replay.as_ref().map(|replay| replay.standing()),
    ))
}

/// Moves the replay
///
/// For everybody who watches. `at` is done first, then `step`, `speed` and
/// `playing`. After a jump, every reader gets a `snapshot` with the reason
/// `jumped`. The answer says how it stands then; where it is arrives with the
/// snapshot.
#[utoipa::path(patch, path = "/api/replay", tag = "Replay",
    request_body(content = ReplayDraft, example = json!({"at": 1_221_436_800_000_000_i64, "playing": true})),
    responses((status = 200, description = "How it stands now", body = ReplayAnswer,
        example = json!({"replay": {"state": "live", "status": {"from": 946_857_600_000_000_i64,
            "at": 1_221_436_800_000_000_i64, "speed": "2", "repeats": false}, "files": []}})),
        BadReplay, NoReplay, TooLong))]
pub(super) async fn change(
    State(app): State<App>,
    body: Bytes,
) -> Result<Json<ReplayAnswer>, Fault> {
    let orders = orders(&body)?;
    let replay = app.replay.as_ref().ok_or_else(|| {
        let message = "prices are not replayed here; --feed replay:PATH replays files";
        Fault::NotFound(message.to_owned())
    })?;
    let standing = replay.order(orders).await;
    let standing = standing.map_err(|_| Fault::Unavailable("the server is stopping"))?;
    Ok(Json(answer(&app, Some(standing))))
}

/// Brings a file of prices
///
/// It is replayed from now on, in place of what there was: all readers get a
/// snapshot, as after a start of the server. What files may be is in the README.
#[utoipa::path(put, path = "/api/replay/files/{name}", tag = "Replay",
    params(("name" = String, Path, description = "Its name, in which its symbol may be", example = "SPX.csv"),
        FileParameters),
    request_body(content = String, content_type = "application/octet-stream",
        description = "The file", example = "time,open,high,low,close\n2020-01-02,1,2,0.5,1.5\n"),
    responses((status = 200, description = "What it was taken for", body = ReplayAnswer,
        example = json!({"replay": {"state": "live", "status": {"from": 1_577_923_200_000_000_i64,
            "speed": "1", "repeats": false}, "files": []}, "upload_bytes": 100_000_000})),
        BadUpload, NoUploads, TooLong, Busy))]
pub(super) async fn bring(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(parameters): Query<FileParameters>,
    body: Body,
) -> Result<Json<ReplayAnswer>, Fault> {
    let uploads = app.uploads.as_ref().ok_or_else(|| {
        Fault::Forbidden("this server takes no files; --allow-upload lets it".to_owned())
    })?;
    let options = parameters.options()?;
    let place = uploads.place().ok_or_else(|| {
        Fault::TooMany("another file is being brought; try again when it is there".to_owned())
    })?;
    let folder = tempfile::tempdir().map_err(no_room)?;
    let path = folder.path().join(checked(&name)?);
    receive(&app, uploads, body, &path).await?;
    let opened = uploads.open(folder, &path, options, place).await;
    let opened = opened.map_err(|error| match error {
        FeedError::Replay(error) => Fault::BadParameter(error.to_string()),
        error => {
            tracing::error!(%error, "a file could not be opened");
            Fault::Internal
        }
    })?;
    let standing = opened.1.remote().map(|replay| replay.standing());
    uploads.go_on_with(opened);
    Ok(Json(answer(&app, standing)))
}

/// Writes a body into a file.
async fn receive(
    app: &App,
    uploads: &Uploads,
    body: Body,
    path: &std::path::Path,
) -> Result<(), Fault> {
    let (bytes_max, limit) = (uploads.bytes_max(), app.bounds.limits().body);
    let mut file = File::create_new(path).await.map_err(no_room)?;
    let (mut pieces, mut bytes) = (body.into_data_stream(), 0);
    loop {
        let piece = timeout(limit, pieces.next()).await.map_err(|_| {
            app.bounds.refused(Refusal::Body);
            let seconds = limit.as_secs();
            Fault::TooSlow(format!("nothing of the file came within {seconds} s"))
        })?;
        let Some(piece) = piece else {
            break;
        };
        let piece = piece
            .map_err(|_| Fault::BadParameter("the file did not come to its end".to_owned()))?;
        bytes += piece.len() as u64;
        if bytes > bytes_max {
            return Err(Fault::TooLarge(bytes_max));
        }
        file.write_all(&piece).await.map_err(no_room)?;
    }
    file.flush().await.map_err(no_room)
}

fn no_room(error: std::io::Error) -> Fault {
    tracing::warn!(%error, "a file that was brought could not be written");
    Fault::Unavailable("the server has no room for a file now")
}

/// The name of a file, without anything that would lead elsewhere.
fn checked(name: &str) -> Result<&str, Fault> {
    let is_plain = !name.is_empty()
        && name.len() <= NAME_BYTES_MAX
        && !name.starts_with('.')
        && !name.contains(|c: char| c.is_control() || "/\\:".contains(c));
    match is_plain {
        true => Ok(name),
        false => Err(Fault::BadParameter(format!(
            "the name of the file is not allowed; at most {NAME_BYTES_MAX} bytes, without / \\ : and not \
             beginning with a point"
        ))),
    }
}

fn answer(app: &App, replay: Option<Replay>) -> ReplayAnswer {
    ReplayAnswer {
        replay,
        upload_bytes: app.uploads.as_ref().map(Uploads::bytes_max),
    }
}

/// What a body asks for.
fn orders(body: &[u8]) -> Result<Vec<Order>, Fault> {
    let draft: ReplayDraft = serde_json::from_slice(body).map_err(|error| {
        Fault::BadParameter(format!(
            "the body has to be JSON with some of at, step, speed and playing: {error}"
        ))
    })?;
    let mut orders = Vec::new();
    orders.extend(draft.at.map(Order::To));
    orders.extend(draft.step.map(|step| match step {
        Step::Ahead => Order::Step,
        Step::Back => Order::StepBack,
    }));
    if let Some(text) = &draft.speed {
        let speed = text.parse().map_err(|error| {
            Fault::BadParameter(format!("speed '{text}' is not allowed; {error}"))
        })?;
        orders.push(Order::Speed(speed));
    }
    orders.extend(draft.playing.map(|playing| match playing {
        true => Order::Play,
        false => Order::Pause,
    }));
    Ok(orders)
}
