//! Proxies from the environment variables that other programs use.

use std::fmt;
use std::io;
use std::net::IpAddr;

use actix_rt::net::TcpStream;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use url::Url;

use crate::environment::Environment;
use crate::protocol::Secret;

/// Largest answer of a proxy, in bytes.
const ANSWER: usize = 16 * 1024;

/// Characters of its status line that are told.
const STATUS: usize = 256;

/// The proxies and the hosts without a proxy.
#[derive(Debug)]
pub struct Proxies {
    /// For `https` and `wss`.
    tls: Option<Result<Proxy, String>>,
    /// For `http` and `ws`.
    plain: Option<Result<Proxy, String>>,
    direct: Vec<Exception>,
}

/// A proxy that opens tunnels (RFC 9110 9.3.6), for encrypted and plain connections.
#[derive(Clone)]
pub struct Proxy {
    host: String,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<Secret>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

/// Hosts that are reached without a proxy.
#[derive(Debug, PartialEq, Eq)]
enum Exception {
    All,
    /// A domain with its subdomains, possibly only on this port.
    Name(String, Option<u16>),
    /// Addresses with this prefix.
    Network(IpAddr, u32),
}

impl Proxies {
    /// Reads the environment. Lower-case variables take precedence, as usual.
    pub fn new(environment: &Environment) -> Self {
        let look_up = |name: &str| environment.get(&name.to_lowercase()).or_else(|| environment.get(name));
        let proxy = |name: &str| look_up(name).or_else(|| look_up("ALL_PROXY")).map(|url| Proxy::read(&url));
        let direct = look_up("NO_PROXY").unwrap_or_default();
        let direct = direct.split(',').filter_map(Exception::read).collect();
        Self { tls: proxy("HTTPS_PROXY"), plain: proxy("HTTP_PROXY"), direct }
    }

    /// The proxy for a host; `None` for a direct connection.
    ///
    /// # Errors
    /// The proxy in the environment is invalid.
    pub fn of(&self, is_tls: bool, host: &str, port: u16) -> io::Result<Option<&Proxy>> {
        let Some(proxy) = (if is_tls { &self.tls } else { &self.plain }) else { return Ok(None) };
        let host = host.trim_end_matches('.').to_lowercase();
        if is_loopback(&host) || self.direct.iter().any(|exception| exception.covers(&host, port)) {
            return Ok(None);
        }
        proxy.as_ref().map(Some).map_err(|reason| io::Error::new(io::ErrorKind::InvalidInput, reason.clone()))
    }
}

impl Proxy {
    /// Parses `http://user:password@host:port`; the scheme is optional.
    fn read(text: &str) -> Result<Self, String> {
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        // The text may contain a password, so it is not quoted.
        let url =
            Url::parse(&whole).map_err(|error| format!("the proxy in the environment cannot be used: {error}"))?;
        if url.scheme() != "http" {
            return Err(format!("proxies of the kind {}:// are not supported, only http://", url.scheme()));
        }
        let host = url.host_str().ok_or("the proxy in the environment has no host")?;
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let authorization = (!url.username().is_empty()).then(|| {
            let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
            Secret::from(format!("Basic {}", BASE64.encode(pair)).as_str())
        });
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { host, port: url.port_or_known_default().unwrap_or(80), authorization })
    }

    /// Opens a connection to `host` through this proxy.
    ///
    /// # Errors
    /// The text names the proxy.
    pub async fn tunnel(&self, host: &str, port: u16) -> io::Result<TcpStream> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("the proxy {self}: {error}"));
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(named)?;
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = &self.authorization {
            request.push_str(&format!("Proxy-Authorization: {}\r\n", authorization.expose()));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.map_err(named)?;
        let answer = self.answer(&mut stream).await.map_err(named)?;
        let mut words = answer.lines().next().unwrap_or_default().splitn(2, ' ');
        match (words.next(), words.next()) {
            (Some(version), Some(status)) if version.starts_with("HTTP/1.") && status.starts_with('2') => Ok(stream),
            (_, Some(status)) => {
                let status: String = status.chars().take(STATUS).collect();
                Err(named(io::Error::other(format!("it opens no connection to {target}: {status}"))))
            }
            _ => Err(named(io::Error::other("it is no HTTP proxy"))),
        }
    }

    /// The head of the answer. Nothing follows it before we send through the tunnel.
    async fn answer(&self, stream: &mut TcpStream) -> io::Result<String> {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            if answer.len() >= ANSWER {
                return Err(io::Error::other("its answer is too long"));
            }
            answer.push(stream.read_u8().await?);
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Exception {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            return Some(Self::Network(address.parse().ok()?, bits.parse().ok()?));
        }
        if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse() {
            return Some(Self::Network(address, if IpAddr::is_ipv4(&address) { 32 } else { 128 }));
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (text.as_str(), None),
        };
        let name = name.trim_start_matches("*.").trim_start_matches('.');
        Some(match name.parse() {
            Ok(address @ IpAddr::V4(_)) if port.is_none() => Self::Network(address, 32),
            _ => Self::Name(name.to_owned(), port),
        })
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Name(name, on) => {
                let is_below =
                    host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                is_below && on.is_none_or(|on| on == port)
            }
            Self::Network(network, bits) => match (network, host.parse()) {
                (IpAddr::V4(network), Ok(IpAddr::V4(host))) => {
                    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(*bits)).unwrap_or(0);
                    (network.to_bits() ^ host.to_bits()) & mask == 0
                }
                (IpAddr::V6(network), Ok(IpAddr::V6(host))) => {
                    let mask = u128::MAX.checked_shl(128_u32.saturating_sub(*bits)).unwrap_or(0);
                    (network.to_bits() ^ host.to_bits()) & mask == 0
                }
                _ => false,
            },
        }
    }
}

/// A remote proxy could not reach the services of this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(|host: IpAddr| host.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &'static [(&'static str, &'static str)]) -> Proxies {
        Proxies::new(&Environment::from_fn(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        }))
    }

    fn of(variables: &'static [(&'static str, &'static str)], is_tls: bool, host: &str) -> String {
        let proxies = proxies(variables);
        let port = if is_tls { 443 } else { 80 };
        match proxies.of(is_tls, host, port) {
            Ok(Some(proxy)) => proxy.to_string(),
            Ok(None) => "direct".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn each_scheme_has_its_variable() {
        let both = &[("HTTPS_PROXY", "http://a:1"), ("http_proxy", "b")];
        assert_eq!(of(both, true, "example.com"), "a:1");
        assert_eq!(of(both, false, "example.com"), "b:80");
        assert_eq!(of(&[("ALL_PROXY", "http://a:1")], false, "example.com"), "a:1");
        assert_eq!(of(&[("HTTPS_PROXY", "a:1"), ("https_proxy", "b:2")], true, "example.com"), "b:2");
        assert_eq!(of(&[], true, "example.com"), "direct");
    }

    #[test]
    fn exceptions_and_this_machine_are_reached_directly() {
        let list = ".corp.example, *.lab,exact.org:8443,10.0.0.0/8,192.168.1.7,[fd00::]/8,fd00::/8";
        let proxies = Proxies::new(&Environment::from_fn(move |name| match name {
            "HTTPS_PROXY" => Some("http://a:1".to_owned()),
            "NO_PROXY" => Some(list.to_owned()),
            _ => None,
        }));
        let direct = |host: &str, port| proxies.of(true, host, port).unwrap().is_none();
        for host in ["corp.example", "x.corp.example", "X.LAB.", "10.1.2.3", "192.168.1.7", "fd12::1"] {
            assert!(direct(host, 443), "{host}");
        }
        for host in ["localhost", "api.localhost", "127.0.0.2", "::1"] {
            assert!(direct(host, 443), "{host}");
        }
        for host in ["xcorp.example", "exact.org", "11.0.0.1", "192.168.1.8", "fe80::1", "example.com"] {
            assert!(!direct(host, 443), "{host}");
        }
        assert!(direct("exact.org", 8443));
        assert_eq!(of(&[("HTTPS_PROXY", "a:1"), ("NO_PROXY", "*")], true, "example.com"), "direct");
    }

    #[test]
    fn what_cannot_be_used_is_said_without_the_password() {
        let told = of(&[("HTTPS_PROXY", "socks5://me:hush@a:1")], true, "example.com");
        assert!(told.contains("socks5://") && !told.contains("hush"), "{told}");
        let told = of(&[("HTTPS_PROXY", "http://me:hush@a:port")], true, "example.com");
        assert!(told.contains("cannot be used") && !told.contains("hush"), "{told}");
        let proxies = proxies(&[("HTTPS_PROXY", "http://me:hush%20hush@a:1")]);
        assert!(!format!("{proxies:?}").contains("hush"));
        let proxy = proxies.of(true, "example.com", 443).unwrap().unwrap();
        assert_eq!(proxy.authorization.as_ref().unwrap().expose(), "Basic bWU6aHVzaCBodXNo");
    }
}
