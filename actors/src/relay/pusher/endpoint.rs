//! The address that a phone wants to be told at. The phone chooses it, so it is judged: by its form here, and by where it leads
//! when the connection is opened ([`Network::public_only`](crate::network::Network::public_only)).

use url::{Host, Url};

use crate::network::is_public;

/// An address that may be told.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
}

/// Why an address is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a push service has an https address that everybody can reach, of a bounded length")]
pub struct RefusedEndpoint;

impl Endpoint {
    /// Reads an address of at most `most_bytes`. `anywhere` allows those in networks of our own.
    ///
    /// # Errors
    /// It may not be told.
    pub fn read(text: &str, most_bytes: usize, anywhere: bool) -> Result<Self, RefusedEndpoint> {
        if text.len() > most_bytes {
            return Err(RefusedEndpoint);
        }
        let url = Url::parse(text).map_err(|_| RefusedEndpoint)?;
        let elsewhere = match url.host().ok_or(RefusedEndpoint)? {
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
            Host::Domain(name) => name != "localhost" && !name.ends_with(".localhost"),
        };
        let has_user = !url.username().is_empty() || url.password().is_some();
        if url.scheme() != "https" || has_user || !(elsewhere || anywhere) {
            return Err(RefusedEndpoint);
        }
        Ok(Self { url })
    }

    /// The whole address. A secret of the device.
    pub fn as_str(&self) -> &str {
        self.url.as_str()
    }

    /// The push service.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_https_address_that_everybody_can_reach_is_told() {
        let read = |text: &str| Endpoint::read(text, 100, false);
        let good = read("https://push.example.com/v1/abc?x=1#y").ok().map(|it| it.origin());
        assert_eq!(good.as_deref(), Some("https://push.example.com"));
        for bad in [
            "http://push.example.com/a",
            "https://me@push.example.com/a",
            "https://127.0.0.1/a",
            "https://2130706433/a",
            "https://[::1]/a",
            "https://[::ffff:10.0.0.1]/a",
            "https://192.168.1.1/a",
            "https://169.254.169.254/latest",
            "https://localhost/a",
            "https://a.localhost/",
            "ftp://push.example.com/",
            "nonsense",
            "",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&format!("https://push.example.com/{}", "x".repeat(100))).is_err());
        assert!(Endpoint::read("https://127.0.0.1:9/a", 100, true).is_ok());
        assert!(Endpoint::read("http://127.0.0.1:9/a", 100, true).is_err());
    }
}
