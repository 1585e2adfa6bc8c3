//! `/healthz` and `/readyz`, for supervisors and load balancers. They tell the state by the status alone.

use actix_web::{HttpResponse, Resource, guard, http::header, web};

use super::Site;

const HEALTHZ: &str = "/healthz";
const READYZ: &str = "/readyz";

/// Answered on every connection, whatever limit it is above.
pub const PATHS: [&str; 2] = [HEALTHZ, READYZ];

/// 200 as long as this process can answer.
pub fn healthz() -> Resource {
    probe(HEALTHZ, web::route().to(HttpResponse::Ok))
}

/// 200 while new work is taken, 503 from the beginning of the drain on.
pub fn readyz() -> Resource {
    probe(READYZ, web::route().to(ready))
}

async fn ready(site: web::Data<Site>) -> HttpResponse {
    if site.hub.is_draining() { HttpResponse::ServiceUnavailable().finish() } else { HttpResponse::Ok().finish() }
}

fn probe(path: &str, route: actix_web::Route) -> Resource {
    web::resource(path)
        .route(route.guard(guard::Any(guard::Get()).or(guard::Head())))
        .default_service(web::to(only_get_and_head))
}

async fn only_get_and_head() -> HttpResponse {
    HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, "GET,HEAD")).finish()
}
