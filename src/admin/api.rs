//! What the page asks, and what operators change.
//!
//! A change needs a bearer token with the scope `admin`, which no other web page can send, and a body of JSON, which none can
//! send without asking first. Who changed what is logged.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Json, ServiceConfig},
};
use app_server_actors::protocol::scope::Scope;
use serde::Deserialize;
use serde_json::json;

use super::watcher::Watcher;
use crate::http::{Refusal, Site, metrics::show};

/// Largest body of a request, in bytes.
const BODY_BYTES: usize = 4096;

/// The routes of the page's questions.
pub fn routes(config: &mut ServiceConfig) {
    config
        .app_data(web::JsonConfig::default().limit(BODY_BYTES))
        .service(web::resource("/api/door").route(web::get().to(door)))
        .service(web::resource("/api/state").route(web::get().to(state)))
        .service(web::resource("/api/cut").route(web::post().to(cut)))
        .service(web::resource("/api/interrupt").route(web::post().to(interrupt)))
        .service(web::resource("/api/revoke").route(web::post().to(revoke)));
}

/// `/metrics`, for those who may look.
pub async fn metrics(request: HttpRequest, site: web::Data<Site>) -> Result<HttpResponse, Refusal> {
    require(Scope::Observe, &request, &site)?;
    Ok(show(site).await)
}

/// Tells the page whether to ask for a token first.
async fn door(site: web::Data<Site>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "asksForToken": site.asks_for_tokens() }))
}

async fn state(
    request: HttpRequest,
    site: web::Data<Site>,
    watcher: web::Data<Watcher>,
) -> Result<HttpResponse, Refusal> {
    let scopes = require(Scope::Observe, &request, &site)?;
    let view = watcher.look(&site, scopes.include(Scope::Admin)).await;
    Ok(HttpResponse::Ok().insert_header(("cache-control", "no-store")).json(view))
}

/// A connection to cut.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    connection: u64,
}

async fn cut(request: HttpRequest, site: web::Data<Site>, body: Json<Cut>) -> Result<HttpResponse, Refusal> {
    require(Scope::Admin, &request, &site)?;
    let connection = body.connection;
    log::warn!(target: AUDIT, connection; "an operator cuts connection {connection}");
    Ok(done(site.actors().cut(connection).await))
}

/// A thread whose turn is to end.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Interrupt {
    thread_id: String,
}

async fn interrupt(
    request: HttpRequest,
    site: web::Data<Site>,
    watcher: web::Data<Watcher>,
    body: Json<Interrupt>,
) -> Result<HttpResponse, Refusal> {
    require(Scope::Admin, &request, &site)?;
    let thread = &body.thread_id;
    log::warn!(target: AUDIT, thread = thread.as_str(); "an operator interrupts the turn of a thread");
    Ok(done(watcher.interrupt(thread).await))
}

/// A phone that is to lose its access.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Revoke {
    client_id: String,
}

async fn revoke(
    request: HttpRequest,
    site: web::Data<Site>,
    watcher: web::Data<Watcher>,
    body: Json<Revoke>,
) -> Result<HttpResponse, Refusal> {
    require(Scope::Admin, &request, &site)?;
    let client = &body.client_id;
    log::warn!(target: AUDIT, client = client.as_str(); "an operator revokes a remote controller");
    Ok(done(watcher.revoke(client).await))
}

/// Target of the log lines about changes.
const AUDIT: &str = "codex_app_server::audit";

/// 204, or 409 where there was nothing to change any more.
fn done(done: bool) -> HttpResponse {
    if done { HttpResponse::NoContent().finish() } else { HttpResponse::Conflict().finish() }
}

fn require(
    scope: Scope,
    request: &HttpRequest,
    site: &Site,
) -> Result<app_server_actors::protocol::scope::Scopes, Refusal> {
    let scopes = site.scopes(request)?;
    if scopes.include(scope) { Ok(scopes) } else { Err(Refusal::OutOfScope(scope)) }
}
