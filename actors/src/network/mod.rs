//! Outgoing connections: through a proxy if the environment names one, and trusting the certificate authorities that it
//! names in addition to the built-in ones.

mod exchange;
mod proxy;
mod public;

use std::io;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_tls::connect::{ConnectError as TcpConnectError, ConnectInfo, Connection};
use actix_web::dev::{Service, fn_service};
use awc::error::ConnectError;
use awc::http::Uri;
use awc::{BoxedSocket, Connect, Connector};
use futures_util::future::LocalBoxFuture;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use self::proxy::Proxies;
use crate::cached_file::LARGEST_FILE;
use crate::environment::Environment;

pub use exchange::{ExchangeError, Request, Response};
pub use public::is_public;

/// Variable with the path of a PEM file of certificate authorities.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// The configuration of outgoing connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Network {
    proxies: Arc<Proxies>,
    tls: Arc<ClientConfig>,
    /// Only to addresses that everybody can reach.
    public_only: bool,
}

/// Opens connections on one arbiter. Clones share it.
#[derive(Clone)]
pub struct Dialer(Rc<Dial>);

/// Opens the TCP connection below what awc does.
pub trait Open:
    Service<ConnectInfo<Uri>, Response = Connection<Uri, TcpStream>, Error = TcpConnectError> + Clone + 'static
{
}

impl<T> Open for T where
    T: Service<ConnectInfo<Uri>, Response = Connection<Uri, TcpStream>, Error = TcpConnectError> + Clone + 'static
{
}

type Dial = dyn Fn(Uri) -> LocalBoxFuture<'static, Result<BoxedSocket, ConnectError>>;

impl Network {
    /// Reads `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY` and `SSL_CERT_FILE`. If the file of certificates is
    /// unusable, that is logged, and only the built-in authorities are trusted.
    pub fn new(environment: &Environment) -> Self {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(file) = environment.get(CERTIFICATES) {
            match certificates(Path::new(&file)) {
                Ok(certificates) => {
                    let (_, unusable) = roots.add_parsable_certificates(certificates);
                    if unusable > 0 {
                        log::warn!("{unusable} certificates in {file} ({CERTIFICATES}) cannot be used");
                    }
                }
                Err(reason) => log::warn!("{file} ({CERTIFICATES}) cannot be used: {reason}"),
            }
        }
        let mut tls = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { proxies: Arc::new(Proxies::new(environment)), tls: Arc::new(tls), public_only: false }
    }

    /// Without a proxy.
    #[cfg(test)]
    pub fn direct() -> Self {
        Self::new(&Environment::from_fn(|_| None))
    }

    /// The same, but only to addresses that everybody can reach: for hosts that somebody else has named. Where a proxy connects,
    /// it is the proxy that resolves names, and only addresses are judged here.
    pub fn public_only(self) -> Self {
        Self { public_only: true, ..self }
    }

    /// For awc's client: connects within `connect`, and encrypts within the same again.
    pub fn connector(&self, connect: Duration) -> Connector<impl Open + use<>> {
        let network = self.clone();
        let open = fn_service(move |info: ConnectInfo<Uri>| {
            let network = network.clone();
            async move { network.open(info).await }
        });
        let tls = Arc::clone(&self.tls);
        Connector::new().connector(open).rustls_0_23(tls).timeout(connect).handshake_timeout(connect)
    }

    /// What opens connections within `connect`, and as long again for TLS; at most `connections` at once.
    pub fn dialer(&self, connect: Duration, connections: usize) -> Dialer {
        let connector = Rc::new(self.connector(connect).limit(connections).finish());
        Dialer(Rc::new(move |uri| {
            let connector = Rc::clone(&connector);
            Box::pin(async move {
                let connection = connector.call(Connect { uri, addr: None }).await?;
                Ok(Box::new(connection) as BoxedSocket)
            })
        }))
    }

    async fn open(&self, info: ConnectInfo<Uri>) -> Result<Connection<Uri, TcpStream>, TcpConnectError> {
        let uri = info.request().clone();
        let stream = self.connect(&uri).await.map_err(TcpConnectError::Io)?;
        Ok(Connection::new(uri, stream))
    }

    /// Opens the TCP connection for `uri`, directly or through a proxy. TLS is added on top of it.
    ///
    /// # Errors
    /// The text names the proxy, if there is one.
    pub async fn connect(&self, uri: &Uri) -> io::Result<TcpStream> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let is_tls = matches!(uri.scheme_str(), Some("https" | "wss"));
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let is_ours = || host.parse().is_ok_and(|address| !is_public(address));
        let stream = match self.proxies.of(is_tls, host, port)? {
            Some(_) if self.public_only && is_ours() => return Err(io::ErrorKind::PermissionDenied.into()),
            None if self.public_only => public::connect(host, port).await?,
            Some(proxy) => proxy.tunnel(host, port).await?,
            None => TcpStream::connect((host, port)).await?,
        };
        // Turns off Nagle's algorithm, so that small messages do not wait for each other.
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

impl Dialer {
    /// Opens a connection to the host of `uri`, encrypted if its scheme requires it.
    ///
    /// # Errors
    /// The connection failed, or the time limit has passed.
    pub async fn dial(&self, uri: Uri) -> Result<BoxedSocket, ConnectError> {
        (self.0)(uri).await
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = plain_file::read(file, LARGEST_FILE).map_err(|error| error.to_string())?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = read.map_err(|error| error.to_string())?;
    if certificates.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(certificates) }
}
