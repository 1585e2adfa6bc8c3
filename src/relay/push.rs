//! The key for pushes, and what phones ask about them.

use std::{error::Error, path::Path};

use actix_web::{HttpRequest, HttpResponse, web, web::Json};
use app_server_actors::{
    environment::Environment,
    network::Network,
    relay::{PushKey, PushParts, SubscribeDevice, UnsubscribeDevice},
    replace::{NewFile, replace},
};
use rcgen::KeyPair;
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde::Deserialize;

use super::{
    folder::{self, DIRECTORY},
    phones::{check_origin, token},
    refusal::Refused,
    site::Site,
    tls::InvalidTls,
};
use crate::output::print;

/// The key, in the directory of the relay.
const KEY: &str = "push-key.pem";

/// Largest file, in bytes.
const LARGEST_FILE: usize = 64 * 1024;

/// The routes of phones that want to be told.
pub fn routes(config: &mut web::ServiceConfig) {
    config.route("/api/push", web::put().to(subscribe)).route("/api/push", web::delete().to(unsubscribe));
}

/// The body of a subscription.
#[derive(Deserialize)]
struct Subscription {
    endpoint: String,
}

async fn subscribe(
    request: HttpRequest,
    body: Json<Subscription>,
    site: web::Data<Site>,
) -> Result<HttpResponse, Refused> {
    check_origin(&request, &site.rules)?;
    let token = token(&request, &site.rules)?;
    site.ask(SubscribeDevice { token, endpoint: body.into_inner().endpoint }).await?;
    Ok(HttpResponse::NoContent().finish())
}

async fn unsubscribe(request: HttpRequest, site: web::Data<Site>) -> Result<HttpResponse, Refused> {
    check_origin(&request, &site.rules)?;
    let token = token(&request, &site.rules)?;
    site.ask(UnsubscribeDevice { token }).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The key of the relay of `codex_home`; `None` if it has none, and no phone is told anything.
///
/// # Errors
/// The file is no key.
pub fn parts(codex_home: &Path) -> Result<Option<PushParts>, InvalidTls> {
    let path = codex_home.join(DIRECTORY).join(KEY);
    if !path.exists() {
        return Ok(None);
    }
    let pem = plain_file::read(&path, LARGEST_FILE).map_err(|error| InvalidTls::new(&path, error))?;
    let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).map_err(|error| InvalidTls::new(&path, error))?;
    let key = PushKey::from_pkcs8(der.secret_pkcs8_der()).map_err(|error| InvalidTls::new(&path, error))?;
    Ok(Some(PushParts { network: Network::new(&Environment::process()), key }))
}

/// Makes the key, if there is none yet, and prints its public half.
///
/// # Errors
/// The file cannot be read or written.
pub fn make_key(codex_home: &Path, contact: &str) -> Result<(), Box<dyn Error>> {
    folder::make(&codex_home.join(DIRECTORY))?;
    let path = codex_home.join(DIRECTORY).join(KEY);
    let mut said = String::new();
    if !path.exists() {
        let pem = KeyPair::generate()?.serialize_pem();
        replace(&path, pem.as_bytes(), NewFile::Private).map_err(|error| InvalidTls::new(&path, error))?;
        said += "The key is made; a running relay uses it from its next start on.\n";
    }
    let parts = parts(codex_home)?.ok_or("the key is gone again")?;
    said += &format!("Public key: {}\n", parts.key.public());
    if contact.is_empty() {
        said += "Some push services want to know whom to write to: set relay.push_contact = \"mailto:YOU\" in app-server.toml.\n";
    }
    Ok(print(said.as_bytes())?)
}
