//! A bare actix-web-actors server with one worker: what the framework takes before a protocol comes into it.
//!
//! On `/` it sends every text back; on `/broadcast` every text makes it send one fixed text to all connections there.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex, PoisonError};

use actix::{Actor, ActorContext, AsyncContext, Handler, Message, Recipient, StreamHandler};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, web};
use actix_web_actors::ws;
use bytestring::ByteString;

use crate::Result;
use crate::process::path_after;

/// Where a text is sent to all.
pub const BROADCAST: &str = "/broadcast";

/// As long as the notification that our server sends for a rename.
const NEWS: &str = r#"{"method":"thread/name/updated","params":{"threadId":"01a202d8-741f-7411-bd72-fe2e5a3cd5c9","threadName":"rename 1000000"},"emittedAtMs":1795344069000}"#;

/// The largest message of any case fits.
const FRAME_BYTES: usize = 1024 * 1024;

/// Serves at `address` (the form of `--listen`).
pub fn serve(address: &str) -> Result<()> {
    let audience = Audience::default();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(audience.clone()))
            .route(BROADCAST, web::get().to(start_broadcast))
            .route("/", web::get().to(start_echo))
    })
    .workers(1)
    .tcp_nodelay(true);
    let server = match path_after("unix://", address) {
        Some(path) => server.listen_uds(UnixListener::bind(path)?)?,
        None => {
            let listener = TcpListener::bind(address.trim_start_matches("ws://"))?;
            eprintln!("ws://{}", listener.local_addr()?);
            server.listen(listener)?
        }
    };
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

async fn start_echo(request: HttpRequest, payload: web::Payload) -> std::result::Result<HttpResponse, Error> {
    ws::WsResponseBuilder::new(Echo, &request, payload).frame_size(FRAME_BYTES).start()
}

/// A connection that sends back what it gets.
struct Echo;

impl Actor for Echo {
    type Context = ws::WebsocketContext<Self>;
}

impl StreamHandler<std::result::Result<ws::Message, ws::ProtocolError>> for Echo {
    fn handle(&mut self, message: std::result::Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        match message {
            Ok(ws::Message::Text(text)) => ctx.text(text),
            Ok(ws::Message::Close(_)) | Err(_) => ctx.stop(),
            Ok(_) => {}
        }
    }
}

/// Every connection of [`BROADCAST`].
#[derive(Clone, Default)]
struct Audience(Arc<Mutex<Vec<Recipient<News>>>>);

/// One text for a connection, encoded before.
#[derive(Message)]
#[rtype(result = "()")]
struct News(ByteString);

async fn start_broadcast(
    request: HttpRequest,
    payload: web::Payload,
    audience: web::Data<Audience>,
) -> std::result::Result<HttpResponse, Error> {
    let listener = Listener { audience: audience.get_ref().clone(), news: ByteString::from_static(NEWS) };
    ws::WsResponseBuilder::new(listener, &request, payload).frame_size(FRAME_BYTES).start()
}

/// A connection that hears the news, and causes some with every text it sends.
struct Listener {
    audience: Audience,
    news: ByteString,
}

impl Actor for Listener {
    type Context = ws::WebsocketContext<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.audience.0.lock().unwrap_or_else(PoisonError::into_inner).push(ctx.address().recipient());
    }
}

impl Handler<News> for Listener {
    type Result = ();

    fn handle(&mut self, News(text): News, ctx: &mut Self::Context) {
        ctx.text(text);
    }
}

impl StreamHandler<std::result::Result<ws::Message, ws::ProtocolError>> for Listener {
    fn handle(&mut self, message: std::result::Result<ws::Message, ws::ProtocolError>, ctx: &mut Self::Context) {
        match message {
            Ok(ws::Message::Text(_)) => {
                for listener in self.audience.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    // Without a bound, and without a word when the listener is gone: here only the speed matters.
                    listener.do_send(News(self.news.clone()));
                }
            }
            Ok(ws::Message::Close(_)) | Err(_) => ctx.stop(),
            Ok(_) => {}
        }
    }
}
