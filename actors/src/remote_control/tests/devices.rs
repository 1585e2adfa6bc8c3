//! Devices that speak end to end: who is asked about them, and what is on disk before the link hears of it.

use super::*;
use crate::protocol::Secret;
use crate::protocol::remote::{PairingConfirmParams, PairingStatusParams, RemoteControlClientsRevokeParams};
use crate::remote_link::{DeviceCame, NewDevice};
use crate::store::ask;
use crate::store::messages::{DeviceRecord, LoadDevices};

async fn encrypting() -> Scene {
    let settings = RemoteControlSettings { end_to_end: EndToEndRule::Required, ..RemoteControlSettings::tiny() };
    let mut scene = Scene::with(Plan { settings, ..Plan::default() }).await;
    assert!(scene.enable(false).await["result"].is_object());
    scene.told("connected").await;
    scene
}

impl Scene {
    async fn device_comes(&self, words: &str, knows_secret: bool) {
        let name = Some("a phone ".repeat(20));
        let new = Some(NewDevice { pairing: 1, name, words: words.into(), knows_secret });
        self.control.send(DeviceCame { client_id: "c1".into(), public_key: [7; 32], new }).await.unwrap();
    }

    async fn shown_device(&mut self) -> Value {
        let (pairing_code, manual_pairing_code) = (None, Some(Secret::from("ABCD-EFGH")));
        let status = RemoteControlRequest::PairingStatus(PairingStatusParams { pairing_code, manual_pairing_code });
        self.ask(status).await["result"]["device"].take()
    }

    async fn confirm(&mut self, words: &str, accept: bool) -> Value {
        let params = PairingConfirmParams { client_id: "c1".into(), words: words.into(), accept };
        self.ask(RemoteControlRequest::PairingConfirm(params)).await
    }

    async fn devices(&self) -> Vec<DeviceRecord> {
        let question = LoadDevices { environment_id: "env_1".into(), new_key: vec![0; 32] };
        ask(&self.store, question).await.unwrap().1
    }
}

#[actix_rt::test]
async fn a_device_that_knows_the_secret_is_on_disk_before_the_link_hears_of_it() {
    let mut scene = encrypting().await;
    let result = scene.pair().await["result"].take();
    let length = |member: &str| result["endToEnd"][member].as_str().unwrap().len();
    assert_eq!((length("key"), length("secret")), (43, 22), "32 and 16 bytes");
    scene.link_is_told("open pairing").await;
    scene.device_comes("one two three four", true).await;
    scene.link_is_told("accept").await;
    let [device] = &scene.devices().await[..] else { panic!("one device") };
    assert_eq!((device.public_key.as_slice(), device.scopes.to_string().as_str()), (&[7; 32][..], "observe, converse"));
    let shown = scene.shown_device().await;
    assert_eq!((&shown["state"], &shown["words"]), (&json!("accepted"), &json!("one two three four")));
    assert_eq!(shown["name"].as_str().unwrap().chars().count(), 60);
    assert_eq!(scene.pair().await["result"]["endToEnd"]["key"], result["endToEnd"]["key"], "the machine has one key");
}

#[actix_rt::test]
async fn a_device_that_was_told_a_code_waits_for_the_words_that_a_person_has_seen() {
    let mut scene = encrypting().await;
    scene.pair().await;
    scene.device_comes("first words", false).await;
    assert_eq!(scene.shown_device().await["state"], "waiting");
    // It has connected again, and shows other words.
    scene.device_comes("second words", false).await;
    let refused = scene.confirm("first words", true).await;
    assert_eq!(refused["error"]["code"], -32600, "{refused}");
    assert!(scene.devices().await.is_empty());
    assert_eq!(scene.confirm("second words", true).await["result"], json!({}));
    scene.link_is_told("accept").await;
    assert_eq!(scene.devices().await.len(), 1);
    assert_eq!(scene.confirm("second words", true).await["error"]["code"], -32600, "once");
}

#[actix_rt::test]
async fn a_device_that_is_refused_is_kept_nowhere() {
    let mut scene = encrypting().await;
    scene.pair().await;
    scene.device_comes("words", false).await;
    assert_eq!(scene.confirm("words", false).await["result"], json!({}));
    scene.link_is_told("refuse").await;
    assert_eq!(scene.shown_device().await["state"], "refused");
    assert!(scene.devices().await.is_empty());
}

#[actix_rt::test]
async fn a_revoked_device_is_forgotten_on_disk_whatever_the_backend_says() {
    let mut scene = encrypting().await;
    scene.pair().await;
    scene.device_comes("words", true).await;
    scene.link_is_told("accept").await;
    scene.backend.fail("c1", 500, json!({}));
    let (environment_id, client_id) = ("env_1".to_owned(), "c1".to_owned());
    let revoke = RemoteControlRequest::ClientRevoke(RemoteControlClientsRevokeParams { environment_id, client_id });
    assert!(scene.ask(revoke).await["error"].is_object());
    assert!(scene.devices().await.is_empty());
}

#[actix_rt::test]
async fn with_the_vendors_backend_nothing_is_said_of_encryption() {
    let mut scene = Scene::new().await;
    assert!(scene.enable(false).await["result"].is_object());
    scene.told("connected").await;
    assert_eq!(scene.pair().await["result"].get("endToEnd"), None);
    let (pairing_code, manual_pairing_code) = (Some(Secret::from("code")), None);
    let status = RemoteControlRequest::PairingStatus(PairingStatusParams { pairing_code, manual_pairing_code });
    assert_eq!(scene.ask(status).await["result"], json!({"claimed": true}));
}
