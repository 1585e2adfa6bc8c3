//! Devices that speak end to end: the key of this machine, pairing them, and forgetting them.

use std::cell::RefCell;

use actix::fut::wrap_future;
use actix::prelude::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretSlice};

use super::cycle::Link;
use super::failure::Failure;
use super::open_pairings::{Decided, OpenPairings};
use super::session::Session;
use super::{RemoteControl, heard};
use crate::context::Context;
use crate::protocol::RpcError;
use crate::protocol::remote::{
    PairingConfirmParams, PairingDeviceState, PairingEndToEnd, PairingStartResponse, RemoteControlAnswer as Answer,
    RemoteControlClientsRevokeParams,
};
use crate::protocol::scope::{Scope, Scopes};
use crate::protocol::thread::Empty;
use crate::remote_link::{
    Decide, DeviceCame, Keys, KnownDevice, OpenPairing, SECRET_BYTES, pairing_id, public_key, random,
};
use crate::reply::Reply;
use crate::store::messages::{DeviceRecord, ForgetDevice, ListDevices, LoadDevices, SaveDevice, UseDevice};
use crate::store::{StoreError, ask};

/// Bytes of a private key.
const KEY_BYTES: usize = 32;

/// What a device may do unless something else was said, as at the relay.
fn usual_scopes() -> Scopes {
    Scopes::from_iter([Scope::Observe, Scope::Converse])
}

/// A code for typing as phones name it: without hyphens and blanks.
fn normalized(code: &str) -> String {
    code.chars().filter(|letter| !matches!(letter, '-' | ' ')).collect::<String>().to_ascii_uppercase()
}

fn of_store(error: StoreError) -> RpcError {
    RpcError::internal(Failure::of_store(error).text)
}

impl Session {
    /// The key of this machine, and the devices of an environment.
    pub async fn keys(&self, environment_id: &str) -> Result<Keys, Failure> {
        let new_key = random(KEY_BYTES).map_err(Failure::other)?.expose_secret().to_vec();
        let question = LoadDevices { environment_id: environment_id.to_owned(), new_key };
        let (private, records) = ask(&self.tools.store, question).await.map_err(Failure::of_store)?;
        let devices = records.into_iter().filter_map(|record| {
            let public_key = record.public_key.try_into().ok()?;
            Some(KnownDevice { client_id: record.client_id, public_key, scopes: record.scopes })
        });
        Ok(Keys { environment_id: environment_id.to_owned(), devices: devices.collect(), private: private.into() })
    }

    /// Lets a device come for the code of `answer`. Returns what the link for a camera carries besides.
    pub async fn expect_device(
        &self,
        answer: &PairingStartResponse,
        scopes: Option<Scopes>,
        pairings: &RefCell<OpenPairings>,
        link: &Link,
    ) -> Result<PairingEndToEnd, RpcError> {
        let keys = self.keys(&answer.environment_id).await.map_err(RpcError::internal)?;
        let key = public_key(&keys.private).ok_or_else(|| RpcError::internal("this machine's key cannot be used"))?;
        let secret: SecretSlice<u8> = random(SECRET_BYTES).map_err(RpcError::internal)?;
        let manual = answer.manual_pairing_code.as_deref();
        let codes = manual.into_iter().chain([answer.pairing_code.as_str()]).map(str::to_owned).collect();
        let typed = manual.map(normalized).into_iter().chain([answer.pairing_code.clone()]);
        let typed = typed.map(|code| pairing_id(code.as_bytes())).collect();
        let scopes = scopes.unwrap_or_else(usual_scopes);
        let number = pairings.borrow_mut().add(answer.environment_id.clone(), codes, scopes);
        let lasts = self.tools.settings.pairing_milliseconds.duration();
        heard(link.open_pairing.send(OpenPairing { number, secret: secret.clone(), typed, lasts }).await);
        Ok(PairingEndToEnd { key: URL_SAFE_NO_PAD.encode(key), secret: URL_SAFE_NO_PAD.encode(secret.expose_secret()) })
    }

    /// Pairs a device: on disk first, and then at the link.
    async fn accept(&self, decided: &Decided, pairings: &RefCell<OpenPairings>, link: &Link) -> Result<(), RpcError> {
        let Decided { pairing, environment_id, device, public_key } = decided.clone();
        let record = DeviceRecord {
            environment_id,
            client_id: device.client_id.clone(),
            public_key: public_key.to_vec(),
            name: device.name,
            scopes: device.scopes,
        };
        let (at, most) = (self.tools.clock.unix_ms() / 1000, self.tools.settings.end_to_end_devices);
        ask(&self.tools.store, SaveDevice { device: record, at, most }).await.map_err(of_store)?;
        pairings.borrow_mut().decide(decided, PairingDeviceState::Accepted);
        log::info!("a device is paired end to end; it may: {}", device.scopes);
        let scopes = Some(device.scopes);
        heard(link.decide.send(Decide { pairing, client_id: device.client_id, public_key, scopes }).await);
        Ok(())
    }

    /// The device is not known any more, on disk. Returns whether it was.
    pub async fn forget_device(&self, params: &RemoteControlClientsRevokeParams) -> Result<bool, RpcError> {
        if !self.tools.settings.encrypts() {
            return Ok(false);
        }
        let RemoteControlClientsRevokeParams { environment_id, client_id } = params.clone();
        ask(&self.tools.store, ForgetDevice { environment_id, client_id }).await.map_err(of_store)
    }

    /// The devices that this machine itself knows, whatever the relay says.
    pub async fn own_devices(&self, environment_id: &str) -> Result<Vec<DeviceRecord>, RpcError> {
        if !self.tools.settings.encrypts() {
            return Ok(Vec::new());
        }
        let question = ListDevices { environment_id: environment_id.to_owned() };
        ask(&self.tools.store, question).await.map_err(of_store)
    }
}

impl RemoteControl {
    /// A person has compared the words of a device.
    pub(super) fn client_confirms(&mut self, reply: Reply, params: PairingConfirmParams, ctx: &mut Context<Self>) {
        let shown = self.pairings.borrow().shown(&params);
        let decided = match shown {
            Ok(decided) => decided,
            Err(error) => return self.answer(reply, Err(error), ctx),
        };
        let (session, pairings, link) = (self.session.clone(), self.pairings.clone(), self.link.clone());
        let done = async move {
            if params.accept {
                session.accept(&decided, &pairings, &link).await?;
            } else {
                pairings.borrow_mut().decide(&decided, PairingDeviceState::Refused);
                let Decided { pairing, device, public_key, .. } = decided;
                heard(
                    link.decide.send(Decide { pairing, client_id: device.client_id, public_key, scopes: None }).await,
                );
            }
            Ok(Answer::PairingConfirm(Empty {}))
        };
        self.work(reply, done, ctx, |_, answered, _| answered);
    }
}

impl Handler<DeviceCame> for RemoteControl {
    type Result = ();

    fn handle(&mut self, came: DeviceCame, ctx: &mut Self::Context) {
        let session = self.session.clone();
        if came.new.is_none() {
            let Some(environment_id) = self.status.state().environment_id else { return };
            let (client_id, at) = (came.client_id, session.tools.clock.unix_ms() / 1000);
            let used = async move {
                if let Err(error) = ask(&session.tools.store, UseDevice { environment_id, client_id, at }).await {
                    log::warn!("the last use of a device is not kept: {error}");
                }
            };
            ctx.spawn(wrap_future::<_, Self>(used));
            return;
        }
        let (pairings, link) = (self.pairings.clone(), self.link.clone());
        let Some(decided) = pairings.borrow_mut().came(&came) else { return };
        let accepting = async move {
            if let Err(error) = session.accept(&decided, &pairings, &link).await {
                log::warn!("a device cannot be paired: {}", error.message);
            }
        };
        ctx.spawn(wrap_future::<_, Self>(accepting));
    }
}
