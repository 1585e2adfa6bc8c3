//! A proxy on loopback that opens tunnels (CONNECT) to one host, which exists nowhere else: at their end it speaks TLS
//! itself and passes on to a plain server.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// The host to which the tunnels lead.
pub const HOST: &str = "backend.test";

/// A certificate of its own for [`HOST`], valid until 2126, in base64.
const CERTIFICATE: &str = "MIIBmjCCAUGgAwIBAgIUXHjM9zbZc6trii3hn+IUSMFr/e4wCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMYmFja2VuZC50ZXN0MCAX\
    DTI2MTEyOTExMTQ1OVoYDzIxMjYxMTA1MTExNDU5WjAXMRUwEwYDVQQDDAxiYWNrZW5kLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO\
    PQMBBwNCAASLvm9CV1RVbJrPlCAE/6Wj/awot+H5jgBqwGybPZfZ1qor2XKyV/0MowDREZZ3NvGVSSNzg5r2UWcCEX0GePuvo2kw\
    ZzAdBgNVHQ4EFgQUQFO4UT/BEm00C6DfgjGOb3lKtc8wHwYDVR0jBBgwFoAUQFO4UT/BEm00C6DfgjGOb3lKtc8wFwYDVR0RBBAw\
    DoIMYmFja2VuZC50ZXN0MAwGA1UdEwEB/wQCMAAwCgYIKoZIzj0EAwIDRwAwRAIgKm0dWNnAprL1QrY1BRFKesWYplEGuWPPVS9S\
    5YwHc30CIA3QmLNwDBuoxYqpN9bmqZ6o2Fwhmt59Z5HrKCWPd0x+";

/// The key of [`CERTIFICATE`]. Nothing but these tests trusts it.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgO6yVIqEd214WN9v5eiLdHNF5lwTE7ooGWPQe3bJu+j2hRANCAASL\
    vm9CV1RVbJrPlCAE/6Wj/awot+H5jgBqwGybPZfZ1qor2XKyV/0MowDREZZ3NvGVSSNzg5r2UWcCEX0GePuv";

/// [`CERTIFICATE`] and [`KEY`] in PEM.
pub fn pem() -> (String, String) {
    let pem = |what: &str, base64: &str| {
        format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", base64.replace(['\n', ' '], ""))
    };
    (pem("CERTIFICATE", CERTIFICATE), pem("PRIVATE KEY", KEY))
}

/// Opens TLS to [`HOST`] on a connection that leads there, and trusts nobody else.
pub fn open_tls(stream: std::net::TcpStream) -> StreamOwned<ClientConnection, std::net::TcpStream> {
    let mut roots = RootCertStore::empty();
    let certificate = BASE64_STANDARD.decode(CERTIFICATE).expect("base64");
    roots.add(CertificateDer::from(certificate)).expect("a certificate");
    let mut config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    // As browsers do.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let name = HOST.try_into().expect("a name");
    StreamOwned::new(ClientConnection::new(Arc::new(config), name).expect("a connection"), stream)
}

/// A running proxy; it ends when it is dropped.
pub struct TunnelProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _wanted: oneshot::Sender<()>,
}

/// Where its tunnels lead.
#[derive(Clone)]
struct End {
    /// `HOST:PORT` as clients name it.
    name: String,
    tls: TlsAcceptor,
    plain: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl TunnelProxy {
    /// Opens tunnels to `name`, as `HOST:PORT`, only; what comes through them goes to `plain`.
    pub fn start(name: &str, plain: SocketAddr) -> Self {
        let decoded = |text| BASE64_STANDARD.decode(text).expect("base64");
        let certificate = CertificateDer::from(decoded(CERTIFICATE));
        let key = PrivatePkcs8KeyDer::from(decoded(KEY));
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key.into());
        let tls = TlsAcceptor::from(Arc::new(config.expect("the key is that of the certificate")));
        let listener = StdListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let end = End { name: name.to_owned(), tls, plain, asked: Arc::clone(&asked) };
        let (_wanted, unwanted) = oneshot::channel();
        thread::spawn(move || accept(listener, &end, unwanted));
        Self { address, asked, _wanted }
    }

    /// What `HTTPS_PROXY` says.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The certificate of [`HOST`], as PEM.
    pub fn certificate() -> String {
        format!("-----BEGIN CERTIFICATE-----\n{CERTIFICATE}\n-----END CERTIFICATE-----\n")
    }

    /// Every tunnel that was asked for so far, as `HOST:PORT`.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panicked").clone()
    }
}

fn accept(listener: StdListener, end: &End, mut unwanted: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        listener.set_nonblocking(true).expect("a socket can be so");
        let listener = TcpListener::from_std(listener).expect("it is a listener");
        loop {
            tokio::select! {
                _ = &mut unwanted => return,
                Ok((stream, _)) = listener.accept() => {
                    let end = end.clone();
                    // How a tunnel ends is the affair of those at its ends.
                    tokio::spawn(async move { end.serve(stream).await });
                }
            }
        }
    });
}

impl End {
    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 {
            head.push(stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head);
        let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or("no tunnel");
        self.asked.lock().expect("nobody panicked").push(target.to_owned());
        if target != self.name {
            return stream.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
        }
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
        let mut inside = self.tls.accept(stream).await?;
        let mut plain = TcpStream::connect(self.plain).await?;
        copy_bidirectional(&mut inside, &mut plain).await.map(drop)
    }
}
