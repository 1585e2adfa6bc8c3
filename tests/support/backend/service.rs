//! The endpoints without faults. An error means an invalid request of the host.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tungstenite::handshake::derive_accept_key;

use super::account::{Account, secret, timestamp};
use super::faults::Endpoint;
use super::http::{Answer, Request, SWITCHING_PROTOCOLS};

type Answered = Result<Answer, String>;

/// What the endpoints know.
pub struct Service {
    /// Who may enroll.
    pub account: Account,
    /// The one server that is enrolled, with its token.
    pub enrolled: Option<Enrolled>,
    /// Seconds that a server token is good for.
    pub token_seconds: i64,
    /// Codes that were given out, and whether a controller has claimed them.
    pub pairings: Vec<Pairing>,
    /// What the list of controllers says.
    pub clients: Vec<Value>,
    enrollments: usize,
}

/// A server of the account.
#[derive(Clone, Debug)]
pub struct Enrolled {
    pub server_id: String,
    pub environment_id: String,
    pub token: String,
    pub installation_id: String,
}

/// A pairing that was started.
#[derive(Clone, Debug)]
pub struct Pairing {
    pub code: String,
    pub manual_code: Option<String>,
    pub claimed: bool,
}

impl Service {
    pub fn new() -> Self {
        Self {
            account: Account::new("account_1"),
            enrolled: None,
            token_seconds: 3_600,
            pairings: Vec::new(),
            clients: Vec::new(),
            enrollments: 0,
        }
    }

    /// Forgets the enrolled server: the next refresh or upgrade is told so.
    pub fn forget_enrollment(&mut self) {
        self.enrolled = None;
    }

    /// Answers `request`.
    pub fn answer(&mut self, endpoint: Endpoint, request: &Request) -> Answered {
        match endpoint {
            Endpoint::Enroll => self.enroll(request),
            Endpoint::Refresh => self.refresh(request),
            Endpoint::Pair => self.pair(request),
            Endpoint::PairStatus => self.pair_status(request),
            Endpoint::Clients => self.list(request),
            Endpoint::Revoke => self.revoke(request),
            Endpoint::Socket => self.upgrade(request),
            Endpoint::Token => self.renew_account(request),
        }
    }

    fn enroll(&mut self, request: &Request) -> Answered {
        let body = json_body(request)?;
        for member in ["name", "os", "arch", "app_server_version", "installation_id"] {
            ensure(body[member].as_str().is_some_and(|text| !text.is_empty()), || format!("no {member} in {body}"))?;
        }
        let installation_id = required(request, "x-codex-installation-id")?;
        ensure(body["installation_id"] == installation_id, || "two installation ids".to_owned())?;
        if !self.is_account(request)? {
            return Ok(Answer::status(401));
        }
        self.enrollments += 1;
        let enrolled = Enrolled {
            server_id: format!("srv_{}", self.enrollments),
            environment_id: format!("env_{}", self.enrollments),
            token: secret("server-token"),
            installation_id: installation_id.to_owned(),
        };
        let answer = self.token_answer(&enrolled);
        self.enrolled = Some(enrolled);
        Ok(answer)
    }

    fn refresh(&mut self, request: &Request) -> Answered {
        let body = json_body(request)?;
        let installation_id = required(request, "x-codex-installation-id")?;
        ensure(body["installation_id"] == installation_id, || "two installation ids".to_owned())?;
        ensure(body["server_id"].is_string(), || format!("no server_id in {body}"))?;
        if !self.is_account(request)? {
            return Ok(Answer::status(401));
        }
        let Some(enrolled) = self.enrolled.as_mut().filter(|enrolled| body["server_id"] == enrolled.server_id) else {
            return Ok(Answer::status(404));
        };
        enrolled.token = secret("server-token");
        let enrolled = enrolled.clone();
        Ok(self.token_answer(&enrolled))
    }

    fn token_answer(&self, enrolled: &Enrolled) -> Answer {
        Answer::ok(&json!({
            "server_id": enrolled.server_id,
            "environment_id": enrolled.environment_id,
            "remote_control_token": enrolled.token,
            "expires_at": timestamp(self.token_seconds),
            "a_member_of_the_future": 1,
        }))
    }

    fn pair(&mut self, request: &Request) -> Answered {
        let body = json_body(request)?;
        let manual = body["manual_code"].as_bool().ok_or_else(|| format!("no manual_code in {body}"))?;
        let Some(enrolled) = self.server(request)?.cloned() else {
            return Ok(Answer::status(401));
        };
        let number = self.pairings.len();
        let pairing = Pairing {
            code: format!("pairing-code-{number}"),
            manual_code: manual.then(|| format!("ABCD-{number:04}")),
            claimed: false,
        };
        self.pairings.push(pairing.clone());
        Ok(Answer::ok(&json!({
            "pairing_code": pairing.code,
            "manual_pairing_code": pairing.manual_code,
            "server_id": enrolled.server_id,
            "environment_id": enrolled.environment_id,
            "expires_at": timestamp(600),
        })))
    }

    fn pair_status(&mut self, request: &Request) -> Answered {
        let body = json_body(request)?;
        let one = body.as_object().is_some_and(|members| members.len() == 1);
        ensure(one, || format!("not exactly one code in {body}"))?;
        if self.server(request)?.is_none() {
            return Ok(Answer::status(401));
        }
        let found = self.pairings.iter().find(|pairing| {
            body["pairing_code"] == pairing.code
                || pairing.manual_code.as_ref().is_some_and(|code| body["manual_pairing_code"] == *code)
        });
        Ok(found.map_or(Answer::status(404), |pairing| Answer::ok(&json!({"claimed": pairing.claimed}))))
    }

    fn list(&self, request: &Request) -> Answered {
        if !self.is_account(request)? {
            return Ok(Answer::status(401));
        }
        let start: usize = request.queried("cursor").map_or(Ok(0), |at| at.parse().map_err(|e| format!("{e}")))?;
        let limit: usize = request.queried("limit").map_or(Ok(50), |n| n.parse().map_err(|e| format!("{e}")))?;
        let mut clients = self.clients.clone();
        if request.queried("order") == Some("desc") {
            clients.reverse();
        }
        let page: Vec<_> = clients.iter().skip(start).take(limit).collect();
        let next = start + page.len();
        let cursor = (next < clients.len()).then(|| next.to_string());
        Ok(Answer::ok(&json!({"items": page, "cursor": cursor})))
    }

    fn revoke(&mut self, request: &Request) -> Answered {
        if !self.is_account(request)? {
            return Ok(Answer::status(401));
        }
        let id = request.path.rsplit('/').next().unwrap_or_default();
        let before = self.clients.len();
        self.clients.retain(|client| client["client_id"] != id);
        Ok(Answer::status(if self.clients.len() < before { 204 } else { 404 }))
    }

    /// The headers of the upgrade are complete, and there are no more than these.
    fn upgrade(&self, request: &Request) -> Answered {
        for (name, value) in
            [("upgrade", "websocket"), ("sec-websocket-version", "13"), ("x-codex-protocol-version", "3")]
        {
            ensure(required(request, name)?.eq_ignore_ascii_case(value), || format!("{name} is not {value}"))?;
        }
        for name in ["sec-websocket-protocol", "sec-websocket-extensions", "chatgpt-account-id", "origin"] {
            ensure(request.header(name).is_none(), || format!("no host sends {name}"))?;
        }
        let name = STANDARD.decode(required(request, "x-codex-name")?).map_err(|error| error.to_string())?;
        ensure(std::str::from_utf8(&name).is_ok_and(|name| !name.is_empty()), || "x-codex-name".to_owned())?;
        let (id, installation) =
            (required(request, "x-codex-server-id")?, required(request, "x-codex-installation-id")?);
        let Some(enrolled) = self.enrolled.as_ref().filter(|enrolled| enrolled.server_id == id) else {
            return Ok(Answer::unknown_server());
        };
        ensure(enrolled.installation_id == installation, || "another installation id".to_owned())?;
        if request.bearer() != Some(enrolled.token.as_str()) {
            return Ok(Answer::status(401));
        }
        let accept = derive_accept_key(required(request, "sec-websocket-key")?.as_bytes());
        Ok(Answer::status(SWITCHING_PROTOCOLS)
            .header("upgrade", "websocket")
            .header("connection", "Upgrade")
            .header("sec-websocket-accept", accept))
    }

    fn renew_account(&mut self, request: &Request) -> Answered {
        let body = json_body(request)?;
        ensure(body["grant_type"] == "refresh_token", || format!("no grant_type in {body}"))?;
        ensure(body["client_id"].is_string(), || format!("no client_id in {body}"))?;
        if body["refresh_token"] != self.account.refresh_token {
            return Ok(Answer::status(401).json(&json!({"error": {"code": "refresh_token_reused"}})));
        }
        self.account.renew();
        let Account { access_token, refresh_token, .. } = &self.account;
        Ok(Answer::ok(&json!({"id_token": access_token, "access_token": access_token, "refresh_token": refresh_token})))
    }

    /// True when the request shows the account's token.
    fn is_account(&self, request: &Request) -> Result<bool, String> {
        let ids = request.headers.iter().filter(|(name, _)| name == "chatgpt-account-id").count();
        ensure(ids == 1, || format!("{ids} account ids"))?;
        let is_ours = required(request, "chatgpt-account-id")? == self.account.id;
        Ok(is_ours && request.bearer() == Some(self.account.access_token.as_str()))
    }

    /// The server whose token the request shows.
    fn server(&self, request: &Request) -> Result<Option<&Enrolled>, String> {
        for name in ["chatgpt-account-id", "x-codex-installation-id"] {
            ensure(request.header(name).is_none(), || format!("{name} does not belong here"))?;
        }
        Ok(self.enrolled.as_ref().filter(|enrolled| request.bearer() == Some(enrolled.token.as_str())))
    }
}

fn ensure(holds: bool, complaint: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(complaint()) }
}

fn required<'a>(request: &'a Request, name: &str) -> Result<&'a str, String> {
    request.header(name).ok_or_else(|| format!("no {name}"))
}

fn json_body(request: &Request) -> Result<Value, String> {
    ensure(required(request, "content-type")? == "application/json", || "the body is not called JSON".to_owned())?;
    serde_json::from_str(&request.body).map_err(|error| format!("{error}: {}", request.body))
}
