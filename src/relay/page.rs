//! The page for the phone: files in `page/`, served as they are, and the modules of the first view once more as one script. A
//! script that is not one of them runs nowhere.

use std::{borrow::Cow, sync::OnceLock};

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use sha2::{Digest as _, Sha256};

use super::bundle::{Bundled, bundle};

/// A file of the page.
struct File {
    path: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

macro_rules! file {
    ($path:expr, $name:literal, $content_type:expr) => {
        File { path: $path, content_type: $content_type, bytes: include_bytes!(concat!("page/", $name)) }
    };
}

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The module that begins.
const ENTRY: &str = "/app.js";

/// All modules of the first view in one script.
const SCRIPT: &str = "/page.js";

/// All files, the page itself first.
static FILES: [File; 34] = [
    file!("/", "index.html", "text/html; charset=utf-8"),
    file!("/app.css", "app.css", "text/css; charset=utf-8"),
    file!("/icon.svg", "icon.svg", "image/svg+xml"),
    file!("/manifest.webmanifest", "manifest.webmanifest", "application/manifest+json"),
    File { path: SCRIPT, content_type: JAVASCRIPT, bytes: b"" },
    file!(ENTRY, "app.js", JAVASCRIPT),
    file!("/ui.js", "ui.js", JAVASCRIPT),
    file!("/wire.js", "wire.js", JAVASCRIPT),
    file!("/thread.js", "thread.js", JAVASCRIPT),
    file!("/machines.js", "machines.js", JAVASCRIPT),
    file!("/threads.js", "threads.js", JAVASCRIPT),
    file!("/conversation.js", "conversation.js", JAVASCRIPT),
    file!("/question.js", "question.js", JAVASCRIPT),
    file!("/diff.js", "diff.js", JAVASCRIPT),
    file!("/ended.js", "ended.js", JAVASCRIPT),
    file!("/devices.js", "devices.js", JAVASCRIPT),
    file!("/noise.js", "noise.js", JAVASCRIPT),
    file!("/sealed.js", "sealed.js", JAVASCRIPT),
    file!("/words.js", "words.js", JAVASCRIPT),
    file!("/keys.js", "keys.js", JAVASCRIPT),
    file!("/secure.js", "secure.js", JAVASCRIPT),
    file!("/security.js", "security.js", JAVASCRIPT),
    file!("/images.js", "images.js", JAVASCRIPT),
    file!("/base64.js", "base64.js", JAVASCRIPT),
    file!("/link.js", "link.js", JAVASCRIPT),
    file!("/scan.js", "scan.js", JAVASCRIPT),
    file!("/notice.js", "notice.js", JAVASCRIPT),
    file!("/update.js", "update.js", JAVASCRIPT),
    file!("/push.js", "push.js", JAVASCRIPT),
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

/// Stands in files for the digest of the whole page, so that an open page knows its own, and that browsers notice a change of any
/// file by the service worker, the only one that they look at by themselves.
const PLACEHOLDER: &str = "PAGE_DIGEST";

fn script() -> &'static str {
    static BUNDLED: OnceLock<String> = OnceLock::new();
    BUNDLED.get_or_init(|| match bundle(ENTRY, module) {
        Ok(Bundled { script, modules }) => {
            log::debug!("the first view of the page is one script of {} modules", modules.len());
            script
        }
        Err(error) => {
            log::error!("the modules of the page are sent one by one: {error}");
            format!("import \"{ENTRY}\";")
        }
    })
}

fn module(path: &str) -> Option<&'static str> {
    let file = FILES.iter().find(|file| file.path == path && file.content_type == JAVASCRIPT)?;
    std::str::from_utf8(file.bytes).ok()
}

/// A file as it is sent.
fn sent(file: &File) -> Cow<'static, [u8]> {
    if file.path == SCRIPT {
        return Cow::Borrowed(script().as_bytes());
    }
    match std::str::from_utf8(file.bytes) {
        Ok(text) if text.contains(PLACEHOLDER) => Cow::Owned(text.replace(PLACEHOLDER, digest()).into_bytes()),
        _ => Cow::Borrowed(file.bytes),
    }
}

async fn serve(request: HttpRequest, file: &'static File) -> HttpResponse {
    let bytes = sent(file);
    let tag = format!("\"{}\"", hex(&Sha256::digest(&bytes)[..16]));
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == tag.as_bytes());
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::ETAG, tag)).insert_header((header::CACHE_CONTROL, "no-cache"));
    if known { response.finish() } else { response.content_type(file.content_type).body(bytes) }
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
    use std::collections::BTreeSet;

    use super::*;

    /// Most bytes of the first load. Nothing is compressed.
    const MOST_BYTES: usize = 150_000;

    /// Most bytes of all files, the encryption and the service worker included, which are loaded when they are needed.
    const MOST_BYTES_OF_ALL: usize = 160_000;

    fn text(file: &File) -> &'static str {
        std::str::from_utf8(file.bytes).unwrap()
    }

    /// The names in `text` between `before` and the next quotation mark.
    fn named<'a>(text: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split('"').next())
    }

    /// What a browser loads to show the page.
    fn first_load() -> BTreeSet<&'static str> {
        let page = text(&FILES[0]);
        named(page, "href=\"").chain(named(page, "src=\"")).chain(["/"]).collect()
    }

    #[test]
    fn the_first_view_is_one_script_without_the_encryption() {
        let Bundled { script, .. } = bundle(ENTRY, module).unwrap();
        assert!(first_load().contains(SCRIPT) && !first_load().contains(ENTRY));
        assert!(script.contains("class Wire") && !script.contains("chacha20poly1305"), "{script}");
        assert!(!script.lines().any(|line| line.starts_with("import ") || line.starts_with("export ")));
    }

    #[test]
    fn the_page_is_small_and_names_no_other_place() {
        let first = first_load();
        let first: usize = FILES.iter().filter(|file| first.contains(file.path)).map(|file| sent(file).len()).sum();
        let all: usize = FILES.iter().map(|file| file.bytes.len()).sum();
        assert!(first <= MOST_BYTES && all <= MOST_BYTES_OF_ALL, "{first} and {all} bytes");
        for file in FILES.iter().filter(|file| !file.path.starts_with("/vendor/")) {
            let text = text(file);
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
    fn the_page_and_its_worker_know_their_digest() {
        for file in FILES.iter().filter(|file| ["/", "/sw.js"].contains(&file.path)) {
            let text = String::from_utf8(sent(file).into_owned()).unwrap();
            assert!(text.contains(digest()) && !text.contains(PLACEHOLDER), "{}", file.path);
        }
    }

    #[test]
    fn the_page_can_be_kept_for_when_there_is_no_network() {
        let worker = include_str!("page/sw.js");
        let Bundled { modules, .. } = bundle(ENTRY, module).unwrap();
        for file in FILES.iter().filter(|file| file.path != "/sw.js") {
            let is_kept = worker.contains(&format!("\"{}\"", file.path));
            assert!(is_kept || modules.iter().any(|it| it == file.path), "{}", file.path);
        }
    }
}
