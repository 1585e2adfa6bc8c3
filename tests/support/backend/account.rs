//! A signed-in account: its `auth.json`, and its state at the backend.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::home::Home;
use crate::support::secrets;

/// Makes each token one of its own.
static TOKENS: AtomicUsize = AtomicUsize::new(1);

/// An account and its current tokens.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub access_token: String,
    pub refresh_token: String,
}

impl Account {
    /// An account with this id.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), access_token: access_token(id), refresh_token: secret("refresh") }
    }

    /// Other tokens for the same account.
    pub fn renew(&mut self) {
        *self = Self::new(&self.id);
    }

    /// Writes the `auth.json` that the official sign-in would write.
    pub fn sign_in(&self, home: &Home) {
        self.write(home, json!(self.id));
    }

    /// The same of an account whose id is not known yet.
    pub fn sign_in_without_account_id(&self, home: &Home) {
        self.write(home, Value::Null);
    }

    fn write(&self, home: &Home, account_id: Value) {
        let tokens = json!({
            "id_token": jwt(account_id.as_str()),
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
            "account_id": account_id,
        });
        let auth = json!({
            "auth_mode": "chatgpt",
            "OPENAI_API_KEY": null,
            "tokens": tokens,
            "last_refresh": timestamp(0),
        });
        write(home, &auth);
    }
}

/// Signs in with an API key, which is not enough for remote control.
pub fn sign_in_with_api_key(home: &Home) {
    write(home, &json!({"auth_mode": "apikey", "OPENAI_API_KEY": secret("sk"), "tokens": null, "last_refresh": null}));
}

fn write(home: &Home, auth: &Value) {
    // As a careful writer does it: a server may read at any moment.
    let (new, path) = (home.join("auth.json.new"), home.join("auth.json"));
    fs::write(&new, format!("{auth:#}\n")).expect("auth.json is written");
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).expect("the file is ours");
    fs::rename(&new, &path).expect("auth.json is put into place");
}

/// A token that nobody else has and no server may show.
pub fn secret(kind: &str) -> String {
    secrets::used(&format!("{kind}-secret-{}-{}", std::process::id(), TOKENS.fetch_add(1, Ordering::Relaxed)))
}

/// `seconds` from now, as RFC 3339 writes it.
pub fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(secrets::now() + seconds).expect("this century").to_string()
}

fn access_token(account_id: &str) -> String {
    let token = jwt(Some(account_id));
    let signature = secret("signature");
    let (message, _) = token.rsplit_once('.').expect("a JWT has two dots");
    secrets::used(&format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Nobody here checks its signature.
fn jwt(account_id: Option<&str>) -> String {
    let claims = json!({
        "email": "somebody@example.com",
        "exp": secrets::now() + 86_400,
        "https://api.openai.com/auth": {
            "chatgpt_account_id": account_id,
            "chatgpt_user_id": "user_1",
            "chatgpt_plan_type": "pro",
            "user_id": "user_1",
        },
    });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(&json!({"alg": "none", "typ": "JWT"})), part(&claims), URL_SAFE_NO_PAD.encode("unsigned"))
}
