//! What [`Auth`] makes of headers, addresses and files together.

use std::{fs, net::Ipv4Addr, path::Path};

use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use tempfile::TempDir;

use super::*;
use crate::settings::Effective;

struct World {
    dir: TempDir,
    auth: Auth,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("token"), "old token\n").unwrap();
        fs::write(dir.path().join("other"), "other token").unwrap();
        let token_file = |name: &str, scopes| TokenFile { path: dir.path().join(name), scopes };
        let observe = Scopes::from_list("observe").unwrap();
        let mut settings = Effective::built_in().unwrap().settings().unwrap().auth;
        settings.failed_attempts_burst = 3.try_into().unwrap();
        let auth = Auth::start(
            AuthPlan::TokenFiles(vec![token_file("token", Scopes::ALL), token_file("other", observe)]),
            &settings,
            Clock::system(),
        )
        .unwrap();
        Self { dir, auth }
    }

    fn token_file(&self) -> impl AsRef<Path> {
        self.dir.path().join("token")
    }

    fn attempt(&self, authorization: Option<&str>, peer: u8) -> Result<Pass, Denial> {
        let mut headers = HeaderMap::new();
        if let Some(value) = authorization {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        self.auth.admit(&headers, PeerNetwork::of(Ipv4Addr::new(192, 0, 2, peer).into()))
    }
}

#[test]
fn a_new_token_replaces_the_old_one_at_a_reload() {
    let world = World::new();
    assert!(world.attempt(Some("Bearer old token"), 1).is_ok());
    fs::write(world.token_file(), "new token").unwrap();
    assert!(world.attempt(Some("Bearer old token"), 1).is_ok(), "nobody has asked for a reload");
    world.auth.reload();
    assert_eq!(world.attempt(Some("Bearer old token"), 1), Err(Denial::BadToken));
    assert!(world.attempt(Some("Bearer new token"), 1).is_ok());
}

#[test]
fn a_file_that_cannot_be_used_leaves_the_old_token_in_force() {
    let world = World::new();
    fs::write(world.token_file(), " \n").unwrap();
    world.auth.reload();
    fs::remove_file(world.token_file()).unwrap();
    world.auth.reload();
    assert!(world.attempt(Some("Bearer old token"), 1).is_ok());
}

#[test]
fn each_token_gives_its_own_scopes_and_no_two_are_the_same() {
    let world = World::new();
    let scopes = |token: &str| world.attempt(Some(&format!("Bearer {token}")), 1).unwrap().scopes.to_string();
    assert_eq!(scopes("old token"), Scopes::ALL.to_string());
    assert_eq!(scopes("other token"), "observe");
    fs::write(world.token_file(), "other token").unwrap();
    world.auth.reload();
    assert_eq!(scopes("old token"), Scopes::ALL.to_string(), "the reload was refused");
}

#[test]
fn only_wrong_tokens_are_guesses() {
    let world = World::new();
    for _ in 0..10 {
        assert_eq!(world.attempt(None, 1), Err(Denial::Missing));
        assert_eq!(world.attempt(Some("Basic x"), 1), Err(Denial::BadHeader));
    }
    for _ in 0..3 {
        assert_eq!(world.attempt(Some("Bearer guess"), 1), Err(Denial::BadToken));
    }
    assert!(matches!(world.attempt(Some("Bearer old token"), 1), Err(Denial::TooManyFailures { .. })));
    assert!(world.attempt(Some("Bearer old token"), 2).is_ok());
    let counts: Vec<_> = world.auth.failures().counts().collect();
    assert_eq!(counts, [("missing", 10), ("invalid_header", 10), ("invalid_token", 3), ("too_many_failures", 1)]);
}

#[test]
fn a_long_right_token_is_let_in_however_many_wrong_ones_came_from_its_address() {
    let world = World::new();
    let token = "0123456789abcdef0123456789abcdef";
    fs::write(world.token_file(), token).unwrap();
    world.auth.reload();
    while world.attempt(Some("Bearer a guess"), 1) == Err(Denial::BadToken) {}
    for _ in 0..100 {
        assert!(world.attempt(Some(&format!("Bearer {token}")), 1).is_ok());
        let wrong = world.attempt(Some(&format!("Bearer {}", token.replace('0', "1"))), 1);
        assert!(matches!(wrong, Err(Denial::TooManyFailures { .. })));
    }
}

#[test]
fn the_challenge_follows_rfc_6750() {
    let realm = r#"Bearer realm="codex-app-server""#;
    assert_eq!(Denial::Missing.challenge().unwrap(), realm);
    assert_eq!(Denial::BadHeader.challenge().unwrap(), format!(r#"{realm}, error="invalid_request""#));
    let invalid_token = format!(r#"{realm}, error="invalid_token""#);
    use Denial::{BadJwt, BadToken, Expired, NotYetValid, OtherAudience, OtherIssuer};
    for denial in [BadToken, BadJwt, Expired, NotYetValid, OtherIssuer, OtherAudience] {
        assert_eq!(denial.challenge().unwrap(), invalid_token);
    }
    assert_eq!(Denial::TooManyFailures { retry_after_seconds: 1 }.challenge(), None);
}
