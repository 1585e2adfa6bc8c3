//! The listener of the relay.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix::Addr;
use actix_http::{
    HttpServiceBuilder, Request, Response,
    body::BoxBody,
    h1::{ExpectHandler, UpgradeHandler},
};
use actix_rt::{net::TcpStream, task::JoinHandle, time::timeout};
use actix_service::{Service, ServiceFactory, map_config};
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    dev::{AppConfig, Server, ServerHandle},
    http::KeepAlive,
    web,
};
use app_server_actors::{clock::Clock, relay::Relay, store::Store, vital::Vitals};
use tokio::sync::mpsc;

use super::{
    error::RelayError,
    page,
    routes::app,
    site::{Rules, Site},
    tls,
};
use crate::{
    cli::RelayArguments,
    http::{Capacity, Entrance, TrustedProxies, tcp_stream},
    listen::{PublicUrl, RelayAddress},
    settings::{self, Settings},
};

/// Name of the listener in the library's messages.
const NAME: &str = "relay";

/// A running listener and the actor behind it.
pub struct RelayListener {
    relay: Arc<Addr<Relay>>,
    address: SocketAddr,
    encrypted: bool,
    public: Option<PublicUrl>,
    handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl RelayListener {
    /// Listens, and starts the relay on the arbiter of the sockets.
    pub async fn start(
        arguments: &RelayArguments,
        store: Arc<Addr<Store>>,
        settings: &Settings,
        clock: Clock,
        vitals: &Vitals,
    ) -> Result<Self, RelayError> {
        let RelayAddress { address, encrypted } = arguments.listen;
        let files = arguments.tls_cert.as_deref().zip(arguments.tls_key.as_deref());
        if encrypted != files.is_some() {
            return Err(RelayError::Certificate);
        }
        let tls = files.map(|(certificate, key)| tls::config(certificate, key)).transpose()?;
        let failed = |error| RelayError::Io { error, address };
        let socket = TcpListener::bind(address).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;

        let http = settings::Http {
            max_connections: settings.relay.connections,
            max_connections_per_address: settings.relay.connections_per_address,
            ..settings.http.clone()
        };
        let capacity = Capacity::of(&http);
        let proxies = TrustedProxies::new(&http.trusted_proxies).map_err(|e| RelayError::Setting(e.to_string()))?;
        let public = arguments.public_url.clone();
        let rules = Arc::new(Rules::new(settings, proxies.clone(), public.clone(), encrypted)?);
        let entrance = Arc::new(Entrance::new(&http, &capacity, proxies));

        let (tell, mut started) = mpsc::channel(1);
        let only = Arc::new(OnceLock::new());
        let (vitals, relay_settings) = (vitals.clone(), settings.relay.clone());
        let site = move || {
            let relay = only.get_or_init(|| {
                let relay = Relay::start(relay_settings.clone(), store.clone(), clock.clone(), &vitals);
                // There is room: this is the only message, and the receiver is waiting for it.
                let _ = tell.try_send(relay.clone());
                relay
            });
            app(web::Data::new(Site { relay: relay.clone(), rules: rules.clone() }))
        };
        let server = Server::build()
            .workers(1)
            // Never reached, because the reserve limits itself.
            .max_concurrent_connections(capacity.connections + 2 * capacity.reserve)
            .disable_signals();
        let server = match tls {
            Some(config) => server.listen(NAME, socket, move || {
                let service = http1::<TlsStream<TcpStream>, _>(entrance.clone());
                service.h1(map_config(site(), |()| AppConfig::default())).rustls_0_23(config.clone())
            }),
            None => server.listen(NAME, socket, move || {
                let service = http1::<TcpStream, _>(entrance.clone());
                service.h1(map_config(site(), |()| AppConfig::default())).tcp()
            }),
        };
        let server = server.map_err(failed)?.run();
        let handle = server.handle();
        let mut running = actix_rt::spawn(server);
        tokio::select! {
            Some(relay) = started.recv() => Ok(Self { relay, address, encrypted, public, handle, running }),
            ended = &mut running => Err(RelayError::Stopped(why(ended))),
        }
    }

    /// The actor.
    pub fn relay(&self) -> &Addr<Relay> {
        &self.relay
    }

    /// Where it listens, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How others reach the relay.
    pub fn url(&self) -> String {
        match &self.public {
            Some(public) => public.to_string(),
            None => format!("{}://{}", if self.encrypted { "https" } else { "http" }, self.address),
        }
    }

    /// What a person reads at the start.
    pub fn banner(&self) -> String {
        let url = self.url();
        let plain = !self.encrypted && self.public.as_ref().is_none_or(|public| !public.is_encrypted());
        let warning = if plain && !self.address.ip().is_loopback() {
            "\n  warning: everything crosses the network unencrypted; use --tls-cert and --tls-key, or a proxy with TLS"
        } else {
            ""
        };
        format!(
            "codex-app-server relay\n  page for phones: {url}/\n  machines:        codex-app-server remote-control \
             --relay {url} --token-file FILE\n  tokens:          codex-app-server relay token add NAME\n  digest of page:  \
             {}{warning}\n",
            page::digest()
        )
    }

    /// Resolves when the server ends by itself.
    pub async fn ended(&mut self) -> RelayError {
        RelayError::Stopped(why((&mut self.running).await))
    }

    /// Stops accepting, and gives the sockets so long to take their last messages.
    pub async fn stop(&self, close: Duration) {
        self.handle.pause().await;
        // Sockets that are not read are dropped afterwards.
        let _ = timeout(close, self.handle.stop(true)).await;
    }
}

/// HTTP/1.1 and nothing else: WebSockets need it, and the rule for hosts knows its header.
fn http1<Stream, S>(entrance: Arc<Entrance>) -> HttpServiceBuilder<Stream, S, ExpectHandler, UpgradeHandler>
where
    Stream: 'static,
    S: ServiceFactory<Request, Config = ()>,
    S::Error: Into<Response<BoxBody>> + 'static,
    S::InitError: std::fmt::Debug,
    <S::Service as Service<Request>>::Future: 'static,
{
    HttpServiceBuilder::default()
        // The entrance limits these times.
        .keep_alive(KeepAlive::Os)
        .client_request_timeout(Duration::ZERO)
        .client_disconnect_timeout(Duration::ZERO)
        .on_connect_ext(move |connection: &Stream, data| {
            if let Some(stream) = tcp_stream(connection) {
                // Small messages do not wait for each other. It only fails if the peer is gone already.
                let _ = stream.set_nodelay(true);
            }
            entrance.meet(connection, data);
        })
}

fn why(ended: Result<io::Result<()>, actix_rt::task::JoinError>) -> io::Error {
    let stopped = || io::Error::other("without an error");
    ended.map_or_else(io::Error::other, |ended| ended.err().unwrap_or_else(stopped))
}
