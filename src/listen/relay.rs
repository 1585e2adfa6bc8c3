//! Where a relay listens, and how others reach it, as the command line says it.

use std::{fmt, net::SocketAddr, str::FromStr};

use actix_web::http::{Uri, uri::Scheme};

/// An address on the command line: `http://IP:PORT` or `https://IP:PORT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RelayAddress {
    /// Address and port; port 0 means any free port.
    pub address: SocketAddr,
    /// Whether it speaks TLS.
    pub encrypted: bool,
}

/// An invalid address.
#[derive(Debug, thiserror::Error)]
#[error("expected `http://IP:PORT` or `https://IP:PORT`, such as http://127.0.0.1:8390")]
pub struct InvalidAddress;

impl FromStr for RelayAddress {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (encrypted, rest) = match (text.strip_prefix("http://"), text.strip_prefix("https://")) {
            (Some(rest), _) => (false, rest),
            (_, Some(rest)) => (true, rest),
            (None, None) => return Err(InvalidAddress),
        };
        let address = rest.strip_suffix('/').unwrap_or(rest).parse().map_err(|_| InvalidAddress)?;
        Ok(Self { address, encrypted })
    }
}

/// How machines and phones reach a relay behind a proxy: a scheme and a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    encrypted: bool,
    authority: String,
    host: String,
}

/// An invalid public URL.
#[derive(Debug, thiserror::Error)]
#[error("expected `https://HOST` or `https://HOST:PORT`, without a path")]
pub struct InvalidPublicUrl;

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let uri: Uri = text.parse().map_err(|_| InvalidPublicUrl)?;
        let encrypted = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(InvalidPublicUrl),
        };
        let authority = uri.authority().filter(|it| !it.as_str().contains('@')).ok_or(InvalidPublicUrl)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(InvalidPublicUrl);
        }
        let (authority, host) = (authority.as_str().to_ascii_lowercase(), authority.host().to_owned());
        Ok(Self { encrypted, authority, host })
    }
}

impl PublicUrl {
    /// Whether browsers reach it over TLS.
    pub fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The name of the host.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// What browsers send as `Origin`.
    pub fn origin(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.encrypted { "https" } else { "http" }, self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_literal_and_public_urls_have_no_path() {
        for good in ["http://127.0.0.1:0", "https://[::1]:443", "http://0.0.0.0:80/"] {
            assert!(good.parse::<RelayAddress>().is_ok(), "{good}");
        }
        for bad in ["127.0.0.1:1", "http://localhost:1", "ws://127.0.0.1:1", "http://127.0.0.1"] {
            assert!(bad.parse::<RelayAddress>().is_err(), "{bad}");
        }
        let public: PublicUrl = "https://Relay.example.com:8443/".parse().unwrap();
        assert_eq!(public.origin(), "https://relay.example.com:8443");
        for bad in ["relay.example.com", "https://a/b", "https://me@a", "ftp://a", "https://a?b"] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad}");
        }
    }
}
