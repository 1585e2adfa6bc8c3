//! Which listeners can stand beside each other in one server.

use std::{
    borrow::Cow,
    path::{Path, PathBuf},
};

use super::ListenUrl;

/// Why a server cannot have all these listeners.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTogether {
    /// `off` says that there is none.
    #[error("`--listen off` means that the server has no listener; leave out the other --listen, or `off`")]
    Off,
    /// The same one twice.
    #[error("`--listen {0}` is given twice; give each listener once")]
    Twice(String),
}

/// # Errors
/// `off` is not alone, or an address occurs twice. Port 0 may: it means another port each time.
pub fn check_together(urls: &[ListenUrl]) -> Result<(), NotTogether> {
    if urls.len() > 1 && urls.contains(&ListenUrl::Off) {
        return Err(NotTogether::Off);
    }
    let any_port = |url: &ListenUrl| matches!(url, ListenUrl::WebSocket(address) if address.port() == 0);
    let places: Vec<Cow<'_, ListenUrl>> = urls.iter().map(place).collect();
    let again = urls.iter().enumerate().find(|(at, url)| !any_port(url) && places[..*at].contains(&places[*at]));
    again.map_or(Ok(()), |(_, url)| Err(NotTogether::Twice(url.to_string())))
}

/// The same listener, without links in the path of its socket's directory.
fn place(url: &ListenUrl) -> Cow<'_, ListenUrl> {
    let resolved =
        |path: &Path| -> Option<PathBuf> { Some(path.parent()?.canonicalize().ok()?.join(path.file_name()?)) };
    match url {
        ListenUrl::Unix(path) => resolved(path).map_or(Cow::Borrowed(url), |path| Cow::Owned(ListenUrl::Unix(path))),
        _ => Cow::Borrowed(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_listeners_stand_together_and_off_stands_alone() {
        let check = |urls: &[&str]| {
            let parsed: Vec<_> =
                urls.iter().map(|url| ListenUrl::parse(url, || Ok("/home/me/.codex".into())).unwrap()).collect();
            check_together(&parsed)
        };
        let twice = |url: &str| Err(NotTogether::Twice(url.to_owned()));
        for alone in [&[] as &[_], &["off"], &["stdio://"], &["unix://"]] {
            assert_eq!(check(alone), Ok(()));
        }
        assert_eq!(check(&["unix://", "unix:///x", "ws://127.0.0.1:1", "ws://[::1]:1", "stdio://"]), Ok(()));
        assert_eq!(check(&["ws://127.0.0.1:0", "ws://127.0.0.1:0"]), Ok(()));
        assert_eq!(check(&["stdio://", "off"]), Err(NotTogether::Off));
        assert_eq!(check(&["off", "off"]), Err(NotTogether::Off));
        assert_eq!(check(&["stdio://", "unix:///x", "stdio://"]), twice("stdio://"));
        assert_eq!(check(&["ws://127.0.0.1:4500", "ws://127.0.0.1:4500"]), twice("ws://127.0.0.1:4500"));
        let control = "/home/me/.codex/app-server-control/app-server-control.sock";
        assert_eq!(check(&["unix://", &format!("unix://{control}")]), twice(&format!("unix://{control}")));
    }
}
