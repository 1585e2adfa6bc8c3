//! The files of the page. Nothing is loaded from elsewhere.

use actix_web::{
    HttpResponse,
    http::header::{self, HeaderName},
    web::{self, ServiceConfig},
};

/// A file: its path, its media type, its content.
type File = (&'static str, &'static str, &'static str);

const FILES: [File; 6] = [
    ("/", "text/html; charset=utf-8", include_str!("page/index.html")),
    ("/page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("/page.js", "text/javascript; charset=utf-8", include_str!("page/page.js")),
    ("/charts.js", "text/javascript; charset=utf-8", include_str!("page/charts.js")),
    ("/uPlot.js", "text/javascript; charset=utf-8", include_str!("page/vendor/uPlot.iife.min.js")),
    ("/uPlot.css", "text/css; charset=utf-8", include_str!("page/vendor/uPlot.min.css")),
];

/// Nothing but these files may run or be loaded, and no other page may show this one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every file.
const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The routes of the files.
pub fn routes(config: &mut ServiceConfig) {
    for (path, media, text) in FILES {
        config.service(web::resource(path).route(web::get().to(move || async move { answer(media, text) })));
    }
}

fn answer(media: &'static str, text: &'static str) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for header in HEADERS {
        response.insert_header(header);
    }
    response.insert_header((header::CONTENT_TYPE, media)).body(text)
}
