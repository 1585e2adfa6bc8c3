//! `/metrics` on a Unix socket, for its owner. On TCP the path is a WebSocket like any other: what the server does is
//! nobody's business there, and scrapers have the admin listener.

use actix_web::{HttpResponse, Resource, guard, guard::GuardContext, http::header, web};
use app_server_actors::metrics::text::CONTENT_TYPE;

use super::{Site, Transport};

/// The path of the metrics.
pub const PATH: &str = "/metrics";

/// The route on the control socket.
pub fn for_owner() -> Resource {
    web::resource(PATH).guard(guard::fn_guard(is_scrape)).route(web::get().to(show)).route(web::head().to(show))
}

/// All metrics as text.
pub async fn show(site: web::Data<Site>) -> HttpResponse {
    let text = site.actors.openmetrics().await;
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, CONTENT_TYPE)).body(text)
}

/// A WebSocket may have this path, too.
fn is_scrape(request: &GuardContext<'_>) -> bool {
    let is_unix = request.app_data::<web::Data<Site>>().is_some_and(|site| matches!(site.transport, Transport::Unix));
    is_unix && !request.head().upgrade()
}
