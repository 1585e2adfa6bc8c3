//! The certificate of the listener.

use std::path::{Path, PathBuf};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// Largest file, in bytes.
const LARGEST_FILE: usize = 1024 * 1024;

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct InvalidTls {
    path: PathBuf,
    reason: String,
}

/// Reads a certificate chain and its private key, both in PEM.
///
/// # Errors
/// A file cannot be read, is not PEM, or the key is not that of the certificate.
pub fn config(certificate: &Path, key: &Path) -> Result<ServerConfig, InvalidTls> {
    let invalid = |path: &Path, reason: String| InvalidTls { path: path.to_owned(), reason };
    let read = |path: &Path| plain_file::read(path, LARGEST_FILE).map_err(|error| invalid(path, error.to_string()));
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| invalid(certificate, format!("it is not a certificate chain in PEM: {error}")))?;
    let secret = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|error| invalid(key, format!("it is not a private key in PEM: {error}")))?;
    ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| invalid(certificate, error.to_string()))
}
