//! The listener of the relay.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
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
    overview::{self, Facts, StatusSocket},
    page, push,
    routes::app,
    site::{Rules, Site},
    tls::{self, Identity},
};
use crate::{
    cli::RelayArguments,
    http::{Capacity, Entrance, TrustedProxies, tcp_stream},
    listen::{PublicUrl, RelayAddress},
    settings::{self, Settings},
};

/// Names of the listeners in the library's messages.
const NAME: &str = "relay";
const OWN_NAME: &str = "relay for this machine";

/// Where a relay listens, and with what.
pub struct Opening {
    /// The address.
    pub listen: RelayAddress,
    /// How others reach it behind a proxy.
    pub public: Option<PublicUrl>,
    /// Files with certificate and key.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whether the machine in this process has a way of its own, which is plain and on the loopback.
    pub own_machine: bool,
}

impl From<&RelayArguments> for Opening {
    fn from(arguments: &RelayArguments) -> Self {
        let tls = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
        Self { listen: arguments.listen, public: arguments.public_url.clone(), tls, own_machine: false }
    }
}

/// A running listener and the actor behind it.
pub struct RelayListener {
    relay: Arc<Addr<Relay>>,
    address: SocketAddr,
    /// The way of the machine in this process.
    own: Option<SocketAddr>,
    identity: Option<Identity>,
    facts: Facts,
    _status: StatusSocket,
    handle: ServerHandle,
    running: JoinHandle<io::Result<()>>,
}

impl RelayListener {
    /// Listens, and starts the relay on the arbiter of the sockets.
    pub async fn start(
        opening: Opening,
        codex_home: &Path,
        store: Arc<Addr<Store>>,
        settings: &Settings,
        vitals: &Vitals,
    ) -> Result<Self, RelayError> {
        let Opening { listen: RelayAddress { address, encrypted }, public, tls, own_machine } = opening;
        if encrypted != tls.is_some() {
            return Err(RelayError::Certificate);
        }
        let (tls, identity) = tls.map(|(certificate, key)| tls::config(&certificate, &key)).transpose()?.unzip();
        let failed = |error| RelayError::Io { error, address };
        let status = overview::bind(codex_home, settings.startup.lock_seconds.duration()).await?;
        let socket = TcpListener::bind(address).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let own = own_machine.then(|| TcpListener::bind(loopback)).transpose().map_err(failed)?;

        let http = settings::Http {
            max_connections: settings.relay.connections,
            max_connections_per_address: settings.relay.connections_per_address,
            ..settings.http.clone()
        };
        let capacity = Capacity::of(&http);
        let proxies = TrustedProxies::new(&http.trusted_proxies).map_err(|e| RelayError::Setting(e.to_string()))?;
        let push = push::parts(codex_home)?;
        let push_key = push.as_ref().map(|parts| parts.key.public());
        let rules = Arc::new(Rules::new(settings, proxies.clone(), public.clone(), encrypted, push_key)?);
        let entrance = Arc::new(Entrance::new(&http, &capacity, proxies));

        let (tell, mut started) = mpsc::channel(1);
        let only = Arc::new(OnceLock::new());
        let (vitals, relay_settings, clock) = (vitals.clone(), settings.relay.clone(), Clock::system());
        let started_at = clock.unix_ms() / 1000;
        let site = move || {
            let relay = only.get_or_init(|| {
                let relay = Relay::start(relay_settings.clone(), store.clone(), clock.clone(), &vitals, push.clone());
                // There is room: this is the only message, and the receiver is waiting for it.
                let _ = tell.try_send(relay.clone());
                relay
            });
            web::Data::new(Site { relay: relay.clone(), rules: rules.clone() })
        };
        let server = Server::build()
            .workers(1)
            // Never reached, because the reserve limits itself.
            .max_concurrent_connections(capacity.connections + 2 * capacity.reserve)
            .disable_signals();
        let own_address = own.as_ref().map(TcpListener::local_addr).transpose().map_err(failed)?;
        let (same_entrance, same_site) = (entrance.clone(), site.clone());
        let plain = move || {
            let service = http1::<TcpStream, _>(same_entrance.clone());
            service.h1(map_config(app(same_site()), |()| AppConfig::default())).tcp()
        };
        let server = match own {
            Some(own) => server.listen(OWN_NAME, own, plain.clone()).map_err(failed)?,
            None => server,
        };
        let server = match tls {
            Some(config) => server.listen(NAME, socket, move || {
                let service = http1::<TlsStream<TcpStream>, _>(entrance.clone());
                service.h1(map_config(app(site()), |()| AppConfig::default())).rustls_0_23(config.clone())
            }),
            None => server.listen(NAME, socket, plain),
        };
        let server = server.map_err(failed)?.run();
        let handle = server.handle();
        let mut running = actix_rt::spawn(server);
        let relay = tokio::select! {
            Some(relay) = started.recv() => relay,
            ended = &mut running => return Err(RelayError::Stopped(why(ended))),
        };
        let listen = format!("{}://{address}", if encrypted { "https" } else { "http" });
        let url = public.as_ref().map_or_else(|| listen.clone(), PublicUrl::to_string);
        let facts = Facts::new(started_at, listen, url, identity.as_ref(), page::digest());
        let patience = settings.relay.request_seconds.duration();
        let status = StatusSocket::serve(status, relay.clone(), facts.clone(), patience).map_err(failed)?;
        Ok(Self { relay, address, own: own_address, identity, facts, _status: status, handle, running })
    }

    /// The actor.
    pub fn relay(&self) -> &Addr<Relay> {
        &self.relay
    }

    /// Where it listens, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the machine in this process reaches it.
    pub fn own_address(&self) -> SocketAddr {
        self.own.unwrap_or(self.address)
    }

    /// Its certificate, if it speaks TLS.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// How others reach the relay.
    pub fn url(&self) -> &str {
        &self.facts.url
    }

    /// What a person reads at the start.
    pub fn banner(&self) -> String {
        let address = self.address;
        // What stands for every address of this machine is none that others can use.
        let url = match address.ip().is_unspecified() {
            true => self.url().replace(&address.to_string(), &format!("HOST:{}", address.port())),
            false => self.url().to_owned(),
        };
        let host = if url.contains("//HOST:") { "\n  HOST is a name or an address of this machine" } else { "" };
        let warning = if url.starts_with("http:") && !self.address.ip().is_loopback() {
            "\n  warning: everything crosses the network unencrypted; use --tls-cert and --tls-key, or a proxy with TLS"
        } else {
            ""
        };
        format!(
            "codex-app-server relay\n  page for phones: {url}/\n  machines:        codex-app-server remote-control \
             --relay {url} --token-file FILE\n  tokens:          codex-app-server relay token add NAME\n  digest of page:  \
             {}{host}{warning}\n",
            self.facts.page
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
