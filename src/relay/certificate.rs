//! The certificate that the relay of `remote-control --relay local --tls` makes for itself. Nobody has signed it but its own
//! key, so a browser asks its user once; the fingerprint stands on the screen of this machine, to compare.

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
};

use actix_web::cookie::time::OffsetDateTime;
use app_server_actors::replace::{NewFile, replace};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use x509_cert::{Certificate, der::Decode as _, ext::pkix::SubjectAltName, ext::pkix::name::GeneralName};

use super::tls::{Identity, InvalidTls};

/// The files, in the directory of the relay.
const CERTIFICATE: &str = "local-cert.pem";
const KEY: &str = "local-key.pem";

/// Largest file, in bytes.
const LARGEST_FILE: usize = 64 * 1024;

/// Seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// The name that browsers show.
const COMMON_NAME: &str = "codex-app-server on this network";

/// Certificate and key, in files of their own.
pub struct Files {
    /// The certificate in PEM.
    pub certificate: PathBuf,
    /// Its key in PEM; only its owner can read it.
    pub key: PathBuf,
}

/// For whom and for how long a certificate is made.
pub struct Wanted<'a> {
    /// Names of this machine.
    pub names: &'a [String],
    /// Its addresses.
    pub addresses: &'a [IpAddr],
    /// Its life, in days.
    pub days: u32,
    /// Days before its end at which another one takes its place.
    pub renew_days: u32,
    /// Unix seconds.
    pub now: i64,
}

/// The certificate in `directory`. It is made anew with the same key if there is none, if it ends soon, or if it does not name
/// an address of this machine.
///
/// # Errors
/// A file cannot be read or written, or the key is none.
pub fn keep(directory: &Path, wanted: &Wanted<'_>) -> Result<Files, InvalidTls> {
    let files = Files { certificate: directory.join(CERTIFICATE), key: directory.join(KEY) };
    let kept = plain_file::read(&files.certificate, LARGEST_FILE).ok();
    if files.key.exists() && kept.is_some_and(|pem| is_good(&pem, wanted)) {
        return Ok(files);
    }
    let key = if files.key.exists() {
        let pem = plain_file::read_to_string(&files.key, LARGEST_FILE);
        let pem = pem.map_err(|error| InvalidTls::new(&files.key, error))?;
        KeyPair::from_pem(&pem).map_err(|error| InvalidTls::new(&files.key, error))?
    } else {
        let key = KeyPair::generate().map_err(|error| InvalidTls::new(&files.key, error))?;
        write(&files.key, &key.serialize_pem())?;
        key
    };
    let made = made(wanted, &key).map_err(|error| InvalidTls::new(&files.certificate, error))?;
    write(&files.certificate, &made)?;
    log::info!("the relay has made a certificate: {}", files.certificate.display());
    Ok(files)
}

fn write(path: &Path, pem: &str) -> Result<(), InvalidTls> {
    replace(path, pem.as_bytes(), NewFile::Private).map_err(|error| InvalidTls::new(path, error))
}

fn is_good(pem: &[u8], wanted: &Wanted<'_>) -> bool {
    let Ok(der) = CertificateDer::from_pem_slice(pem) else { return false };
    let until = wanted.now + i64::from(wanted.renew_days) * DAY;
    Identity::of(&der).is_some_and(|it| it.ends_at > until) && {
        let named = addresses(&der);
        wanted.addresses.iter().all(|address| named.contains(address))
    }
}

/// The addresses that a certificate names.
fn addresses(der: &[u8]) -> Vec<IpAddr> {
    let Ok(certificate) = Certificate::from_der(der) else { return Vec::new() };
    let Ok(Some((_, names))) = certificate.tbs_certificate().get_extension::<SubjectAltName>() else {
        return Vec::new();
    };
    let address = |bytes: &[u8]| {
        let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
    };
    let named = names.0.iter().filter_map(|name| match name {
        GeneralName::IpAddress(bytes) => address(bytes.as_bytes()),
        _ => None,
    });
    named.collect()
}

fn made(wanted: &Wanted<'_>, key: &KeyPair) -> Result<String, Box<dyn std::error::Error>> {
    let addresses = wanted.addresses.iter().map(IpAddr::to_string);
    let mut params = CertificateParams::new(wanted.names.iter().cloned().chain(addresses).collect::<Vec<_>>())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, COMMON_NAME);
    // A phone whose clock is a little behind accepts it, too.
    params.not_before = OffsetDateTime::from_unix_timestamp(wanted.now - DAY)?;
    params.not_after = OffsetDateTime::from_unix_timestamp(wanted.now + i64::from(wanted.days) * DAY)?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(params.self_signed(key)?.pem())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn wanted(addresses: &[IpAddr], now: i64) -> Wanted<'_> {
        Wanted { names: &[], addresses, days: 397, renew_days: 100, now }
    }

    #[test]
    fn a_certificate_is_kept_until_it_ends_soon_or_misses_an_address_and_its_key_for_ever() {
        let home = tempfile::tempdir().unwrap();
        let [one, both]: [&[IpAddr]; 2] =
            [&["192.0.2.7".parse().unwrap()], &["192.0.2.7".parse().unwrap(), "2001:db8::1".parse().unwrap()]];
        let now = 1_800_000_000;
        let read = |wanted: &Wanted<'_>| {
            let files = keep(home.path(), wanted).unwrap();
            for file in [&files.certificate, &files.key] {
                assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
            }
            let (_, identity) = super::super::tls::config(&files.certificate, &files.key).unwrap();
            (identity, fs::read(files.key).unwrap())
        };
        let (first, key) = read(&wanted(one, now));
        assert_eq!(first.ends_at, now + 397 * DAY);
        assert_eq!(read(&wanted(one, now + 290 * DAY)), (first.clone(), key.clone()), "it is good for long enough");
        let (moved, same) = read(&wanted(both, now));
        assert_ne!(moved.fingerprint, first.fingerprint, "the address has changed");
        assert_eq!(same, key);
        assert_eq!(read(&wanted(one, now)).0, moved, "it names that address, too");
        let (renewed, _) = read(&wanted(both, now + 300 * DAY));
        assert_eq!(renewed.ends_at, now + (300 + 397) * DAY);
    }

    #[test]
    fn what_is_no_certificate_is_replaced_and_what_is_no_key_is_not() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(CERTIFICATE), "nonsense").unwrap();
        assert!(keep(home.path(), &wanted(&[], 0)).is_ok());
        fs::write(home.path().join(KEY), "nonsense").unwrap();
        fs::remove_file(home.path().join(CERTIFICATE)).unwrap();
        let error = keep(home.path(), &wanted(&[], 0)).err().unwrap().to_string();
        assert!(error.contains(KEY) && !error.contains("nonsense"), "{error}");
    }
}
