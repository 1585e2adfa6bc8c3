//! The cycle of connecting: failures, waits, recovery, another sign-in.

use super::*;
use crate::limits::Milliseconds;

#[actix_rt::test]
async fn attempts_go_on_while_errored_and_the_reason_can_be_read() {
    let mut scene = Scene::new().await;
    scene.backend.fail("enroll", 500, json!({"remote_control_token": "secret-1"}));
    scene.refuse(409, None, "taken");
    scene.refuse(500, None, "");
    scene.enable(true).await;
    scene.told("errored").await;
    scene.told("connected").await;
    assert_eq!(scene.backend.words(), ["enroll", "enroll"]);
    assert_eq!(scene.status().await["lastError"], Value::Null);

    scene.refuse(409, None, "taken");
    scene.lose_the_link().await;
    scene.told("connecting").await;
    let told = scene.told("errored").await;
    assert_eq!(told["environmentId"], "env_1");
}

#[actix_rt::test]
async fn the_last_error_says_what_the_backend_said_without_secrets() {
    let settings = RemoteControlSettings {
        backoff_first_milliseconds: Milliseconds(60_000),
        backoff_most_milliseconds: Milliseconds(60_000),
        ..RemoteControlSettings::tiny()
    };
    let mut scene = Scene::with(Plan { settings, ..Plan::default() }).await;
    scene.backend.fail("enroll", 403, json!({"detail": "MFA required", "remote_control_token": "secret-1"}));
    scene.enable(true).await;
    scene.told("errored").await;
    let error = scene.status().await["lastError"].as_str().unwrap().to_owned();
    assert!(error.starts_with("remote control server enrollment failed at `http://127.0.0.1:"), "{error}");
    assert!(error.contains("HTTP 403 Forbidden") && error.contains("MFA required"), "{error}");
    assert!(!error.contains("secret-1"), "{error}");
}

#[actix_rt::test]
async fn a_refused_account_is_recovered_step_by_step() {
    let mut scene = Scene::new().await;
    for _ in 0..2 {
        scene.backend.fail("enroll", 401, json!({}));
    }
    scene.enable(true).await;
    scene.told("connected").await;
    assert_eq!(scene.backend.words(), ["enroll", "enroll", "token", "enroll"]);
    assert_eq!(scene.backend.asked()[3].bearer, "access-2");
    let file: Value =
        serde_json::from_str(&std::fs::read_to_string(scene.home.path().join("auth.json")).unwrap()).unwrap();
    assert_eq!(file["tokens"]["access_token"], "access-2");
    assert_eq!(file["tokens"]["refresh_token"], "refresh-1");
}

#[actix_rt::test]
async fn a_refused_server_token_is_refreshed_and_the_enrollment_stays() {
    let mut scene = Scene::new().await;
    scene.refuse(401, None, "");
    scene.enable(true).await;
    scene.told("connected").await;
    assert_eq!(scene.backend.words(), ["enroll", "refresh"]);
}

#[actix_rt::test]
async fn a_forgotten_host_enrolls_anew() {
    let mut scene = Scene::new().await;
    scene.refuse(404, None, r#"{"detail":"Remote app server not found","more":1}"#);
    scene.enable(true).await;
    assert_eq!(scene.told("connected").await["environmentId"], "env_2");

    scene.pass(Duration::from_secs(3600));
    scene.backend.fail("refresh", 404, json!({}));
    scene.lose_the_link().await;
    assert_eq!(scene.told("connected").await["environmentId"], "env_3");
    assert_eq!(scene.backend.words(), ["enroll", "enroll", "refresh", "enroll"]);
}

#[actix_rt::test]
async fn another_404_changes_nothing() {
    let mut scene = Scene::new().await;
    scene.refuse(404, None, r#"{"detail":"not here"}"#);
    scene.enable(true).await;
    assert_eq!(scene.told("connected").await["environmentId"], "env_1");
    assert_eq!(scene.backend.words(), ["enroll"]);
}

#[actix_rt::test]
async fn nothing_is_sent_before_the_backend_wants_to_hear_from_us() {
    let mut scene = Scene::new().await;
    scene.backend.fault("enroll", (429, vec![("retry-after", "100".into())], String::new()));
    scene.enable(true).await;
    scene.told("errored").await;
    let refused = scene.enable(false).await["error"].take();
    assert_eq!(refused["code"], -32603);
    assert_eq!(refused["message"], "remote control retry deferred until 2026-11-22T12:01:40Z");
    assert_eq!(scene.backend.words(), ["enroll"]);
    scene.pass(Duration::from_secs(101));
    scene.told("connected").await;
}

#[actix_rt::test]
async fn a_backend_that_wants_to_be_left_alone_for_years_is_asked_again_after_an_hour() {
    let mut scene = Scene::new().await;
    scene.backend.fault("enroll", (429, vec![("retry-after", "99999999".into())], String::new()));
    scene.enable(true).await;
    scene.told("errored").await;
    scene.pass(Duration::from_secs(3601));
    scene.told("connected").await;
}

#[actix_rt::test]
async fn a_clock_that_is_set_back_keeps_nobody_waiting() {
    let mut scene = Scene::new().await;
    scene.pass(Duration::from_secs(10 * 365 * 86_400));
    scene.backend.fault("enroll", (429, vec![("retry-after", "100".into())], String::new()));
    scene.enable(true).await;
    scene.told("errored").await;
    scene.now.store(NOW, Ordering::Relaxed);
    scene.told("connected").await;
}

#[actix_rt::test]
async fn a_token_that_expires_soon_is_refreshed_but_may_be_used_for_a_while() {
    let mut scene = Scene::new().await;
    scene.backend.tokens_live(200_000);
    scene.backend.fail("refresh", 500, json!({}));
    scene.enable(true).await;
    scene.told("connected").await;
    scene.lose_the_link().await;
    scene.told("connected").await;
    assert_eq!(scene.backend.words(), ["enroll", "refresh"], "it rests after a failure");
    scene.pass(Duration::from_secs(199));
    scene.lose_the_link().await;
    scene.told("connected").await;
    assert_eq!(scene.backend.words(), ["enroll", "refresh", "refresh"]);
}

#[actix_rt::test]
async fn an_account_id_that_is_missing_is_waited_for_without_complaint() {
    let mut scene = Scene::with(Plan { signed_in: false, ..Plan::default() }).await;
    write_auth(&scene.home, &json!({"tokens": {"id_token": "i", "access_token": "a"}}));
    scene.enable(true).await;
    actix_rt::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(scene.status().await["status"], "connecting");
    sign_in(&scene.home, "acc-1");
    scene.told("connected").await;
}

#[actix_rt::test]
async fn who_signs_in_after_an_enable_is_connected() {
    let settings = RemoteControlSettings {
        backoff_first_milliseconds: Milliseconds(60_000),
        backoff_most_milliseconds: Milliseconds(60_000),
        ..RemoteControlSettings::tiny()
    };
    let mut scene = Scene::with(Plan { signed_in: false, settings, ..Plan::default() }).await;
    scene.enable(true).await;
    assert_eq!(scene.told("errored").await["environmentId"], Value::Null);
    sign_in(&scene.home, "acc-1");
    scene.told("connected").await;
}

#[actix_rt::test]
async fn a_sign_out_ends_the_session_and_another_account_begins_disabled() {
    let mut scene = Scene::new().await;
    scene.enable(false).await;
    scene.told("connected").await;
    std::fs::remove_file(scene.home.path().join("auth.json")).unwrap();
    assert_eq!(scene.told("disabled").await["environmentId"], Value::Null);
    scene.link_is_told("end session").await;
    sign_in(&scene.home, "acc-2");
    assert_eq!(scene.status().await["status"], "disabled");
    scene.enable(false).await;
    assert_eq!(scene.told("connected").await["environmentId"], "env_2");
}

#[actix_rt::test]
async fn an_untrusted_base_url_is_never_called() {
    let mut scene = Scene::new().await;
    std::fs::write(scene.home.path().join("config.toml"), "chatgpt_base_url = 'https://evilchatgpt.com/x'").unwrap();
    let error = scene.enable(false).await["error"].take();
    assert_eq!(error["code"], -32603);
    assert!(error["message"].as_str().unwrap().starts_with("invalid remote control URL `https://evilchatgpt.com/x`;"));
    scene.enable(true).await;
    scene.told("errored").await;
}

#[actix_rt::test]
async fn every_client_is_told_where_remote_control_stands_when_it_comes() {
    let mut scene = Scene::new().await;
    scene.meet().await;
    assert_eq!(scene.told("disabled").await["environmentId"], Value::Null);
    scene.enable(false).await;
    scene.told("connected").await;
    scene.meet().await;
    assert_eq!(scene.told("connected").await["environmentId"], "env_1");
}
