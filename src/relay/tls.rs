//! The certificate of the listener.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};
use x509_cert::{Certificate, der::Decode as _};

/// Largest file, in bytes.
const LARGEST_FILE: usize = 1024 * 1024;

/// Hexadecimal digits of a fingerprint that are shown together.
const GROUP: usize = 4;

/// Why a certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct InvalidTls {
    path: PathBuf,
    reason: String,
}

/// What the listener shows of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256 of the first certificate of the chain.
    pub fingerprint: [u8; 32],
    /// Until when the certificate is good, in Unix seconds.
    pub ends_at: i64,
}

impl InvalidTls {
    /// The file at `path` is wrong.
    pub fn new(path: &Path, reason: impl ToString) -> Self {
        Self { path: path.to_owned(), reason: reason.to_string() }
    }
}

impl Identity {
    /// What a certificate says of itself; `None` if it is none.
    pub fn of(der: &[u8]) -> Option<Self> {
        let read = Certificate::from_der(der).ok()?;
        let ends_at = read.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
        Some(Self { fingerprint: Sha256::digest(der).into(), ends_at: i64::try_from(ends_at).ok()? })
    }

    /// The fingerprint as browsers show it, in short groups: at most `groups` of them.
    pub fn in_groups(&self, groups: usize) -> String {
        let mut text = String::new();
        for (at, byte) in self.fingerprint.iter().take(groups * GROUP / 2).enumerate() {
            if at > 0 && at % (GROUP / 2) == 0 {
                text.push(' ');
            }
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02X}");
        }
        text
    }
}

/// Reads a certificate chain and its private key, both in PEM.
///
/// # Errors
/// A file cannot be read, is not PEM, or the key is not that of the certificate.
pub fn config(certificate: &Path, key: &Path) -> Result<(ServerConfig, Identity), InvalidTls> {
    let read = |path: &Path| plain_file::read(path, LARGEST_FILE).map_err(|error| InvalidTls::new(path, error));
    let chain = CertificateDer::pem_slice_iter(&read(certificate)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| InvalidTls::new(certificate, format!("it is not a certificate chain in PEM: {error}")))?;
    let secret = PrivateKeyDer::from_pem_slice(&read(key)?)
        .map_err(|error| InvalidTls::new(key, format!("it is not a private key in PEM: {error}")))?;
    let identity = chain.first().and_then(|first| Identity::of(first));
    let identity = identity.ok_or_else(|| InvalidTls::new(certificate, "there is no certificate in it"))?;
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| InvalidTls::new(certificate, error))?;
    Ok((config, identity))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_in_groups() {
        let mut fingerprint = [0; 32];
        fingerprint[..4].copy_from_slice(&[0xab, 1, 0, 0xff]);
        let identity = Identity { fingerprint, ends_at: 0 };
        assert_eq!(identity.in_groups(2), "AB01 00FF");
        assert_eq!(identity.in_groups(16).len(), 16 * 5 - 1);
        assert_eq!(Identity::of(b"nonsense"), None);
    }
}
