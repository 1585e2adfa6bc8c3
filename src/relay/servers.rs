//! What servers ask (spec: remote control 4 and 5).

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Json},
};
use actix_web_actors::ws;
use app_server_actors::{
    connection::kill::Kill,
    protocol::{
        Secret,
        remote::{
            SortOrder,
            http::{
                ClientsResponse, EnrollRequest, PairRequest, PairResponse, PairStatusRequest, PairStatusResponse,
                RefreshRequest, ServerTokenResponse,
            },
        },
    },
    relay::{
        AccountToken, AdmitServer, AskPairing, EndClientPairing, EnrollServer, ListClients, RefreshServer,
        RelayRefusal, Socket, StartPairing,
    },
};
use serde::Deserialize;

use super::{refusal::Refused, site::Site};
use crate::{
    auth::bearer,
    http::{Peer, Refusal, check_upgrade},
};

/// The path below which the routes lie.
const BASE: &str = "/wham/remote/control";

/// Names the account of a request.
const ACCOUNT: &str = "chatgpt-account-id";

/// Names the server of a socket.
const SERVER: &str = "x-codex-server-id";

/// Where a server continues.
const CURSOR: &str = "x-codex-subscribe-cursor";

/// The routes of servers.
pub fn routes(config: &mut web::ServiceConfig) {
    config.service(
        web::scope(BASE)
            .route("/server/enroll", web::post().to(enroll))
            .route("/server/refresh", web::post().to(refresh))
            .route("/server/pair", web::post().to(pair))
            .route("/server/pair/status", web::post().to(pair_status))
            .route("/server", web::get().to(socket))
            .route("/environments/{environment}/clients", web::get().to(clients))
            .route("/environments/{environment}/clients/{client}", web::delete().to(revoke)),
    );
}

fn token(request: &HttpRequest) -> Result<Secret, Refused> {
    let found =
        bearer::token(request.headers()).map_err(|_| Refused::NoToken("send one Authorization header with Bearer"))?;
    Ok(Secret::from(found))
}

fn account(request: &HttpRequest) -> Result<AccountToken, Refused> {
    let token = token(request)?;
    let named = request.headers().get(ACCOUNT).and_then(|value| value.to_str().ok());
    let account_id = named.ok_or(Refused::NoToken("the header chatgpt-account-id names the account"))?.to_owned();
    Ok(AccountToken { token, account_id })
}

type Answer<T> = Result<Json<T>, Refused>;

async fn enroll(request: HttpRequest, body: Json<EnrollRequest>, site: web::Data<Site>) -> Answer<ServerTokenResponse> {
    let account = account(&request)?;
    site.ask(EnrollServer { account, request: body.into_inner() }).await.map(Json)
}

async fn refresh(
    request: HttpRequest,
    body: Json<RefreshRequest>,
    site: web::Data<Site>,
) -> Answer<ServerTokenResponse> {
    let account = account(&request)?;
    site.ask(RefreshServer { account, request: body.into_inner() }).await.map(Json)
}

async fn pair(request: HttpRequest, body: Json<PairRequest>, site: web::Data<Site>) -> Answer<PairResponse> {
    let token = token(&request)?;
    site.ask(StartPairing { token, request: body.into_inner() }).await.map(Json)
}

async fn pair_status(
    request: HttpRequest,
    body: Json<PairStatusRequest>,
    site: web::Data<Site>,
) -> Answer<PairStatusResponse> {
    let token = token(&request)?;
    site.ask(AskPairing { token, request: body.into_inner() }).await.map(Json)
}

/// The query of a list.
#[derive(Deserialize)]
struct Page {
    cursor: Option<String>,
    limit: Option<u32>,
    order: Option<SortOrder>,
}

async fn clients(
    request: HttpRequest,
    path: web::Path<String>,
    page: web::Query<Page>,
    site: web::Data<Site>,
) -> Answer<ClientsResponse> {
    let account = account(&request)?;
    let Page { cursor, limit, order } = page.into_inner();
    site.ask(ListClients { account, environment_id: path.into_inner(), cursor, limit, order }).await.map(Json)
}

async fn revoke(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Refused> {
    let by = Ok(account(&request)?);
    let (environment_id, client_id) = path.into_inner();
    site.ask(EndClientPairing { by, environment_id, client_id }).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn socket(request: HttpRequest, payload: web::Payload, site: web::Data<Site>) -> Result<HttpResponse, Refused> {
    if request.headers().contains_key(header::ORIGIN) {
        return Err(Refused::OtherOrigin);
    }
    let token = token(&request)?;
    let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let server_id = text(SERVER).ok_or(RelayRefusal::Invalid("the header x-codex-server-id names the server"))?;
    let cursor = text(CURSOR);
    check_upgrade(&request)?;
    let admitted = site.ask(AdmitServer { token, server_id }).await?;
    Ok(admitted.serve(upgraded(&request, payload)?, cursor).await?)
}

/// The socket of a request that asks for one.
///
/// # Errors
/// It does not, or not as it should.
pub fn upgraded(request: &HttpRequest, payload: web::Payload) -> Result<Socket, Refused> {
    let handshake = ws::handshake(request).map_err(Refusal::from)?;
    let peer = request.conn_data::<Peer>().ok_or(Refusal::UnknownPeer)?;
    let kill = Kill::Socket(Arc::new(peer.take_kill().ok_or(Refusal::UnknownPeer)?));
    Ok(Socket { handshake, payload, kill })
}
