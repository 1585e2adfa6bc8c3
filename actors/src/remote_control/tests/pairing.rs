//! Pairing and the list of controllers: every failure has its code and its text.

use super::*;
use crate::protocol::Secret;
use crate::protocol::remote::{PairingStatusParams, RemoteControlClientsListParams, RemoteControlClientsRevokeParams};

const UNAVAILABLE: &str = "remote control pairing is unavailable until enrollment completes";

fn status(code: Option<&str>, manual: Option<&str>) -> RemoteControlRequest {
    RemoteControlRequest::PairingStatus(PairingStatusParams {
        pairing_code: code.map(Secret::from),
        manual_pairing_code: manual.map(Secret::from),
    })
}

fn list(environment_id: &str, limit: Option<u32>) -> RemoteControlRequest {
    let environment_id = environment_id.to_owned();
    RemoteControlRequest::ClientList(RemoteControlClientsListParams {
        environment_id,
        cursor: None,
        limit,
        order: None,
    })
}

fn revoke(environment_id: &str) -> RemoteControlRequest {
    let (environment_id, client_id) = (environment_id.to_owned(), "c1".to_owned());
    RemoteControlRequest::ClientRevoke(RemoteControlClientsRevokeParams { environment_id, client_id })
}

async fn enabled() -> Scene {
    let mut scene = Scene::new().await;
    assert!(scene.enable(false).await["result"].is_object());
    scene.told("connected").await;
    scene
}

#[actix_rt::test]
async fn a_code_is_fetched_with_the_server_token() {
    let mut scene = enabled().await;
    let result = scene.pair().await["result"].take();
    let expected = json!({"pairingCode": "code", "manualPairingCode": "ABCD-EFGH", "environmentId": "env_1",
        "expiresAt": (NOW + 3_600_000) / 1000, "expiresInSeconds": 3600});
    assert_eq!(result, expected);
    let asked = scene.backend.asked().pop().unwrap();
    assert_eq!((asked.bearer.as_str(), asked.account), ("token-1", None));
    assert_eq!(asked.body, json!({"manual_code": true}));
    let claimed = scene.ask(status(None, Some("ABCD-EFGH"))).await;
    assert_eq!(claimed["result"], json!({"claimed": true}));
    assert_eq!(scene.backend.asked().pop().unwrap().body, json!({"manual_pairing_code": "ABCD-EFGH"}));
}

#[actix_rt::test]
async fn a_refusal_that_repeats_the_token_is_told_without_it() {
    let mut scene = enabled().await;
    scene.backend.fail("pair", 500, json!({"detail": "token-1 fits nothing"}));
    let message = scene.pair().await["error"]["message"].to_string();
    assert!(message.contains("<redacted> fits nothing"), "{message}");
}

#[actix_rt::test]
async fn a_refused_server_token_is_replaced_once() {
    let mut scene = enabled().await;
    scene.backend.fail("pair", 401, json!({}));
    assert_eq!(scene.pair().await["result"]["pairingCode"], "code");
    assert_eq!(scene.backend.words(), ["enroll", "pair", "refresh", "pair"]);
    scene.backend.fail("pair", 403, json!({}));
    scene.backend.fail("pair", 403, json!({}));
    assert_eq!(scene.pair().await["error"], json!({"code": -32600, "message": UNAVAILABLE}));
    scene.backend.fail("status", 401, json!({}));
    assert_eq!(scene.ask(status(Some("c"), None)).await["result"]["claimed"], true);
}

#[actix_rt::test]
async fn a_forgotten_host_enrolls_anew_and_pairs_once_more() {
    let mut scene = enabled().await;
    scene.backend.fail("pair", 404, json!({}));
    assert_eq!(scene.pair().await["result"]["environmentId"], "env_2");
    assert_eq!(scene.status().await["environmentId"], "env_1", "until the next connection");
    scene.backend.fail("pair", 404, json!({}));
    scene.backend.fail("pair", 404, json!({}));
    assert_eq!(scene.pair().await["error"], json!({"code": -32600, "message": UNAVAILABLE}));
    assert_eq!(scene.backend.words()[4..], ["pair", "enroll", "pair", "enroll"]);
}

#[actix_rt::test]
async fn other_failures_have_their_code_and_the_backends_words() {
    let mut scene = enabled().await;
    for (what, fault, code) in [("pair", 400, -32603), ("pair", 500, -32603)] {
        scene.backend.fail(what, fault, json!({"pairing_code": "secret-1"}));
        let error = scene.pair().await["error"].take();
        assert_eq!(error["code"], code, "{error}");
        let text = error["message"].as_str().unwrap();
        assert!(text.starts_with("remote control pairing failed at `") && !text.contains("secret-1"), "{text}");
    }
    for (fault, code) in [(404, -32600), (410, -32600), (400, -32603), (500, -32603)] {
        scene.backend.fail("status", fault, json!({}));
        let error = scene.ask(status(Some("c"), None)).await["error"].take();
        assert_eq!(error["code"], code, "{error}");
        assert!(error["message"].as_str().unwrap().starts_with("remote control pairing status failed at `"));
    }
    scene.backend.fail("pair", 200, json!({"server_id": "srv_1"}));
    let error = scene.pair().await["error"].take();
    assert_eq!(error["code"], -32603);
    assert!(error["message"].as_str().unwrap().contains("decode error: missing field `pairing_code`"), "{error}");
}

#[actix_rt::test]
async fn a_pairing_heeds_retry_after_too() {
    let mut scene = enabled().await;
    scene.backend.fault("pair", (503, vec![("retry-after", "2".into())], String::new()));
    assert_eq!(scene.pair().await["error"]["code"], -32603);
    let error = scene.pair().await["error"].take();
    let text = "remote control retry deferred until 2026-11-22T12:00:02Z";
    assert_eq!(error, json!({"code": -32603, "message": text}));
    let error = scene.ask(status(Some("c"), None)).await["error"].take();
    assert_eq!(error["message"], text);
    scene.pass(Duration::from_secs(3));
    assert_eq!(scene.pair().await["result"]["pairingCode"], "code");
}

#[actix_rt::test]
async fn the_shape_of_a_request_is_judged_first() {
    let mut scene = Scene::new().await;
    for (request, text) in [
        (status(None, None), "remoteControl/pairing/status requires pairingCode or manualPairingCode"),
        (
            status(Some("a"), Some("b")),
            "remoteControl/pairing/status accepts either pairingCode or manualPairingCode, not both",
        ),
        (status(Some("a"), None), "remote control pairing requires remote control to be enabled"),
        (list("", None), "remote control client list requires environmentId"),
        (list("..", None), "remote control client list requires environmentId"),
        (list("e", Some(0)), "remote control client list limit must be between 1 and 100"),
        (list("e", Some(101)), "remote control client list limit must be between 1 and 100"),
    ] {
        assert_eq!(scene.ask(request).await["error"], json!({"code": -32600, "message": text}));
    }
    assert!(scene.backend.words().is_empty());
}

#[actix_rt::test]
async fn controllers_are_listed_and_revoked_while_disabled() {
    let mut scene = Scene::new().await;
    let result = scene.ask(list("env_1", Some(5))).await["result"].take();
    assert_eq!((&result["data"][0]["clientId"], &result["data"][0]["lastSeenAt"]), (&json!("c1"), &json!(5)));
    assert_eq!(result["data"][0]["displayName"], Value::Null);
    assert_eq!(scene.ask(revoke("env_1")).await["result"], json!({}));
    assert_eq!(scene.backend.words(), ["clients", "c1"]);
    scene.backend.fail("c1", 401, json!({}));
    assert_eq!(scene.ask(revoke("env_1")).await["result"], json!({}), "asked once more");
    for (fault, code) in [(400, -32600), (403, -32600), (404, -32600), (500, -32603)] {
        scene.backend.fail("clients", fault, json!({}));
        assert_eq!(scene.ask(list("env_1", None)).await["error"]["code"], code, "{fault}");
    }
}

#[actix_rt::test]
async fn two_refused_requests_at_once_use_the_refresh_token_once() {
    let mut scene = Scene::new().await;
    scene.backend.fail("clients", 401, json!({}));
    scene.backend.fail("clients", 401, json!({}));
    let token = scene.backend.hold("token");
    scene.request(list("env_1", None)).await;
    scene.request(list("env_1", None)).await;
    scene.backend_is_asked("token").await;
    eventually("both are refused", || scene.backend.words().iter().filter(|what| *what == "clients").count() == 2)
        .await;
    drop(token);
    for _ in 0..2 {
        let answer = scene.receive().await;
        assert!(answer["result"].is_object(), "{answer}");
    }
    assert_eq!(scene.backend.words().iter().filter(|what| *what == "token").count(), 1);
}

#[actix_rt::test]
async fn the_link_refuses_a_controller_before_the_backend_is_asked_and_until_it_has_confirmed() {
    let mut scene = enabled().await;
    let hanging = scene.backend.hold("c1");
    let asked = scene.request(revoke("env_1")).await;
    scene.link_is_told("revoke").await;
    scene.backend_is_asked("c1").await;
    drop(hanging);
    scene.answer(asked).await;
    scene.link_is_told("revoke, confirmed").await;
    for (status, then) in [(500, "readmit"), (404, "revoke, confirmed")] {
        scene.backend.fail("c1", status, json!({}));
        assert!(scene.ask(revoke("env_1")).await["error"].is_object());
        scene.link_is_told("revoke").await;
        scene.pair().await;
        assert_eq!(scene.link.recv().await, Some(then), "{status}");
    }
}

#[actix_rt::test]
async fn the_controllers_of_another_host_keep_their_streams_here() {
    let mut scene = enabled().await;
    scene.ask(revoke("env_2")).await;
    scene.pair().await;
    scene.link_is_told("dial").await;
    assert_eq!(scene.link.recv().await, Some("readmit"), "nothing else was told");
}

#[actix_rt::test]
async fn the_time_left_for_a_code_is_told_by_the_backends_clock() {
    let mut scene = enabled().await;
    // Our clock is an hour ahead: by it, the code has expired.
    scene.pass(Duration::from_secs(3600));
    let result = scene.pair().await["result"].take();
    assert_eq!((&result["expiresAt"], &result["expiresInSeconds"]), (&json!((NOW + 3_600_000) / 1000), &json!(3600)));
}
