//! Who signs users in to ChatGPT: gives out a code, and tokens once the user has typed it.

use std::io::BufReader;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::backend::account::secret;
use super::backend::http::{Answer, Request};
use super::eventually;

/// What the user types in.
pub const CODE: &str = "ABCD-1234";

/// Serves until the test ends.
pub struct Issuer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    typed: AtomicBool,
    asked: AtomicUsize,
    /// Body of the request for tokens.
    traded: Mutex<String>,
    device: String,
    grant: String,
    verifier: String,
    access: String,
}

impl Issuer {
    /// Nobody has typed the code yet.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            typed: AtomicBool::default(),
            asked: AtomicUsize::default(),
            traded: Mutex::default(),
            device: secret("device"),
            grant: secret("grant"),
            verifier: secret("verifier"),
            access: secret("access"),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&serving);
                thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// Its base URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The user types the code in.
    pub fn type_code(&self) {
        self.shared.typed.store(true, Ordering::SeqCst);
    }

    /// Waits until it was asked in vain whether the code was typed.
    pub fn wait_for_a_question(&self) {
        eventually("somebody asks whether the code was typed", || self.shared.asked.load(Ordering::SeqCst) > 0);
    }

    /// What the tokens were asked for with.
    pub fn traded(&self) -> String {
        self.shared.traded.lock().expect("nobody panicked").clone()
    }

    /// The grant and the verifier that have to be in it.
    pub fn proofs(&self) -> [&str; 2] {
        [&self.shared.grant, &self.shared.verifier]
    }

    /// The access token that it gives.
    pub fn access_token(&self) -> &str {
        &self.shared.access
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a socket can be duplicated"));
        while let Some(request) = Request::read(&mut reader) {
            self.answer(&request).write(&mut stream);
        }
    }

    fn answer(&self, request: &Request) -> Answer {
        match &*request.path {
            "/api/accounts/deviceauth/usercode" => {
                Answer::ok(&json!({"device_auth_id": self.device, "user_code": CODE, "interval": "1"}))
            }
            "/api/accounts/deviceauth/token" if request.json() != self.question() => Answer::status(400),
            "/api/accounts/deviceauth/token" if !self.typed.load(Ordering::SeqCst) => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                Answer::status(403)
            }
            "/api/accounts/deviceauth/token" => {
                Answer::ok(&json!({"authorization_code": self.grant, "code_verifier": self.verifier}))
            }
            "/oauth/token" => {
                request.body.clone_into(&mut self.traded.lock().expect("nobody panicked"));
                let tokens = json!({"id_token": id_token(), "access_token": self.access,
                    "refresh_token": secret("refresh")});
                Answer::ok(&tokens)
            }
            _ => Answer::status(404),
        }
    }

    fn question(&self) -> Value {
        json!({"device_auth_id": self.device, "user_code": CODE})
    }
}

fn id_token() -> String {
    let claims = json!({"email": "me@example.com", "https://api.openai.com/auth":
        {"chatgpt_plan_type": "plus", "chatgpt_account_id": "acc-1", "chatgpt_user_id": "user-1"}});
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}
