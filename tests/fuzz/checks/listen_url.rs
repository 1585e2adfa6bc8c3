use std::path::PathBuf;

use codex_app_server::listen::ListenUrl;

/// Any `--listen` argument means exactly one thing, or is refused with a text that shows it.
pub fn listen_url(bytes: &[u8]) {
    let Ok(url) = std::str::from_utf8(bytes) else { return };
    match ListenUrl::parse(url, || Ok(PathBuf::from("/home/me/.codex"))) {
        Ok(ListenUrl::Stdio) => assert_eq!(url, "stdio://"),
        Ok(ListenUrl::Off) => assert_eq!(url, "off"),
        Ok(ListenUrl::Unix(path)) => {
            assert!(path.is_absolute(), "{url} became {}", path.display());
            let again = ListenUrl::parse(&format!("unix://{}", path.display()), || unreachable!("it names a path"));
            assert_eq!(again.expect("an absolute path is one"), ListenUrl::Unix(path));
        }
        Ok(ListenUrl::WebSocket(address)) => {
            let again = ListenUrl::parse(&format!("ws://{address}"), || unreachable!("it names an address"));
            assert_eq!(again.expect("an address is one"), ListenUrl::WebSocket(address));
        }
        Err(error) => assert!(error.to_string().contains(url), "{error}"),
    }
}
