//! The `Host` rule. A web page can point its own name at our address (DNS rebinding) and then send requests as if it
//! were local, but its browser still sends that name in `Host`. So only hosts are served that no page can choose:
//! `localhost`, loopback addresses, the address that the connection has reached, and the hosts in the settings.
//!
//! Other addresses are refused, too, although rebinding needs a name: behind a NAT or a proxy only the operator knows
//! the server's public address. Ports are not compared, because tunnels change them.

use std::net::IpAddr;

use actix_web::{
    dev::RequestHead,
    http::{Version, header, uri::Authority},
};

use super::Refusal;

/// The hosts that are served on TCP.
pub struct HostRule {
    allowed: Vec<Host>,
}

/// An invalid entry of `http.allowed_hosts`.
#[derive(Debug, thiserror::Error)]
#[error("setting `http.allowed_hosts`: `{0}` is not a host name or address; write it as in `example.com` or `[::1]`")]
pub struct InvalidHost(String);

#[derive(Debug, PartialEq, Eq)]
enum Host {
    Address(IpAddr),
    /// In lower case, without the trailing dot of a fully qualified name.
    Name(String),
}

impl HostRule {
    /// Serves `allowed` in addition to the default hosts.
    pub fn new(allowed: &[String]) -> Result<Self, InvalidHost> {
        let parse = |text: &String| {
            // An IPv6 address needs no brackets here, because no port follows.
            let address = text.parse().ok().map(|address: IpAddr| Host::Address(address.to_canonical()));
            address.or_else(|| Host::parse(text)).ok_or_else(|| InvalidHost(text.clone()))
        };
        Ok(Self { allowed: allowed.iter().map(parse).collect::<Result<_, _>>()? })
    }

    /// Checks a request on a connection to our address `reached`. The host in an absolute-form request target is
    /// checked, too, because it takes precedence (RFC 9112 3.2.2).
    pub fn check(&self, request: &RequestHead, reached: IpAddr) -> Result<(), Refusal> {
        let mut hosts = request.headers().get_all(header::HOST);
        match hosts.next() {
            // Health checks of old load balancers send no `Host`; browsers always do.
            None if request.version < Version::HTTP_11 => {}
            Some(host) if hosts.next().is_none() => {
                let host = host.to_str().ok().and_then(Host::parse).ok_or(Refusal::BadHost)?;
                self.check_host(&host, reached)?;
            }
            _ => return Err(Refusal::BadHost),
        }
        match request.uri.authority() {
            Some(authority) => self.check_host(&Host::of(authority).ok_or(Refusal::BadHost)?, reached),
            None => Ok(()),
        }
    }

    fn check_host(&self, host: &Host, reached: IpAddr) -> Result<(), Refusal> {
        let served = match host {
            Host::Address(address) => address.is_loopback() || *address == reached.to_canonical(),
            Host::Name(name) => name == "localhost",
        };
        if served || self.allowed.contains(host) { Ok(()) } else { Err(Refusal::OtherHost) }
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        Self::of(&text.trim().parse().ok()?)
    }

    fn of(authority: &Authority) -> Option<Self> {
        if authority.as_str().contains('@') {
            return None;
        }
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let name = host.strip_suffix('.').unwrap_or(host);
        (!name.is_empty()).then(|| Self::Name(name.to_ascii_lowercase()))
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const REACHED: &str = "10.1.2.3";

    fn judge(rule: &HostRule, request: TestRequest) -> Option<u16> {
        let request = request.to_http_request();
        let refusal = rule.check(request.head(), REACHED.parse().unwrap()).err()?;
        Some(actix_web::ResponseError::status_code(&refusal).as_u16())
    }

    fn host(value: &str) -> TestRequest {
        TestRequest::get().insert_header((header::HOST, value))
    }

    fn rule(allowed: &[&str]) -> HostRule {
        HostRule::new(&allowed.iter().map(|&host| host.to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn this_machine_is_served_by_every_name_of_it() {
        for name in [
            "localhost",
            "LocalHost:4500",
            "localhost.",
            "127.0.0.1",
            "127.0.0.1:1",
            "127.9.9.9:80",
            "[::1]:4500",
            "[::ffff:127.0.0.1]",
            "10.1.2.3",
            "10.1.2.3:4500",
            "[::ffff:10.1.2.3]:1",
        ] {
            assert_eq!(judge(&rule(&[]), host(name)), None, "{name}");
        }
    }

    #[test]
    fn any_other_host_is_misdirected() {
        for name in
            ["example.com", "localhost.example.com", "app.localhost", "10.1.2.4", "0.0.0.0", "127.1", "[::2]", "a:b"]
        {
            assert_eq!(judge(&rule(&[]), host(name)), Some(421), "{name}");
        }
    }

    #[test]
    fn what_is_no_host_is_a_bad_request() {
        for value in ["", " ", ":80", "user@localhost", "localhost/", "a b", "[::1", "http://localhost"] {
            assert_eq!(judge(&rule(&[]), host(value)), Some(400), "{value:?}");
        }
        let twice = host("localhost").append_header((header::HOST, "localhost"));
        assert_eq!(judge(&rule(&[]), twice), Some(400));
        assert_eq!(judge(&rule(&[]), TestRequest::get()), Some(400));
        assert_eq!(judge(&rule(&[]), TestRequest::get().version(Version::HTTP_10)), None);
        assert_eq!(judge(&rule(&[]), host("example.com").version(Version::HTTP_10)), Some(421));
    }

    #[test]
    fn a_host_in_the_request_target_counts_as_well() {
        let both = |target: &str, value: &str| judge(&rule(&[]), host(value).uri(target));
        assert_eq!(both("http://localhost:1/readyz", "127.0.0.1"), None);
        assert_eq!(both("http://example.com/readyz", "127.0.0.1"), Some(421));
        assert_eq!(both("http://localhost/readyz", "example.com"), Some(421));
        assert_eq!(both("http://user@localhost/readyz", "localhost"), Some(400));
    }

    #[test]
    fn listed_hosts_are_served() {
        let rule = rule(&["Agent.Example.com", "192.0.2.7", "2001:db8::1"]);
        for name in ["agent.example.com:443", "AGENT.example.com.", "192.0.2.7", "[2001:db8:0::1]:80", "localhost"] {
            assert_eq!(judge(&rule, host(name)), None, "{name}");
        }
        assert_eq!(judge(&rule, host("example.com")), Some(421));
    }

    #[test]
    fn a_list_that_cannot_be_meant_is_refused_at_start() {
        for wrong in ["", "https://example.com", "a b", "user@example.com", "*.example.com/"] {
            let error = HostRule::new(&[wrong.to_owned()]).err().unwrap().to_string();
            assert!(error.contains(&format!("`{wrong}` is not a host name")), "{error}");
        }
    }
}
