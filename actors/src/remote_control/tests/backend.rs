//! The backend's HTTP endpoints, with answers that a test decides.

use std::collections::VecDeque;
use std::net::TcpListener;
use std::sync::Mutex;
use std::time::{Duration, UNIX_EPOCH};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::NOW;
use crate::times;

/// What was asked: the last word of the path, the account or server token, the body.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub what: String,
    pub bearer: String,
    pub account: Option<String>,
    pub body: Value,
}

/// An answer that is not the usual one: status, headers, body.
pub type Fault = (u16, Vec<(&'static str, String)>, String);

#[derive(Default)]
struct Book {
    asked: Vec<Asked>,
    faults: Vec<(String, VecDeque<Fault>)>,
    hosts: usize,
    /// How long server tokens live, in milliseconds.
    token_life: i64,
    /// The next answer to a request waits until the other end is dropped.
    held: Option<(String, oneshot::Receiver<()>)>,
}

pub struct Backend {
    port: u16,
    book: web::Data<Mutex<Book>>,
    server: ServerHandle,
}

impl Backend {
    pub fn start() -> Self {
        let book = web::Data::new(Mutex::new(Book { token_life: 3_600_000, ..Book::default() }));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let of_app = book.clone();
        let server = HttpServer::new(move || App::new().app_data(of_app.clone()).default_service(web::to(answer)))
            .workers(1)
            .disable_signals()
            .listen(listener)
            .unwrap()
            .run();
        let handle = server.handle();
        actix_rt::spawn(server);
        Self { port, book, server: handle }
    }

    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/base", self.port)
    }

    pub fn token_url(&self) -> String {
        format!("http://127.0.0.1:{}/oauth/token", self.port)
    }

    /// The next request to `what` is answered so; after those that were told before.
    pub fn fail(&self, what: &str, status: u16, body: Value) {
        self.fault(what, (status, Vec::new(), body.to_string()));
    }

    pub fn fault(&self, what: &str, fault: Fault) {
        let mut book = self.book.lock().unwrap();
        match book.faults.iter_mut().find(|(it, _)| it == what) {
            Some((_, faults)) => faults.push_back(fault),
            None => book.faults.push((what.to_owned(), [fault].into())),
        }
    }

    /// The next answer to `what` waits until what comes back is dropped.
    pub fn hold(&self, what: &str) -> oneshot::Sender<()> {
        let (held, until) = oneshot::channel();
        self.book.lock().unwrap().held = Some((what.to_owned(), until));
        held
    }

    pub fn tokens_live(&self, milliseconds: i64) {
        self.book.lock().unwrap().token_life = milliseconds;
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.book.lock().unwrap().asked.clone()
    }

    /// What was asked, in words.
    pub fn words(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.what).collect()
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, book: web::Data<Mutex<Book>>) -> HttpResponse {
    let what = request.path().rsplit('/').next().unwrap_or_default().to_owned();
    let header = |name: &str| Some(request.headers().get(name)?.to_str().ok()?.to_owned());
    let bearer = header("authorization").unwrap_or_default().replace("Bearer ", "");
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let asked = Asked { what: what.clone(), bearer, account: header("chatgpt-account-id"), body };
    let held = {
        let mut book = book.lock().unwrap();
        book.asked.push(asked);
        book.held.take_if(|(it, _)| *it == what)
    };
    if let Some((_, until)) = held {
        // Nothing is ever sent.
        let _ = until.await;
    }
    let mut book = book.lock().unwrap();
    let fault = book.faults.iter_mut().find(|(it, _)| *it == what).and_then(|(_, faults)| faults.pop_front());
    if let Some((status, headers, body)) = fault {
        let mut response = HttpResponse::build(status.try_into().unwrap());
        for header in headers {
            response.insert_header(header);
        }
        return response.body(body);
    }
    if what == "enroll" {
        book.hosts += 1;
    }
    let host = book.hosts.max(1);
    let expires_at = times::show(NOW + book.token_life);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(NOW.try_into().unwrap()));
    HttpResponse::Ok().insert_header(("date", date)).json(match what.as_str() {
        "enroll" | "refresh" => json!({"server_id": format!("srv_{host}"), "environment_id": format!("env_{host}"),
            "remote_control_token": format!("token-{}", book.asked.len()), "expires_at": expires_at}),
        "pair" => {
            json!({"pairing_code": "code", "manual_pairing_code": "ABCD-EFGH", "server_id": format!("srv_{host}"),
            "environment_id": format!("env_{host}"), "expires_at": expires_at})
        }
        "status" => json!({"claimed": true}),
        "token" => json!({"access_token": "access-2"}),
        "clients" => json!({"items": [{"client_id": "c1", "last_seen_at": "1970-01-01T00:00:05Z"}], "cursor": null}),
        _ => json!({}),
    })
}
