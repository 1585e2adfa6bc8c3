//! The page for the phone: files in `page/`, served as they are. A script that is not one of them runs nowhere.

use std::sync::OnceLock;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use sha2::{Digest as _, Sha256};

/// A file of the page.
struct File {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($path:literal, $name:literal, $content_type:expr) => {
        File { path: $path, content_type: $content_type, bytes: include_bytes!(concat!("page/", $name)) }
    };
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// All files, the page itself first.
static FILES: [File; 24] = [
    file!("/", "index.html", "text/html; charset=utf-8"),
    file!("/app.css", "app.css", "text/css; charset=utf-8"),
    file!("/icon.svg", "icon.svg", "image/svg+xml"),
    file!("/manifest.webmanifest", "manifest.webmanifest", "application/manifest+json"),
    file!("/app.js", "app.js", JAVASCRIPT),
    file!("/ui.js", "ui.js", JAVASCRIPT),
    file!("/wire.js", "wire.js", JAVASCRIPT),
    file!("/thread.js", "thread.js", JAVASCRIPT),
    file!("/machines.js", "machines.js", JAVASCRIPT),
    file!("/threads.js", "threads.js", JAVASCRIPT),
    file!("/conversation.js", "conversation.js", JAVASCRIPT),
    file!("/question.js", "question.js", JAVASCRIPT),
    file!("/devices.js", "devices.js", JAVASCRIPT),
    file!("/noise.js", "noise.js", JAVASCRIPT),
    file!("/sealed.js", "sealed.js", JAVASCRIPT),
    file!("/words.js", "words.js", JAVASCRIPT),
    file!("/keys.js", "keys.js", JAVASCRIPT),
    file!("/secure.js", "secure.js", JAVASCRIPT),
    file!("/security.js", "security.js", JAVASCRIPT),
    file!("/sw.js", "sw.js", JAVASCRIPT),
    file!("/vendor/preact.js", "vendor/preact.js", JAVASCRIPT),
    file!("/vendor/hooks.js", "vendor/hooks.js", JAVASCRIPT),
    file!("/vendor/htm.js", "vendor/htm.js", JAVASCRIPT),
    file!("/vendor/noble.js", "vendor/noble.js", JAVASCRIPT),
];

/// The routes of the page.
pub fn routes(config: &mut web::ServiceConfig) {
    for file in &FILES {
        config.route(file.path, web::get().to(move |request| serve(request, file)));
    }
}

async fn serve(request: HttpRequest, file: &'static File) -> HttpResponse {
    let tag = format!("\"{}\"", hex(&Sha256::digest(file.bytes)[..16]));
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "no-cache"));
    if known { response.finish() } else { response.content_type(file.content_type).body(file.bytes) }
}

/// The digest of the whole page. It is shown on the page and by `relay`, because whoever serves the page can change it.
pub fn digest() -> &'static str {
    static DIGEST: OnceLock<String> = OnceLock::new();
    DIGEST.get_or_init(|| {
        let mut all = Sha256::new();
        for file in &FILES {
            all.update(file.path);
            all.update([0]);
            all.update(file.bytes);
        }
        hex(&all.finalize()[..8])
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Most bytes of the first load, uncompressed.
    const MOST_BYTES: usize = 150_000;

    #[test]
    fn the_page_is_small_and_names_no_other_place() {
        let bytes: usize = FILES.iter().map(|file| file.bytes.len()).sum();
        assert!(bytes <= MOST_BYTES, "{bytes} bytes");
        for file in FILES.iter().filter(|file| !file.path.starts_with("/vendor/")) {
            let text = std::str::from_utf8(file.bytes).unwrap();
            let elsewhere = text.match_indices("://").any(|(at, _)| {
                !text[..at].ends_with("http") || {
                    // The name of the SVG language is no request.
                    !text[at..].starts_with("://www.w3.org/2000/svg")
                }
            });
            assert!(!elsewhere, "{} names another place", file.path);
        }
    }

    #[test]
    fn the_words_of_the_page_are_those_of_the_machine() {
        let list = include_str!("page/words.js").split('`').nth(1).expect("a list");
        assert!(list.split_whitespace().eq(app_server_actors::remote_link::words()));
    }

    #[test]
    fn the_page_can_be_kept_for_when_there_is_no_network() {
        let worker = include_str!("page/sw.js");
        for file in FILES.iter().filter(|file| file.path != "/sw.js") {
            assert!(worker.contains(&format!("\"{}\"", file.path)), "{}", file.path);
        }
    }
}
