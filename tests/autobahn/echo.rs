//! The server's WebSocket wire with an echo behind it instead of JSON-RPC, for `tests/autobahn/run`. It listens on the
//! Unix socket that its argument names and on a free TCP port, whose number it writes to a file beside the socket.

#![allow(clippy::disallowed_methods, reason = "tests know what they open")]

use std::cell::Cell;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, error, web};
use actix_web_actors::ws::{self, Message};
use app_server_actors::account::Credentials;
use app_server_actors::catalog::{Catalog, CatalogSources};
use app_server_actors::clock::Clock;
use app_server_actors::commands::CommandsSetup;
use app_server_actors::connection::kill::Kill;
use app_server_actors::connection::websocket::{Application, Response, serve_application};
use app_server_actors::environment::Environment;
use app_server_actors::host::Host;
use app_server_actors::hub::Hub;
use app_server_actors::model::ModelSetup;
use app_server_actors::remote_control::RemoteControlSetup;
use app_server_actors::start::{Actors, ActorsParts};
use app_server_actors::store::Store;
use app_server_actors::vital::Vitals;
use app_server_actors::wire::reader::Binary;
use bytes::Bytes;
use bytestring::ByteString;
use codex_app_server::settings::{Effective, Settings};
use tokio::net::UnixStream;

struct Echo;

impl Application for Echo {
    const BINARY: Binary = Binary::Taken;

    fn text(&self, text: ByteString) -> Response {
        Response::Write(Message::Text(text))
    }

    fn binary(&self, bytes: Bytes) -> Response {
        Response::Write(Message::Binary(bytes))
    }
}

/// The second descriptor of a connection's socket.
struct Socket(Cell<Option<OwnedFd>>);

async fn upgrade(request: HttpRequest, payload: web::Payload, hub: web::Data<Hub>) -> Result<HttpResponse, Error> {
    let socket = request.conn_data::<Socket>().and_then(|socket| socket.0.take());
    let kill = Kill::Socket(socket.ok_or_else(|| error::ErrorInternalServerError("no socket"))?.into());
    Ok(serve_application(Echo, ws::handshake(&request)?, payload, &hub, kill))
}

fn hub(home: PathBuf) -> Result<Hub, Box<dyn std::error::Error>> {
    let Settings { limits, model, turns, mcp, remote_control, remote_link, .. } = Effective::built_in()?.settings()?;
    let host = Host {
        codex_home: home.clone(),
        session_source: "test".to_owned(),
        cwd: home.clone(),
        os: "test".to_owned(),
        terminal: "test".to_owned(),
    };
    let account = Arc::new(Credentials::new(&home));
    let vitals = Vitals::default();
    let actors = Actors::start(ActorsParts {
        listeners: Vec::new(),
        traces: Default::default(),
        store: Store::open(&home.join("echo.sqlite"), &limits, &Default::default(), &vitals)?,
        catalog: Catalog::start(CatalogSources::new(home.clone(), home), &limits, &vitals),
        models: ModelSetup::new(model, Environment::from_fn(|_| None), &account, None, Clock::system(), &host),
        turns,
        mcp,
        account,
        metrics: Default::default(),
        clock: Clock::system(),
        commands: CommandsSetup::default(),
        remote_control: RemoteControlSetup::new(remote_control),
        remote_link,
        vitals,
        limits: Arc::new(limits),
        host,
    });
    Ok(actors.hub().clone())
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = std::env::args_os().nth(1).map(PathBuf::from).ok_or("name the path of the Unix socket")?;
    let hub = hub(socket.parent().ok_or("the path has no directory")?.to_owned())?;
    let hub = web::Data::new(hub);
    let tcp = TcpListener::bind("127.0.0.1:0")?;
    std::fs::write(socket.with_extension("port"), tcp.local_addr()?.port().to_string())?;
    let server = HttpServer::new(move || App::new().app_data(hub.clone()).default_service(web::to(upgrade)))
        .workers(1)
        .client_disconnect_timeout(Duration::ZERO)
        .on_connect(|connection, data| {
            let tcp = connection.downcast_ref::<TcpStream>().map(AsFd::as_fd);
            let socket = tcp.or_else(|| connection.downcast_ref::<UnixStream>().map(AsFd::as_fd));
            data.insert(Socket(Cell::new(socket.and_then(|socket| socket.try_clone_to_owned().ok()))));
        })
        .listen_uds(UnixListener::bind(&socket)?)?
        .listen(tcp)?;
    Ok(server.run().await?)
}
