//! `/healthz` and `/readyz`, for supervisors and load balancers. The status code is the whole answer.

use std::time::Duration;

use actix_web::{HttpResponse, Resource, guard, http::header, web};
use app_server_actors::store::Health;
use tokio::time::timeout;

use super::Site;

/// How long the store may take to say whether changes can be saved; supervisors wait for one second at least.
const PATIENCE: Duration = Duration::from_millis(800);

const HEALTHZ: &str = "/healthz";
const READYZ: &str = "/readyz";

/// Answered on every connection, even above a limit.
pub const PATHS: [&str; 2] = [HEALTHZ, READYZ];

/// 200 as long as the process can answer.
pub fn healthz() -> Resource {
    probe(HEALTHZ, web::route().to(HttpResponse::Ok))
}

/// 200 while new work is accepted; 503 during the drain, and while changes cannot be saved.
pub fn readyz() -> Resource {
    probe(READYZ, web::route().to(ready))
}

async fn ready(site: web::Data<Site>) -> HttpResponse {
    if !site.actors.is_ready() || !can_save(&site).await {
        HttpResponse::ServiceUnavailable().finish()
    } else {
        HttpResponse::Ok().finish()
    }
}

/// A store that takes too long to say so is not ready either. It logs its reason itself.
async fn can_save(site: &Site) -> bool {
    let Some(store) = &site.needed_store else { return true };
    matches!(timeout(PATIENCE, store.send(Health)).await, Ok(Ok(Ok(()))))
}

fn probe(path: &str, route: actix_web::Route) -> Resource {
    web::resource(path)
        .route(route.guard(guard::Any(guard::Get()).or(guard::Head())))
        .default_service(web::to(only_get_and_head))
}

async fn only_get_and_head() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET,HEAD")).finish()
}
