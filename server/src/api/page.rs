//! The page's files. tower-http serves them, with conditional requests, ranges and
//! precompressed variants of each file.

use std::future::{Ready, ready};
use std::io::{Cursor, Error, ErrorKind, Result, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use rust_embed::EmbeddedFile;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::ServeDir;
use tower_http::services::fs::{Backend, File, Metadata};

use crate::access::{self, Right};
use crate::app::App;
use crate::http::fault::Fault;

/// The page's files, found by name: each with its brotli and gzip variants. They
/// are embedded in the program, not in this library, which is then compiled
/// beside the page, and not again with each change of it.
#[derive(Clone, Copy, Debug)]
pub struct Page(pub fn(&str) -> Option<EmbeddedFile>);

/// Shown if only the server was built, without the page.
const NO_PAGE: &str = include_str!("no_page.html");
const INDEX: &str = "index.html";

impl Page {
    /// Whether there is a page.
    pub fn is_there(self) -> bool {
        (self.0)(INDEX).is_some()
    }
}

/// The page as a file system.
#[derive(Clone, Copy)]
struct Files(Page);

impl Files {
    fn find(self, path: &Path) -> Result<EmbeddedFile> {
        let Self(Page(get)) = self;
        get(&name(path)).ok_or_else(|| Error::from(ErrorKind::NotFound))
    }
}

pub(super) async fn asset(State(app): State<App>, request: Request) -> Response {
    let page = app.page;
    let (method, uri) = (request.method().clone(), request.uri().clone());
    if method != Method::GET && method != Method::HEAD {
        return crate::http::fault::method_not_allowed(method, uri)
            .await
            .into_response();
    }
    let name = uri.path().trim_start_matches('/');
    if name.is_empty() && !page.is_there() {
        let kind = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
        return (StatusCode::SERVICE_UNAVAILABLE, kind, NO_PAGE).into_response();
    }
    let decoded = percent_decode_str(name).decode_utf8_lossy();
    let nothing = || Fault::NotFound(format!("nothing is at {}", uri.path())).into_response();
    if !is_public(&decoded) {
        return nothing();
    }
    // The files are nobody's secret, but a page without prices is of no use.
    let is_document = name.is_empty() || decoded.ends_with(".html");
    match app.access.right(request.headers()) {
        Ok(Right::Read | Right::Change) => {}
        _ if !is_document => {}
        _ => return access::sign_in_page(),
    }
    let mut files = ServeDir::with_backend("", Files(page))
        .precompressed_br()
        .precompressed_gzip()
        .redirect_to_trailing_slash(false);
    let mut response = match files.try_call(request).await {
        Ok(response) if response.status() != StatusCode::NOT_FOUND => response.map(Body::new),
        Ok(_) | Err(_) => return nothing(),
    };
    let headers = response.headers_mut();
    if let Some(kind) = headers.get(header::CONTENT_TYPE)
        && let Ok(text) = kind.to_str()
        && text.starts_with("text/")
        && let Ok(kind) = HeaderValue::from_str(&format!("{text}; charset=utf-8"))
    {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    // May be cached, but must be revalidated each time: file names do not
    // change with their content.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let vary = HeaderValue::from_static("accept-encoding");
    headers.insert(header::VARY, vary);
    response
}

/// Not the compressed variants, and not the file that keeps the folder in git.
fn is_public(name: &str) -> bool {
    ![".br", ".gz"].iter().any(|ending| name.ends_with(ending)) && !name.starts_with('.')
}

/// An open file of the page.
struct Opened {
    content: Cursor<std::borrow::Cow<'static, [u8]>>,
    about: About,
}

/// The metadata of a file, or of the folder.
#[derive(Clone, Copy)]
struct About {
    is_folder: bool,
    bytes: u64,
    /// The modification time; the fraction of a second comes from the digest,
    /// so that two files of the same second and length have different tags.
    modified: SystemTime,
}

impl About {
    const FOLDER: Self = Self {
        is_folder: true,
        bytes: 0,
        modified: UNIX_EPOCH,
    };

    fn of(file: &EmbeddedFile) -> Self {
        let [a, b, c, d, ..] = file.metadata.sha256_hash();
        let second = Duration::from_secs(file.metadata.last_modified().unwrap_or(0));
        let part = u32::from_be_bytes([a, b, c, d]) % 1_000_000_000;
        Self {
            is_folder: false,
            bytes: file.data.len() as u64,
            modified: UNIX_EPOCH + second + Duration::from_nanos(part.into()),
        }
    }
}

/// The name of a file in the page; empty for the folder itself.
fn name(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(part) => part.to_str(),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

impl Backend for Files {
    type File = Opened;
    type Metadata = About;
    type OpenFuture = Ready<Result<Opened>>;
    type MetadataFuture = Ready<Result<About>>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        ready(self.find(&path).map(|file| Opened {
            about: About::of(&file),
            content: Cursor::new(file.data),
        }))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        ready(match name(&path).as_str() {
            "" => Ok(About::FOLDER),
            _ => self.find(&path).map(|file| About::of(&file)),
        })
    }
}

impl Metadata for About {
    fn is_dir(&self) -> bool {
        self.is_folder
    }

    fn modified(&self) -> Result<SystemTime> {
        Ok(self.modified)
    }

    fn len(&self) -> u64 {
        self.bytes
    }
}

impl File for Opened {
    type Metadata = About;
    type MetadataFuture<'a> = Ready<Result<About>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        ready(Ok(self.about))
    }
}

impl AsyncRead for Opened {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        Pin::new(&mut self.content).poll_read(context, buffer)
    }
}

impl AsyncSeek for Opened {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> Result<()> {
        Pin::new(&mut self.content).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<u64>> {
        Pin::new(&mut self.content).poll_complete(context)
    }
}
