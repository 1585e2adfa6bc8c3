//! The relay with its store, where every queue has room for one message.

use futures_util::future::join_all;
use tempfile::TempDir;

use super::store::AddToken;
use super::*;
use crate::limits::Limits;
use crate::protocol::Secret;
use crate::protocol::remote::http::{EnrollRequest, PairRequest, PairStatusRequest, RefreshRequest};

struct Scene {
    relay: Arc<Addr<Relay>>,
    account: AccountToken,
    _home: TempDir,
}

async fn scene() -> Scene {
    let home = tempfile::tempdir().unwrap();
    let vitals = Vitals::default();
    let limits = Limits { store_mailbox_messages: 64, ..Limits::tiny() };
    let store = Store::open_relay(&home.path().join("relay.sqlite"), &limits, &vitals).unwrap();
    let token = Secret::from("acc_1.secret");
    let digest = secrets::digest(token.expose());
    let add = AddToken { name: "home".into(), new_id: "acc_1".into(), digest: Box::new(move |_| digest), at: 0 };
    ask(&store, add).await.unwrap();
    let relay = Relay::start(RelaySettings::tiny(), store, Clock::system(), &vitals, None);
    Scene { relay, account: AccountToken { token, account_id: "acc_1".into() }, _home: home }
}

fn server(name: &str) -> EnrollRequest {
    let [os, arch, app_server_version] = ["linux", "x86_64", "1"].map(str::to_owned);
    EnrollRequest { name: name.into(), os, arch, app_server_version, installation_id: "i".into() }
}

#[actix_rt::test]
async fn with_mailboxes_for_one_message_every_request_is_answered() {
    let Scene { relay, account, _home } = scene().await;
    let enrolled =
        relay.send(EnrollServer { account: account.clone(), request: server("desk") }).await.unwrap().unwrap();
    let token = enrolled.remote_control_token.clone();
    let request = PairRequest { manual_code: true, scopes: None };
    let pairing = relay.send(StartPairing { token: token.clone(), request }).await.unwrap().unwrap();
    let status = || AskPairing {
        token: token.clone(),
        request: PairStatusRequest { pairing_code: Some(pairing.pairing_code.clone()), manual_pairing_code: None },
    };
    let asked = join_all((0..40).map(|_| relay.send(status()))).await;
    assert!(asked.into_iter().all(|answer| !answer.unwrap().unwrap().claimed));
    let code = pairing.manual_pairing_code.clone().unwrap();
    let claim = ClaimCode { code, device: None, display_name: None, platform: None };
    let claimed = relay.send(claim).await.unwrap().unwrap();
    let device = claimed.token.unwrap();
    assert!(relay.send(status()).await.unwrap().unwrap().claimed);
    let admit = || AdmitPhone { token: device.clone(), environment_id: enrolled.environment_id.clone() };
    let admitted = join_all((0..40).map(|_| relay.send(admit()))).await;
    assert!(admitted.into_iter().all(|answer| answer.unwrap().unwrap().client == claimed.machine.client_id));
    let end = EndClientPairing {
        by: Ok(account),
        environment_id: enrolled.environment_id.clone(),
        client_id: claimed.machine.client_id.clone(),
    };
    relay.send(end).await.unwrap().unwrap();
    assert_eq!(relay.send(admit()).await.unwrap().err(), Some(RelayRefusal::Unauthorized));
}

#[actix_rt::test]
async fn the_server_that_was_away_for_longest_makes_room_and_is_told_to_enroll_anew() {
    let Scene { relay, account, _home } = scene().await;
    let mut enrolled = Vec::new();
    for name in ["first", "second", "third"] {
        enrolled
            .push(relay.send(EnrollServer { account: account.clone(), request: server(name) }).await.unwrap().unwrap());
    }
    let refresh = |server_id: &str| RefreshServer {
        account: account.clone(),
        request: RefreshRequest { server_id: server_id.into(), installation_id: "i".into() },
    };
    let first = relay.send(refresh(&enrolled[0].server_id)).await.unwrap();
    assert_eq!(first.err(), Some(RelayRefusal::NoServer));
    let third = relay.send(refresh(&enrolled[2].server_id)).await.unwrap().unwrap();
    let before = AdmitServer { token: enrolled[2].remote_control_token.clone(), server_id: third.server_id.clone() };
    assert_eq!(relay.send(before).await.unwrap().err(), Some(RelayRefusal::Unauthorized), "its token was replaced");
    let other = AdmitServer { token: third.remote_control_token, server_id: enrolled[1].server_id.clone() };
    assert_eq!(relay.send(other).await.unwrap().err(), Some(RelayRefusal::NoServer));
}
