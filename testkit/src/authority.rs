//! An authority of certificates that nobody trusts who was not told to.

use std::sync::Arc;

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

/// An authority, and the file with its certificate.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: NamedTempFile,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    ///
    /// Its file cannot be written.
    pub fn new() -> anyhow::Result<Self> {
        let mut own = CertificateParams::new(Vec::new())?;
        own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(own, KeyPair::generate()?)?;
        let file = NamedTempFile::new()?;
        std::fs::write(file.path(), issuer.pem())?;
        Ok(Self { issuer, file })
    }

    /// The path of its certificate, for `SSL_CERT_FILE`.
    ///
    /// # Errors
    ///
    /// The path is no text.
    pub fn file(&self) -> anyhow::Result<&str> {
        self.file.path().to_str().context("a path that is no text")
    }

    /// Accepts encrypted connections to the host of this name, with its certificate.
    ///
    /// # Errors
    ///
    /// It is no name of a host.
    pub fn acceptor(&self, host: &str) -> anyhow::Result<TlsAcceptor> {
        let key = KeyPair::generate()?;
        let own = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &self.issuer)?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(
                vec![own.der().clone()],
                PrivateKeyDer::Pkcs8(key.serialize_der().into()),
            )?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}
