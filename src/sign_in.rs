//! Signing in: the address on loopback that a browser comes back to from a sign-in. It is open while a sign-in waits, and answers
//! `GET /auth/callback` only.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use actix_http::{
    HttpMessage as _, HttpService, KeepAlive, Method, Request, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY},
};
use actix_rt::time::{sleep, timeout};
use actix_service::{Service, ServiceFactory, fn_service};
use actix_web::web::Query;
use app_server_actors::{
    account::{
        Credentials,
        callback::{Brought, CALLBACK_PATH, Callback, OpenCallback, Page, Visit},
        issuer::SignInSetup,
    },
    model::ModelSetup,
    protocol::Secret,
};
use serde::Deserialize;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc, oneshot},
};
use tokio_util::sync::CancellationToken;

use crate::settings::SignIn;

/// Pause between two attempts to open a port.
const PAUSE: Duration = Duration::from_millis(100);

/// How users sign in to a server whose account and network are these.
pub fn setup(account: &Arc<Credentials>, models: &ModelSetup, settings: &SignIn) -> SignInSetup {
    SignInSetup {
        account: account.clone(),
        issuer: models.environment.get("CODEX_APP_SERVER_LOGIN_ISSUER"),
        originator: models.originator.clone(),
        network: models.network.clone(),
        clock: models.clock.clone(),
        callback: Some(opener(settings)),
        browser_time: settings.browser_seconds,
    }
}

/// Opens the address for each sign-in.
fn opener(settings: &SignIn) -> OpenCallback {
    let settings = Arc::new(settings.clone());
    Arc::new(move || {
        let settings = settings.clone();
        Box::pin(async move { open(settings).await })
    })
}

async fn open(settings: Arc<SignIn>) -> Result<Callback, String> {
    let listener = bind(&settings).await?;
    let port = listener.local_addr().map_err(|error| error.to_string())?.port();
    // One visit at a time; further ones wait in their connections.
    let (visits, received) = mpsc::channel(1);
    let closing = CancellationToken::new();
    let open = closing.clone().drop_guard();
    let accepting = accept(listener, Desk { port, visits }, settings);
    actix_rt::spawn(closing.run_until_cancelled_owned(accepting));
    Ok(Callback { port, visits: received, open })
}

/// The first port that is free. The address of an earlier sign-in may need a moment to close.
async fn bind(settings: &SignIn) -> Result<TcpListener, String> {
    let mut reasons = Vec::new();
    for port in [settings.port, settings.fallback_port] {
        match timeout(settings.port_milliseconds.duration(), bind_patiently(port)).await {
            Ok(Ok(listener)) => return Ok(listener),
            Ok(Err(error)) => reasons.push(format!("port {port}: {error}")),
            Err(_) => reasons.push(format!("port {port} is in use")),
        }
    }
    Err(format!("no port is free for the browser ({}); end what uses them, or set sign_in.port", reasons.join(", ")))
}

async fn bind_patiently(port: u16) -> io::Result<TcpListener> {
    loop {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => sleep(PAUSE).await,
            bound => return bound,
        }
    }
}

/// Serves each connection until it is answered, a bounded number at a time.
async fn accept(listener: TcpListener, desk: Desk, settings: Arc<SignIn>) {
    let places = Arc::new(Semaphore::new(settings.connections));
    while let Ok(place) = places.clone().acquire_owned().await {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let (desk, settings) = (desk.clone(), settings.clone());
                actix_rt::spawn(async move {
                    serve(stream, peer, desk, &settings).await;
                    drop(place);
                });
            }
            Err(error) => {
                log::warn!("a browser that signs in cannot be let in: {error}");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, desk: Desk, settings: &SignIn) {
    let service = HttpService::build()
        .keep_alive(KeepAlive::Disabled)
        .client_request_timeout(settings.request_seconds.duration())
        .client_disconnect_timeout(settings.request_seconds.duration())
        .h1(fn_service(move |request: Request| {
            let desk = desk.clone();
            async move { Ok::<_, actix_web::Error>(desk.answer(&request).await) }
        }));
    // A browser that hangs up, or that says nothing, has lost only its own page.
    if let Ok(service) = service.new_service(()).await {
        let _ = service.call((stream, Some(peer))).await;
    }
}

/// What the issuer adds to the address.
#[derive(Deserialize)]
struct Answer {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// Where the visits of one sign-in are handed on.
#[derive(Clone)]
struct Desk {
    port: u16,
    visits: mpsc::Sender<Visit>,
}

impl Desk {
    async fn answer(&self, request: &Request) -> Response<String> {
        if !self.is_meant(request) {
            return page(StatusCode::MISDIRECTED_REQUEST, "Wrong address", "This address is for a sign-in.");
        }
        if request.path() != CALLBACK_PATH {
            return page(StatusCode::NOT_FOUND, "Nothing is here", "This address is for a sign-in.");
        }
        if request.method() != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, "Nothing is here", "A browser comes with GET.");
        }
        let Ok(Query(answer)) = Query::<Answer>::from_query(request.uri().query().unwrap_or_default()) else {
            return shown(Some(Page::Foreign));
        };
        let secret = |text: Option<String>| text.map(|text| Secret::from(text.as_str()));
        let brought = Brought {
            state: secret(answer.state),
            code: secret(answer.code.filter(|code| !code.is_empty())),
            refusal: answer.error.map(|error| answer.error_description.unwrap_or(error)),
        };
        let (reply, answered) = oneshot::channel();
        let sent = self.visits.send(Visit { brought, answer: reply }).await;
        shown(if sent.is_ok() { answered.await.ok() } else { None })
    }

    /// Whether a browser was sent here by the issuer: not by a name that somebody lets lead here, and not by the script of a
    /// page.
    fn is_meant(&self, request: &Request) -> bool {
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let own = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        host.is_some_and(|host| own.iter().any(|own| own == host)) && !request.headers().contains_key(ORIGIN)
    }
}

fn shown(answer: Option<Page>) -> Response<String> {
    let close = "You can close this window and go on where you were.";
    match answer {
        Some(Page::SignedIn) => page(StatusCode::OK, "You are signed in", close),
        Some(Page::Failed(reason)) => page(StatusCode::BAD_REQUEST, "You are not signed in", &reason),
        Some(Page::Foreign) => {
            page(StatusCode::BAD_REQUEST, "You are not signed in", "This is not the sign-in that was begun here.")
        }
        None => page(StatusCode::GONE, "This sign-in is over", "Begin it again if you are not signed in."),
    }
}

fn page(status: StatusCode, title: &str, text: &str) -> Response<String> {
    let (title, text) = (escaped(title), escaped(text));
    let body = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>{title}</title>\
         <body style=\"font-family:sans-serif;margin:4em auto;max-width:34em\"><h1>{title}</h1><p>{text}</p></body></html>"
    );
    Response::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
        .message_body(body)
        .unwrap_or_else(|_| Response::with_body(StatusCode::INTERNAL_SERVER_ERROR, String::new()))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
