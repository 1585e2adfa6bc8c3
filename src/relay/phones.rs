//! What phones ask. A phone shows the token of its device in a cookie that its page cannot read, or in an `Authorization`
//! header if it is no browser.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::header,
    web::{self, Json},
};
use app_server_actors::{
    protocol::Secret,
    relay::{AdmitPhone, AskDevice, ClaimAnswer, ClaimCode, DeviceView, EndClientPairing, MachineView, RenameClient},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    admission::is_own_origin,
    page,
    refusal::Refused,
    servers::upgraded,
    site::{Rules, Site},
};
use crate::{
    auth::{Denial, PeerNetwork, bearer},
    http::{Peer, Refusal, check_upgrade},
};

/// Name of the cookie. Browsers bind one with the prefix to this host and to TLS.
const COOKIE: &str = "relay-device";
const SECURE_COOKIE: &str = "__Host-relay-device";

/// Life of the cookie: as long as browsers allow. The token in it is replaced much earlier.
const COOKIE_LIFE: Duration = Duration::days(400);

/// The routes of phones.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/api/claim", web::post().to(claim))
        .route("/api/device", web::get().to(device))
        .route("/api/machines/{environment}/{client}", web::delete().to(unpair))
        .route("/api/machines/{environment}/{client}", web::patch().to(rename))
        .route("/api/machines/{environment}/socket", web::get().to(socket));
}

/// The token of a device. A cookie counts only from the page of this relay; a plain GET, of which browsers do not say where
/// it comes from, changes nothing and can be read by no other page.
pub(super) fn token(request: &HttpRequest, rules: &Rules) -> Result<Secret, Refused> {
    if let Some(found) = shown(request, rules)? {
        return Ok(found);
    }
    Err(Refused::NoToken("this device is not paired; enter a code first"))
}

fn shown(request: &HttpRequest, rules: &Rules) -> Result<Option<Secret>, Refused> {
    if request.headers().contains_key(header::AUTHORIZATION) {
        let found = bearer::token(request.headers());
        let found = found.map_err(|_| Refused::NoToken("send one Authorization header with Bearer"))?;
        return Ok(Some(Secret::from(found)));
    }
    let name = if rules.encrypted { SECURE_COOKIE } else { COOKIE };
    Ok(request.cookie(name).map(|cookie| Secret::from(cookie.value())))
}

/// A change by cookie must come from the page of this relay.
pub(super) fn check_origin(request: &HttpRequest, rules: &Rules) -> Result<(), Refused> {
    let by_header = request.headers().contains_key(header::AUTHORIZATION);
    let by_cookie = request.headers().contains_key(header::COOKIE);
    if by_header || !by_cookie || is_own_origin(request.head(), rules) { Ok(()) } else { Err(Refused::OtherOrigin) }
}

fn cookie(token: &Secret, rules: &Rules) -> Cookie<'static> {
    let name = if rules.encrypted { SECURE_COOKIE } else { COOKIE };
    Cookie::build(name, token.expose().to_owned())
        .path("/")
        .http_only(true)
        .secure(rules.encrypted)
        .same_site(SameSite::Strict)
        .max_age(COOKIE_LIFE)
        .finish()
}

fn machine(view: &MachineView) -> Value {
    json!({
        "environmentId": view.environment_id,
        "clientId": view.client_id,
        "name": view.name,
        "deviceName": view.device_name,
        "scopes": view.scopes,
        "machine": view.machine,
    })
}

/// The body of a claim.
#[derive(Deserialize)]
struct ClaimBody {
    code: Secret,
    name: Option<String>,
    platform: Option<String>,
}

async fn claim(request: HttpRequest, body: Json<ClaimBody>, site: web::Data<Site>) -> Result<HttpResponse, Refused> {
    let rules = &site.rules;
    check_origin(&request, rules)?;
    let peer = request.conn_data::<Peer>().and_then(Peer::tcp).ok_or(Refusal::UnknownPeer)?;
    let network = PeerNetwork::of(rules.proxies.client(peer.address, request.headers()));
    // Every try counts, also one that succeeds: else somebody with codes of their own could guess for ever.
    let counted = rules.guesses.attempt(network, true, || Err::<(), _>(Denial::BadToken));
    if let Err(Denial::TooManyFailures { retry_after_seconds }) = counted {
        return Err(Refused::TooManyCodes(retry_after_seconds));
    }
    let ClaimBody { code, name, platform } = body.into_inner();
    let device = shown(&request, rules)?;
    let claimed = site.ask(ClaimCode { code, device, display_name: name, platform }).await?;
    let ClaimAnswer { token, machine: view } = claimed;
    let mut response = HttpResponse::Ok();
    if let Some(token) = &token {
        response.cookie(cookie(token, rules));
    }
    Ok(response.json(machine(&view)))
}

async fn device(request: HttpRequest, site: web::Data<Site>) -> Result<HttpResponse, Refused> {
    let token = token(&request, &site.rules)?;
    let DeviceView { token, machines, is_told } = site.ask(AskDevice { token }).await?;
    let mut response = HttpResponse::Ok();
    if let Some(token) = &token {
        response.cookie(cookie(token, &site.rules));
    }
    let machines: Vec<Value> = machines.iter().map(machine).collect();
    let push = json!({"key": site.rules.push_key, "on": is_told});
    Ok(response.json(json!({"machines": machines, "page": page::digest(), "push": push})))
}

async fn unpair(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Refused> {
    check_origin(&request, &site.rules)?;
    let by = Err(token(&request, &site.rules)?);
    let (environment_id, client_id) = path.into_inner();
    site.ask(EndClientPairing { by, environment_id, client_id }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The body of a new name.
#[derive(Deserialize)]
struct NameBody {
    name: String,
}

async fn rename(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    body: Json<NameBody>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Refused> {
    check_origin(&request, &site.rules)?;
    let by = Err(token(&request, &site.rules)?);
    let (environment_id, client_id) = path.into_inner();
    site.ask(RenameClient { by, environment_id, client_id, name: body.into_inner().name }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The query of a socket.
#[derive(Deserialize)]
struct Resume {
    stream: Option<String>,
}

async fn socket(
    request: HttpRequest,
    path: web::Path<String>,
    query: web::Query<Resume>,
    payload: web::Payload,
    site: web::Data<Site>,
) -> Result<HttpResponse, Refused> {
    check_origin(&request, &site.rules)?;
    let token = token(&request, &site.rules)?;
    check_upgrade(&request)?;
    let admitted = site.ask(AdmitPhone { token, environment_id: path.into_inner() }).await?;
    Ok(admitted.serve(upgraded(&request, payload)?, query.into_inner().stream))
}
