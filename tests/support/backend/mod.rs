//! A remote-control backend in the test's own process, on loopback: the HTTP endpoints, the OAuth token endpoint and
//! the WebSocket of the host (spec: remote control 4 to 9), with injected faults.
//!
//! It is strict: an invalid request is refused and recorded, and fails the test at its end.

pub mod account;
pub mod controller;
mod envelope;
pub mod faults;
pub mod http;
mod link;
mod service;
mod stream;

use std::io::BufReader;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use self::account::Account;
use self::controller::Controller;
use self::faults::{Endpoint, Fault, Faults};
use self::http::{Answer, Request};
use self::link::Link;
use self::service::Service;
use super::eventually;
use super::home::Home;

/// The path below which everything of remote control is.
const BASE: &str = "/backend-api/";

/// A running backend; it ends when it is dropped.
pub struct Backend {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    service: Mutex<Service>,
    faults: Mutex<Faults>,
    requests: Mutex<Vec<Request>>,
    /// What no host should have done.
    complaints: Arc<Mutex<Vec<String>>>,
    link: Arc<Link>,
    /// Every connection, to end it.
    sockets: Mutex<Vec<TcpStream>>,
    ended: AtomicBool,
    controllers: AtomicUsize,
}

impl Backend {
    /// On a port of the system's choice.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let complaints: Arc<Mutex<Vec<String>>> = Arc::default();
        let shared = Arc::new(Shared {
            service: Mutex::new(Service::new()),
            faults: Mutex::default(),
            requests: Mutex::default(),
            link: Arc::new(Link::new(Arc::clone(&complaints))),
            complaints,
            sockets: Mutex::default(),
            ended: AtomicBool::new(false),
            controllers: AtomicUsize::new(0),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || serving.accept(&listener));
        Self { shared, address }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What `chatgpt_base_url` says.
    pub fn base_url(&self) -> String {
        format!("http://{}{BASE}", self.address)
    }

    /// What `CODEX_REFRESH_TOKEN_URL_OVERRIDE` says.
    pub fn token_url(&self) -> String {
        format!("http://{}/oauth/token", self.address)
    }

    /// A home whose account is known here, and whose `config.toml` names this backend.
    pub fn home(&self) -> Home {
        let text = format!("chatgpt_base_url = \"{}\"\ncli_auth_credentials_store = \"file\"\n", self.base_url());
        let home = Home::with_config(&text);
        self.account().sign_in(&home);
        home
    }

    /// The account as it is known here now.
    pub fn account(&self) -> Account {
        self.service(|service| service.account.clone())
    }

    /// Looks at or changes what the endpoints know.
    pub fn service<T>(&self, change: impl FnOnce(&mut Service) -> T) -> T {
        change(&mut self.shared.service.lock().expect("no endpoint panicked"))
    }

    /// The next request to `endpoint` meets `fault`; after those that were told before.
    pub fn fail(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.faults.lock().expect("nobody panicked").push(endpoint, fault);
    }

    /// Every request to `endpoint` meets `fault`, until [`Self::heal`].
    pub fn fail_always(&self, endpoint: Endpoint, fault: Fault) {
        self.shared.faults.lock().expect("nobody panicked").stay(endpoint, fault);
    }

    /// No more faults.
    pub fn heal(&self) {
        *self.shared.faults.lock().expect("nobody panicked") = Faults::default();
    }

    /// Every request to `endpoint` so far.
    pub fn requests(&self, endpoint: Endpoint) -> Vec<Request> {
        let requests = self.shared.requests.lock().expect("nobody panicked");
        requests.iter().filter(|request| Endpoint::of(request) == Some(endpoint)).cloned().collect()
    }

    /// Waits until there were `count` requests to `endpoint`: all of them.
    pub fn wait_for_requests(&self, endpoint: Endpoint, count: usize) -> Vec<Request> {
        eventually(&format!("{count} requests to {endpoint:?}"), || self.requests(endpoint).len() >= count);
        self.requests(endpoint)
    }

    /// Waits until a host is connected for the `count`th time or later.
    pub fn wait_for_host(&self, count: usize) {
        eventually(&format!("host number {count} connects"), || {
            let connected = self.shared.link.connected();
            connected.now && connected.times >= count
        });
    }

    /// How often a host has connected.
    pub fn connections(&self) -> usize {
        self.shared.link.connected().times
    }

    /// Cuts the host's connection without a word.
    pub fn cut(&self) {
        self.shared.link.cut();
    }

    /// Closes the host's connection with a close frame.
    pub fn close(&self) {
        self.shared.link.close();
    }

    /// Sends the host these bytes, whatever they mean.
    pub fn send_bytes(&self, bytes: &[u8]) {
        self.shared.link.send_bytes(bytes);
    }

    /// Sends the host one text frame.
    pub fn send_text(&self, text: &str) {
        self.shared.link.send_text(text);
    }

    /// From now on nothing reaches this host any more, not even an answer to a ping.
    pub fn mute(&self) {
        self.shared.link.mute();
    }

    /// A controller with a client id and a stream id of its own. It may be opened before the host is there.
    pub fn controller(&self) -> Controller {
        let number = self.shared.controllers.fetch_add(1, Ordering::Relaxed);
        Controller::new(Arc::clone(&self.shared.link), &format!("phone-{number}"), Some(&format!("stream-{number}")))
    }

    /// A controller with these ids; without a stream id it is one of the old ones.
    pub fn controller_of(&self, client_id: &str, stream_id: Option<&str>) -> Controller {
        Controller::new(Arc::clone(&self.shared.link), client_id, stream_id)
    }

    /// Adds a controller to those that the endpoint lists.
    pub fn add_listed_client(&self, client: Value) {
        self.service(|service| service.clients.push(client));
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the listener up.
        drop(TcpStream::connect(self.address));
        for socket in self.shared.sockets.lock().expect("nobody panicked").iter() {
            // It may be closed already.
            let _ = socket.shutdown(Shutdown::Both);
        }
        if !thread::panicking() {
            let complaints = self.shared.complaints.lock().expect("nobody panicked");
            assert!(complaints.is_empty(), "the backend complains: {complaints:#?}");
        }
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().map_while(Result::ok) {
            if self.ended.load(Ordering::SeqCst) {
                return;
            }
            self.sockets.lock().expect("nobody panicked").push(stream.try_clone().expect("a socket can be duplicated"));
            let shared = Arc::clone(&self);
            thread::spawn(move || shared.serve(stream));
        }
    }

    /// One connection, request after request.
    fn serve(&self, mut stream: TcpStream) {
        stream.set_nodelay(true).expect("a TCP socket takes the option");
        let mut reader = BufReader::new(stream.try_clone().expect("a socket can be duplicated"));
        while let Some(request) = Request::read(&mut reader) {
            self.requests.lock().expect("nobody panicked").push(request.clone());
            let Some(endpoint) = Endpoint::of(&request) else {
                // The reference program asks for other things as well.
                Answer::status(404).write(&mut stream);
                continue;
            };
            // On a line of its own, so that the others are not locked out while it happens.
            let fault = self.faults.lock().expect("nobody panicked").next(endpoint);
            if let Some(fault) = fault {
                if fault.happen(&mut stream) {
                    continue;
                }
                return;
            }
            let answer = self.service.lock().expect("no endpoint panicked").answer(endpoint, &request);
            let answer = answer.unwrap_or_else(|complaint| {
                let complaint = format!("{} {}: {complaint}", request.method, request.path);
                self.complaints.lock().expect("nobody panicked").push(complaint.clone());
                Answer::status(400).text(&complaint)
            });
            answer.write(&mut stream);
            if answer.status == http::SWITCHING_PROTOCOLS {
                return self.link.serve(stream, request.header("x-codex-subscribe-cursor"));
            }
        }
    }
}

/// Long enough that a fault which never answers outlives whoever waits.
const FOREVER: Duration = Duration::from_secs(600);
