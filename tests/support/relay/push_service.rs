//! A push service on loopback, with a certificate of its own.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::PATIENCE;
use crate::support::home::Home;

/// A running service. It answers as long as the test runs.
pub struct PushService {
    pub address: SocketAddr,
    answer: Arc<Mutex<Option<&'static str>>>,
    told: Receiver<Told>,
}

/// A push.
#[derive(Debug)]
pub struct Told {
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Told {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(it, _)| it == name);
        &found.unwrap_or_else(|| panic!("no {name} in {self:?}")).1
    }
}

impl PushService {
    /// Its certificate is written into `home`, as the value of `SSL_CERT_FILE`.
    pub fn start(home: &Home) -> (Self, String) {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let file = home.join("push-service.pem");
        std::fs::write(&file, made.cert.pem()).expect("the certificate is written");
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let config = ServerConfig::builder().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![made.cert.der().clone()], key.into()).expect("a pair"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let answer = Arc::new(Mutex::new(Some("201 Created")));
        let (tell, told) = mpsc::channel();
        let its = Arc::clone(&answer);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (config, tell, answer) = (Arc::clone(&config), tell.clone(), Arc::clone(&its));
                // A client that goes away ends only its own.
                thread::spawn(move || drop(serve(stream, config, &tell, &answer)));
            }
        });
        (Self { address, answer, told }, file.to_str().expect("a path").to_owned())
    }

    /// An address for a subscription.
    pub fn endpoint(&self, name: &str) -> String {
        format!("https://{}/{name}", self.address)
    }

    /// How it answers from now on: a status, with further headers behind line ends; `None` for never.
    pub fn answer(&self, answer: Option<&'static str>) {
        *self.answer.lock().expect("nobody panicked") = answer;
    }

    /// The next push.
    pub fn next(&self) -> Told {
        self.told.recv_timeout(PATIENCE).expect("a push")
    }

    /// What has come and was not looked at.
    pub fn rest(&self) -> Vec<Told> {
        self.told.try_iter().collect()
    }
}

fn serve(
    stream: TcpStream,
    config: Arc<ServerConfig>,
    tell: &Sender<Told>,
    answer: &Mutex<Option<&'static str>>,
) -> std::io::Result<()> {
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut stream = StreamOwned::new(connection, stream);
    let (mut text, mut byte) = (Vec::new(), [0]);
    while !text.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        text.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut lines = text.lines();
    let path = lines.next().and_then(|line| line.strip_prefix("POST ")).and_then(|line| line.split(' ').next());
    let path = path.unwrap_or("not a POST").to_owned();
    let headers =
        lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    // Before the test hears of it, and has the next one answered in another way.
    let status = *answer.lock().expect("nobody panicked");
    let _ = tell.send(Told { path, headers: headers.collect() });
    match status {
        Some(status) => {
            stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes())?;
            stream.flush()
        }
        None => {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
    }
}
