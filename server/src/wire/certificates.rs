//! The certificates of the server, read again when their files change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The certificates and the key that belongs to them. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Certificates(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    chain: PathBuf,
    key: PathBuf,
    current: RwLock<Loaded>,
}

#[derive(Clone, Debug)]
struct Loaded {
    config: Arc<ServerConfig>,
    /// When the files were last changed.
    changed: [Option<SystemTime>; 2],
}

/// The files cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificatesError {
    /// A file cannot be read, or nothing in it is a certificate or a key.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// There is no certificate in the file.
    #[error("{}: no certificate is in it; a PEM file with the server's certificate first is expected", .0.display())]
    Empty(PathBuf),
    /// They do not belong together, or are of a kind that is not known.
    #[error("{} and {}: {source}", chain.display(), key.display())]
    Pair {
        /// The file with the certificates.
        chain: PathBuf,
        /// The file with the key.
        key: PathBuf,
        /// What is wrong with them.
        source: rustls::Error,
    },
}

impl Certificates {
    /// Reads PEM files: the server's certificate with those that it was signed
    /// with, and its private key.
    ///
    /// # Errors
    ///
    /// They cannot be read, or do not belong together.
    pub(crate) fn open(chain: &Path, key: &Path) -> Result<Self, CertificatesError> {
        let current = RwLock::new(load(chain, key)?);
        let (chain, key) = (chain.to_owned(), key.to_owned());
        Ok(Self(Arc::new(Inner {
            chain,
            key,
            current,
        })))
    }

    /// What a new connection uses.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner).config)
    }

    /// Reads the files again when they have changed, until the server stops. As
    /// long as they cannot be used, those of before stay: a new certificate may
    /// be there a moment before its key.
    pub(crate) async fn follow(self, stop: CancellationToken) {
        let mut told = String::new();
        while stop.run_until_cancelled(sleep(LOOK_AGAIN)).await.is_some() {
            match self.look() {
                Ok(false) => {}
                Ok(true) => tracing::info!(
                    "new connections use the new certificate of {}",
                    self.0.chain.display()
                ),
                Err(error) => {
                    let error = error.to_string();
                    if told != error {
                        tracing::error!("the certificate of before stays in use: {error}");
                        told = error;
                    }
                    continue;
                }
            }
            told.clear();
        }
    }

    /// Reads the files if they have changed; returns whether they have.
    fn look(&self) -> Result<bool, CertificatesError> {
        let Inner {
            chain,
            key,
            current,
        } = &*self.0;
        let known = current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .changed;
        if [changed(chain), changed(key)] == known {
            return Ok(false);
        }
        let loaded = load(chain, key)?;
        *current.write().unwrap_or_else(PoisonError::into_inner) = loaded;
        Ok(true)
    }
}

/// When a file was last changed; `None` if it is not there.
fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn load(chain: &Path, key: &Path) -> Result<Loaded, CertificatesError> {
    // Before they are read: what changes meanwhile is read again.
    let changed = [changed(chain), changed(key)];
    let file = |path: &Path| {
        let path = path.to_owned();
        move |source| CertificatesError::File { path, source }
    };
    let certificates = CertificateDer::pem_file_iter(chain).map_err(file(chain))?;
    let certificates: Vec<_> = certificates
        .collect::<Result<_, _>>()
        .map_err(file(chain))?;
    if certificates.is_empty() {
        return Err(CertificatesError::Empty(chain.to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(file(key))?;
    let pair = |source| CertificatesError::Pair {
        chain: chain.to_owned(),
        key: key.to_owned(),
        source,
    };
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(certificates, private);
    let mut config = config.map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    Ok(Loaded { config, changed })
}
