//! `/healthz` and `/readyz`, for supervisors and load balancers. The status code is the whole answer.

use actix_web::{HttpResponse, Resource, guard, http::header, web};

use super::Site;

const HEALTHZ: &str = "/healthz";
const READYZ: &str = "/readyz";

/// Answered on every connection, even above a limit.
pub const PATHS: [&str; 2] = [HEALTHZ, READYZ];

/// 200 as long as the process can answer.
pub fn healthz() -> Resource {
    probe(HEALTHZ, web::route().to(HttpResponse::Ok))
}

/// 200 while new work is accepted, 503 during the drain.
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
