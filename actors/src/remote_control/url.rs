//! The trusted backends and their endpoints (spec: remote control 2).

use url::{Host, Url};

use super::settings::RemoteControlSettings;

/// The default backend.
pub const DEFAULT_BASE_URL: &str = "https://chatgpt.com/backend-api/";

/// Domains that are trusted over `https`, including their subdomains.
const DOMAINS: [&str; 2] = ["chatgpt.com", "chatgpt-staging.com"];

/// Why a base URL is invalid. The texts are the reference program's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It is not a URL.
    #[error("invalid remote control URL `{0}`: {1}")]
    Unreadable(String, url::ParseError),
    /// The URL of a relay is neither encrypted nor that of this machine.
    #[error("invalid relay URL `{0}`; expected https://HOST, or http:// with an address of this machine")]
    Relay(String),
    /// The host is not trusted, or the connection would not be encrypted.
    #[error(
        "invalid remote control URL `{0}`; expected HTTPS URL for chatgpt.com or chatgpt-staging.com, or HTTP/HTTPS \
         URL for localhost"
    )]
    Untrusted(String),
}

/// The base URL of a backend that may receive the user's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackendUrl(Url);

impl BackendUrl {
    /// The backend that is used: the relay of `settings`, or else the one that the configuration has `named`, or else the
    /// default one.
    ///
    /// # Errors
    /// See [`InvalidUrl`].
    pub fn chosen(settings: &RemoteControlSettings, named: Option<&str>) -> Result<Self, InvalidUrl> {
        match settings.relay() {
            Some(relay) => Self::of_relay(relay),
            None => Self::parse(named.unwrap_or(DEFAULT_BASE_URL), &settings.hosts),
        }
    }

    /// Parses and checks `text`. `hosts` are trusted over `https` in addition to the known ones. A query and a user
    /// name are dropped.
    ///
    /// # Errors
    /// See [`InvalidUrl`].
    pub fn parse(text: &str, hosts: &[String]) -> Result<Self, InvalidUrl> {
        let mut url = Url::parse(text).map_err(|error| InvalidUrl::Unreadable(without_user(text), error))?;
        let named_safely = url.password().is_none() && url.username().is_empty();
        if !named_safely {
            // An error means that there is no host, and so no user.
            let _ = (url.set_password(None), url.set_username(""));
        }
        if !is_trusted(&url, hosts) {
            // A password must not get into a log through the error.
            let shown = if named_safely { text.to_owned() } else { url.to_string() };
            return Err(InvalidUrl::Untrusted(shown));
        }
        url.set_query(None);
        url.set_fragment(None);
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    /// The URL of a relay of our own, which the user has named: any host over `https`, and this machine.
    ///
    /// # Errors
    /// See [`InvalidUrl`].
    pub fn of_relay(text: &str) -> Result<Self, InvalidUrl> {
        let url = Url::parse(text).map_err(|error| InvalidUrl::Unreadable(without_user(text), error))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(&host);
        Self::parse(text, &[host.to_owned()]).map_err(|_| InvalidUrl::Relay(without_user(text)))
    }

    /// `POST`: enroll this host.
    pub fn enroll(&self) -> Url {
        self.below(&["server", "enroll"])
    }

    /// `POST`: refresh the server token.
    pub fn refresh(&self) -> Url {
        self.below(&["server", "refresh"])
    }

    /// `POST`: create a pairing code.
    pub fn pair(&self) -> Url {
        self.below(&["server", "pair"])
    }

    /// `POST`: whether a code was used.
    pub fn pair_status(&self) -> Url {
        self.below(&["server", "pair", "status"])
    }

    /// `GET`: list the controllers of an environment.
    pub fn clients(&self, environment_id: &str) -> Url {
        self.below(&["environments", environment_id, "clients"])
    }

    /// `DELETE`: revoke a controller.
    pub fn client(&self, environment_id: &str, client_id: &str) -> Url {
        self.below(&["environments", environment_id, "clients", client_id])
    }

    /// The WebSocket of the host; also part of the key of an enrollment.
    pub fn websocket(&self) -> Url {
        let mut url = self.below(&["server"]);
        let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
        // Cannot fail between `http(s)` and `ws(s)`.
        let _ = url.set_scheme(scheme);
        url
    }

    fn below(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["wham", "remote", "control"]).extend(segments);
        }
        url
    }
}

/// Invalid text may contain a password, too, so everything before an `@` is removed.
fn without_user(text: &str) -> String {
    match (text.find("//"), text.rfind('@')) {
        (Some(start), Some(at)) if start < at => format!("{}{}", &text[..start + 2], &text[at + 1..]),
        _ => text.to_owned(),
    }
}

fn is_trusted(url: &Url, hosts: &[String]) -> bool {
    let secure = match url.scheme() {
        "https" => true,
        "http" => false,
        _ => return false,
    };
    match url.host() {
        Some(Host::Domain("localhost")) => true,
        Some(Host::Domain(host)) => {
            let below =
                |domain: &&str| host.strip_suffix(*domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            secure && (DOMAINS.iter().any(below) || is_named(hosts, host))
        }
        Some(Host::Ipv4(address)) => address.is_loopback() || secure && is_named(hosts, &address.to_string()),
        Some(Host::Ipv6(address)) => address.is_loopback() || secure && is_named(hosts, &address.to_string()),
        None => false,
    }
}

fn is_named(hosts: &[String], host: &str) -> bool {
    hosts.iter().any(|it| it.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<BackendUrl, InvalidUrl> {
        BackendUrl::parse(text, &[])
    }

    #[test]
    fn only_known_hosts_are_trusted() {
        for good in [
            DEFAULT_BASE_URL,
            "https://chatgpt-staging.com",
            "https://a.b.chatgpt.com/x",
            "https://CHATGPT.com:8443/x",
            "https://localhost/x",
            "https://127.0.0.1:1/x",
            "http://localhost:3000/backend-api",
            "http://LOCALHOST:1/x",
            "http://127.0.0.2/x",
            "http://[::1]:9/x",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://chatgpt.com/backend-api/",
            "http://a.chatgpt.com/",
            "https://example.com/x",
            "https://evilchatgpt.com/x",
            "https://chatgpt.com.evil.com/",
            "https://chatgpt.com@evil.com/",
            "https://chatgpt.com%2eevil.com/",
            "https://chat.openai.com/x",
            "https://foo.localhost/",
            "http://localhost.evil.com/",
            "http://127.0.0.1.nip.io/x",
            "http://10.0.0.1/x",
            "http://[::2]/",
            "http://0.0.0.0/",
            "ftp://chatgpt.com/",
            "wss://chatgpt.com/",
            "mailto:a@chatgpt.com",
            "file:///etc/passwd",
        ] {
            assert!(matches!(parse(bad), Err(InvalidUrl::Untrusted(_))), "{bad}: {:?}", parse(bad));
        }
    }

    #[test]
    fn the_texts_are_the_reference_programs() {
        assert_eq!(
            parse("https://example.com/x").unwrap_err().to_string(),
            "invalid remote control URL `https://example.com/x`; expected HTTPS URL for chatgpt.com or \
             chatgpt-staging.com, or HTTP/HTTPS URL for localhost"
        );
        assert_eq!(
            parse("https://chatgpt.com:99999/").unwrap_err().to_string(),
            "invalid remote control URL `https://chatgpt.com:99999/`: invalid port number"
        );
        for with_password in ["https://me:tok-1@evil.com/", "https://me:tok-1@chatgpt.com:99999/"] {
            let shown = parse(with_password).unwrap_err().to_string();
            assert!(!shown.contains("tok-1"), "{shown}");
        }
    }

    #[test]
    fn our_own_settings_may_name_further_hosts_but_only_over_https() {
        let hosts = ["relay.example.com".to_owned(), "10.0.0.1".to_owned()];
        assert!(BackendUrl::parse("https://Relay.example.com/x", &hosts).is_ok());
        assert!(BackendUrl::parse("https://10.0.0.1/x", &hosts).is_ok());
        for bad in ["http://relay.example.com/x", "http://10.0.0.1/", "https://a.relay.example.com/x"] {
            assert!(BackendUrl::parse(bad, &hosts).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_relay_is_reached_over_https_or_on_this_machine() {
        for good in
            ["https://relay.example.com", "https://10.0.0.1:8390/", "https://[2001:db8::1]/", "http://127.0.0.1:1"]
        {
            assert!(BackendUrl::of_relay(good).is_ok(), "{good}");
        }
        for bad in ["http://relay.example.com", "http://10.0.0.1:8390", "relay.example.com", "ftp://127.0.0.1"] {
            assert!(BackendUrl::of_relay(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn endpoints_are_below_the_base() {
        let url = parse("http://me:secret@LOCALHOST:3000/base?query=1#f").unwrap();
        assert_eq!(url.enroll().as_str(), "http://localhost:3000/base/wham/remote/control/server/enroll");
        assert_eq!(url.pair_status().as_str(), "http://localhost:3000/base/wham/remote/control/server/pair/status");
        assert_eq!(url.websocket().as_str(), "ws://localhost:3000/base/wham/remote/control/server");
        assert_eq!(
            parse("https://chatgpt.com").unwrap().websocket().as_str(),
            "wss://chatgpt.com/wham/remote/control/server"
        );
    }

    #[test]
    fn each_segment_is_encoded_by_itself() {
        let url = parse("https://chatgpt.com/b/").unwrap();
        let start = "https://chatgpt.com/b/wham/remote/control/environments";
        assert_eq!(url.clients("e/../ x").as_str(), format!("{start}/e%2F..%2F%20x/clients"));
        assert_eq!(url.client("e?#", "a b/c").as_str(), format!("{start}/e%3F%23/clients/a%20b%2Fc"));
    }
}
