//! Enabling and disabling, for now and for good.

use super::*;
use crate::limits::Milliseconds;
use crate::store::ask;
use crate::store::messages::LoadEnrollment;

async fn remembered(scene: &Scene) -> Option<Option<bool>> {
    let websocket_url = BackendUrl::parse(&scene.backend.base_url(), &[]).unwrap().websocket().into();
    let key = crate::store::EnrollmentKey { websocket_url, account_id: "acc-1".into(), client_name: String::new() };
    ask(&scene.store, LoadEnrollment { key }).await.unwrap().map(|row| row.enabled)
}

#[actix_rt::test]
async fn a_lasting_enable_is_answered_when_the_host_is_enrolled_and_the_wish_on_disk() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.status().await["status"], "disabled");
    let answer = scene.enable(false).await;
    assert_eq!(answer["result"]["environmentId"], "env_1", "{answer}");
    assert_eq!(remembered(&scene).await, Some(Some(true)));
    let told = scene.told("connected").await;
    assert_eq!(told["environmentId"], "env_1");
    assert_eq!(scene.backend.words(), ["enroll"]);
    let asked = &scene.backend.asked()[0];
    assert_eq!((asked.bearer.as_str(), asked.account.as_deref()), ("access-1", Some("acc-1")));
    assert_eq!(asked.body["installation_id"], told["installationId"]);
}

#[actix_rt::test]
async fn a_passing_enable_is_answered_at_once_and_leaves_no_wish() {
    let mut scene = Scene::new().await;
    let answer = scene.enable(true).await;
    assert_eq!(answer["result"]["status"], "connecting", "{answer}");
    scene.told("connected").await;
    assert_eq!(remembered(&scene).await, Some(None));
}

#[actix_rt::test]
async fn a_lasting_enable_that_fails_changes_nothing() {
    let mut scene = Scene::new().await;
    scene.backend.fail("enroll", 404, json!({"detail": "no"}));
    let answer = scene.enable(false).await;
    assert_eq!(answer["error"]["code"], -32600, "{answer}");
    scene.backend.fail("enroll", 500, json!({}));
    assert_eq!(scene.enable(false).await["error"]["code"], -32603);
    let status = scene.status().await;
    assert_eq!((&status["status"], &status["lastError"]), (&json!("disabled"), &Value::Null));
    assert_eq!(remembered(&scene).await, None);
}

#[actix_rt::test]
async fn a_disable_stops_everything_at_once_and_is_remembered() {
    let mut scene = Scene::new().await;
    scene.enable(false).await;
    scene.told("connected").await;
    let answer = scene.disable(false).await;
    assert_eq!(answer["result"]["status"], "disabled", "{answer}");
    assert_eq!(answer["result"]["environmentId"], Value::Null);
    scene.link_is_told("hang up").await;
    assert_eq!(remembered(&scene).await, Some(Some(false)));
    scene.enable(true).await;
    scene.disable(true).await;
    assert_eq!(remembered(&scene).await, Some(Some(false)));
}

#[actix_rt::test]
async fn a_disable_ends_the_longest_wait() {
    let settings = RemoteControlSettings {
        backoff_first_milliseconds: Milliseconds(3_600_000),
        backoff_most_milliseconds: Milliseconds(3_600_000),
        ..RemoteControlSettings::tiny()
    };
    let mut scene = Scene::with(Plan { settings, ..Plan::default() }).await;
    scene.backend.fail("enroll", 500, json!({}));
    scene.enable(true).await;
    scene.told("errored").await;
    assert_eq!(scene.disable(true).await["result"]["status"], "disabled");
    scene.enable(true).await;
    scene.told("connected").await;
}

#[actix_rt::test]
async fn a_server_begins_as_it_was_told_last() {
    let mut scene = Scene::new().await;
    scene.enable(false).await;
    let Scene { home, backend, store, .. } = scene;
    let mut scene = Scene::at(home, backend, Plan::default(), Some(store)).await;
    scene.told("connected").await;
    assert_eq!(scene.backend.words(), ["enroll", "refresh"], "the row is used, and its token was never kept");

    scene.disable(false).await;
    let Scene { home, backend, store, .. } = scene;
    let mut scene = Scene::at(home, backend, Plan::default(), Some(store)).await;
    assert_eq!(scene.status().await["status"], "disabled");
    let Scene { home, backend, store, .. } = scene;
    let plan = Plan { at_start: AtStart::Enabled, ..Plan::default() };
    let mut scene = Scene::at(home, backend, plan, Some(store)).await;
    scene.told("connected").await;
    assert_eq!(remembered(&scene).await, Some(Some(false)), "--remote-control leaves the wish as it is");
}

#[actix_rt::test]
async fn on_stdio_everything_waits_for_the_first_client() {
    let plan = Plan { at_start: AtStart::Enabled, named_by_first_client: true, ..Plan::default() };
    let mut scene = Scene::with(plan).await;
    assert_eq!(scene.status().await["status"], "disabled");
    assert!(scene.backend.words().is_empty());
    scene.meet().await;
    scene.told("connected").await;
    assert_eq!(remembered(&scene).await, None, "the row has the client's name");
}

#[actix_rt::test]
async fn who_is_not_signed_in_is_told_so() {
    let mut scene = Scene::with(Plan { signed_in: false, ..Plan::default() }).await;
    let error = scene.enable(false).await["error"].take();
    assert_eq!(error, json!({"code": -32600, "message": "remote control requires ChatGPT authentication"}));
    write_auth(&scene.home, &json!({"OPENAI_API_KEY": "key"}));
    let error = scene.enable(false).await["error"].take();
    let text = "remote control requires ChatGPT authentication; API key auth is not supported";
    assert_eq!(error, json!({"code": -32600, "message": text}));
    write_auth(&scene.home, &json!({"tokens": {"id_token": "i", "access_token": "a"}}));
    let error = scene.enable(false).await["error"].take();
    let text = "remote control enrollment is waiting for a ChatGPT account id";
    assert_eq!(error, json!({"code": -32603, "message": text}));
    let error = scene.pair().await["error"].take();
    let text = "remote control pairing requires remote control to be enabled";
    assert_eq!(error, json!({"code": -32600, "message": text}));
    scene.enable(true).await;
    let error = scene.pair().await["error"].take();
    let text = "remote control pairing is unavailable until enrollment completes";
    assert_eq!(error, json!({"code": -32600, "message": text}));
}

#[actix_rt::test]
async fn whoever_signs_in_while_the_host_enrolls_does_not_inherit_the_enrollment() {
    let mut scene = Scene::new().await;
    let enroll = scene.backend.hold("enroll");
    let id = scene.request(RemoteControlRequest::Enable(RemoteControlEnableParams { ephemeral: false })).await;
    scene.backend_is_asked("enroll").await;
    sign_in(&scene.home, "acc-2");
    drop(enroll);
    let answer = scene.receive().await;
    assert_eq!(answer["id"], id);
    let text = "remote control account changed during enrollment";
    assert_eq!(answer["error"], json!({"code": -32603, "message": text}));
    assert_eq!(remembered(&scene).await, None);
    assert!(scene.enable(false).await["result"].is_object());
}

#[actix_rt::test]
async fn of_two_wishes_the_later_one_holds() {
    let mut scene = Scene::new().await;
    let enroll = scene.backend.hold("enroll");
    scene.request(RemoteControlRequest::Enable(RemoteControlEnableParams { ephemeral: false })).await;
    scene.backend_is_asked("enroll").await;
    scene.request(RemoteControlRequest::Disable(RemoteControlEnableParams { ephemeral: true })).await;
    drop(enroll);
    let answers = [scene.receive().await, scene.receive().await];
    assert!(answers.iter().all(|answer| answer["result"]["status"] == "disabled"), "{answers:?}");
    assert_eq!(scene.status().await["status"], "disabled");
    assert_eq!(remembered(&scene).await, Some(Some(true)), "a passing wish leaves alone what is remembered");
}

#[actix_rt::test]
async fn a_lasting_wish_is_remembered_although_a_passing_one_overtakes_it() {
    let mut scene = Scene::new().await;
    let enroll = scene.backend.hold("enroll");
    let lasting = scene.request(RemoteControlRequest::Enable(RemoteControlEnableParams { ephemeral: false })).await;
    scene.backend_is_asked("enroll").await;
    assert!(scene.enable(true).await["result"].is_object());
    drop(enroll);
    scene.answer(lasting).await;
    assert_eq!(remembered(&scene).await, Some(Some(true)));
}

#[actix_rt::test]
async fn a_disable_counts_and_is_remembered_while_all_calls_wait_for_a_backend_that_hangs() {
    let settings = RemoteControlSettings { calls: 1, ..RemoteControlSettings::tiny() };
    let mut scene = Scene::with(Plan { settings, ..Plan::default() }).await;
    scene.enable(false).await;
    scene.told("connected").await;
    let _pair = scene.backend.hold("pair");
    scene.request(RemoteControlRequest::PairingStart(PairingStartParams { manual_code: true, scopes: None })).await;
    assert_eq!(scene.pair().await["error"]["code"], -32001, "there is one call at a time");
    let answer = scene.disable(false).await;
    assert_eq!(answer["result"]["status"], "disabled", "{answer}");
    assert_eq!(remembered(&scene).await, Some(Some(false)));
}

#[actix_rt::test]
async fn at_the_end_of_the_server_nothing_is_left_behind() {
    let mut scene = Scene::new().await;
    scene.enable(true).await;
    scene.told("connected").await;
    scene.control.send(EndRemoteControl { grace: SOON }).await.unwrap();
    scene.link_is_told("send rest").await;
    scene.link_is_told("hang up").await;
    eventually("the actor ends", || !scene.control.connected()).await;
}

#[actix_rt::test]
async fn a_client_that_waits_gets_new_account_tokens_at_once_and_once() {
    let mut scene = Scene::new().await;
    scene.backend.fail("enroll", 401, json!({}));
    assert_eq!(scene.enable(false).await["result"]["environmentId"], "env_1");
    assert_eq!(scene.backend.words(), ["enroll", "token", "enroll"]);
    let mut scene = Scene::new().await;
    scene.backend.fail("enroll", 401, json!({}));
    scene.backend.fail("enroll", 403, json!({}));
    assert_eq!(scene.enable(false).await["error"]["code"], -32600);
    assert_eq!(scene.backend.words(), ["enroll", "token", "enroll"]);
}

#[actix_rt::test]
async fn new_account_tokens_are_kept_although_a_disable_comes_while_they_are_on_their_way() {
    let mut scene = Scene::new().await;
    scene.backend.fail("enroll", 401, json!({}));
    scene.backend.fail("enroll", 401, json!({}));
    let token = scene.backend.hold("token");
    scene.enable(true).await;
    scene.backend_is_asked("token").await;
    scene.disable(true).await;
    drop(token);
    let kept = || std::fs::read_to_string(scene.home.path().join("auth.json")).unwrap().contains("access-2");
    eventually("the new tokens are kept: the old refresh token may be worth nothing now", kept).await;
}
