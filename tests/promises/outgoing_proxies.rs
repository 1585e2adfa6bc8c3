//! Outgoing connections go through the proxy that the environment names, and errors name what kept them.

use std::fs;
use std::net::TcpListener;

use crate::support::backend::Backend;
use crate::support::home::Home;
use crate::support::process::Launch;
use crate::support::remote;
use crate::support::server::Server;
use crate::support::tunnels::{HOST, TunnelProxy};

/// A home whose backend is at [`HOST`], and how to run the binary in it with this proxy.
fn launch(backend: &Backend, proxy: (&str, &str)) -> (Home, Launch) {
    let home = backend.home();
    let config = fs::read_to_string(home.join("config.toml")).expect("a file");
    let plain = format!("http://{}", backend.address());
    let config = config.replace(&plain, &format!("https://{HOST}"));
    fs::write(home.join("config.toml"), config).expect("the file is ours");
    let mut launch = remote::launch(backend, &home).setting("remote_control.hosts", format!("[\"{HOST}\"]"));
    // Those of whoever runs the tests do not count.
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
        launch = launch.env(name, if name == proxy.0 { proxy.1 } else { "" });
    }
    (home, launch)
}

#[test]
fn remote_control_reaches_its_backend_through_the_proxy_with_every_connection() {
    for variable in ["HTTPS_PROXY", "all_proxy"] {
        let backend = Backend::start();
        let proxy = TunnelProxy::start(&format!("{HOST}:443"), backend.address());
        let (home, launch) = launch(&backend, (variable, &proxy.url()));
        let certificates = home.join("certificates.pem");
        fs::write(&certificates, TunnelProxy::certificate()).expect("a file");
        let _server = Server::unix(launch.env("SSL_CERT_FILE", &certificates.display().to_string()));
        backend.wait_for_host(1);
        backend.controller().into_client().initialize();
        let asked = proxy.asked();
        // At least one to enroll, and the WebSocket.
        assert!(asked.len() >= 2 && asked.iter().all(|it| *it == format!("{HOST}:443")), "{variable}: {asked:?}");
    }
}

#[test]
fn what_keeps_remote_control_from_its_backend_is_named() {
    let backend = Backend::start();
    let elsewhere = TunnelProxy::start("elsewhere.test:443", backend.address());
    let untrusted = TunnelProxy::start(&format!("{HOST}:443"), backend.address());
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it is bound");
    for (proxy, cause) in [
        (elsewhere.url(), format!("it opens no connection to {HOST}:443: 403 Forbidden")),
        (format!("http://{closed}"), "Connection refused".to_owned()),
        (untrusted.url(), "certificate".to_owned()),
        ("socks5://127.0.0.1:1".to_owned(), "proxies of the kind socks5:// are not supported".to_owned()),
    ] {
        let (_home, launch) = launch(&backend, ("HTTPS_PROXY", &proxy));
        let server = Server::unix(launch);
        server.process.stderr.wait_for(&cause, |said| said.contains(&cause).then_some(()));
    }
}
