//! Trusted proxies and their `X-Forwarded-For` header. Anybody can send that header, so only entries written by a proxy
//! of `http.trusted_proxies` count.

use std::net::IpAddr;

use actix_web::http::header::HeaderMap;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The proxies of `http.trusted_proxies`.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<Network>);

/// An invalid entry of `http.trusted_proxies`.
#[derive(Debug, thiserror::Error)]
#[error(
    "setting `http.trusted_proxies`: `{0}` is not an address or a network; write it as in `10.0.0.7` or `10.0.0.0/8`"
)]
pub struct InvalidProxy(String);

/// A network: addresses with a common prefix.
#[derive(Clone, Copy, Debug)]
struct Network {
    /// IPv4 addresses are stored as IPv4-mapped IPv6 addresses.
    bits: u128,
    mask: u128,
}

impl TrustedProxies {
    /// Parses the proxies of `list`.
    ///
    /// # Errors
    /// An entry is neither an address nor a network.
    pub fn new(list: &[String]) -> Result<Self, InvalidProxy> {
        let parse = |text: &String| Network::parse(text).ok_or_else(|| InvalidProxy(text.clone()));
        list.iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `address` is a trusted proxy.
    pub fn include(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.includes(address))
    }

    /// The client of a request from `address`: the peer itself, unless it is a proxy. Each proxy appends the address of
    /// its own peer. The last entry that is not a proxy is the client; anything before it may be forged.
    pub fn client(&self, address: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = address;
        let values: Vec<&str> = headers.get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok()).collect();
        for said in values.iter().rev().flat_map(|value| value.rsplit(',')) {
            if !self.include(client) {
                break;
            }
            let Some(before) = parse_forwarded(said.trim()) else { break };
            client = before;
        }
        client
    }
}

/// Parses an address with or without a port.
fn parse_forwarded(text: &str) -> Option<IpAddr> {
    let bracketed = || text.strip_prefix('[')?.split_once(']').map(|(address, _)| address);
    let without_port = || text.rsplit_once(':').map(|(address, _)| address);
    text.parse().ok().or_else(|| bracketed()?.parse().ok()).or_else(|| without_port()?.parse().ok())
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(width);
        let mask = u128::MAX.checked_shl(width.checked_sub(prefix)?).unwrap_or_default();
        Some(Self { bits: bits(address) & mask, mask })
    }

    fn includes(self, address: IpAddr) -> bool {
        bits(address) & self.mask == self.bits
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn trusting(list: &[&str]) -> TrustedProxies {
        TrustedProxies::new(&list.iter().map(|&entry| entry.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    fn client(proxies: &TrustedProxies, peer: &str, values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_str(value).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn networks_hold_their_addresses_and_no_others() {
        let proxies = trusting(&["10.1.0.0/16", "192.0.2.7", "2001:db8::/32", "0.0.0.0/32"]);
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8:1::1", "0.0.0.0"] {
            assert!(proxies.include(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["10.2.0.1", "192.0.2.8", "2001:db9::1", "0.0.0.1", "::1"] {
            assert!(!proxies.include(outside.parse().unwrap()), "{outside}");
        }
        assert!(trusting(&["0.0.0.0/0"]).include("203.0.113.9".parse().unwrap()));
        assert!(!trusting(&["0.0.0.0/0"]).include("2001:db8::1".parse().unwrap()));
        assert!(trusting(&["::/0"]).include("203.0.113.9".parse().unwrap()));
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let proxies = trusting(&["10.0.0.0/8"]);
        assert_eq!(client(&proxies, "203.0.113.9", &["192.0.2.1"]), "203.0.113.9");
        assert_eq!(client(&proxies, "10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(client(&proxies, "10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client(&trusting(&[]), "10.0.0.1", &["192.0.2.1"]), "10.0.0.1");
    }

    #[test]
    fn what_a_client_has_invented_does_not_count() {
        let proxies = trusting(&["10.0.0.0/8"]);
        assert_eq!(client(&proxies, "10.0.0.1", &["1.2.3.4, 192.0.2.1"]), "192.0.2.1");
        assert_eq!(client(&proxies, "10.0.0.1", &["1.2.3.4", "192.0.2.1, 10.0.0.2"]), "192.0.2.1");
        assert_eq!(client(&proxies, "10.0.0.1", &["1.2.3.4, nonsense"]), "10.0.0.1");
        assert_eq!(client(&proxies, "10.0.0.1", &["1.2.3.4, nonsense, 10.0.0.2"]), "10.0.0.2");
    }

    #[test]
    fn addresses_may_have_ports() {
        let proxies = trusting(&["10.0.0.0/8"]);
        for (said, address) in [("192.0.2.1:80", "192.0.2.1"), ("[2001:db8::1]:80", "2001:db8::1"), ("[::1]", "::1")] {
            assert_eq!(client(&proxies, "10.0.0.1", &[said]), address);
        }
    }

    #[test]
    fn a_list_that_cannot_be_meant_is_refused_at_start() {
        for wrong in ["", "proxy.example.com", "10.0.0.0/33", "10.0.0.0/", "::/129", "10.0.0.0/-1", "10.0.0.1:80"] {
            let error = TrustedProxies::new(&[wrong.to_owned()]).unwrap_err().to_string();
            assert!(error.contains(&format!("`{wrong}` is not an address")), "{error}");
        }
    }
}
