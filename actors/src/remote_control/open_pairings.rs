//! The codes that were shown, and the devices that have come for them and speak end to end.

use std::collections::VecDeque;

use crate::protocol::RpcError;
use crate::protocol::remote::http::PairStatusRequest;
use crate::protocol::remote::{PairingConfirmParams, PairingDevice, PairingDeviceState};
use crate::protocol::scope::Scopes;
use crate::remote_link::{DeviceCame, NewDevice, PublicKey};

/// Codes that are remembered. Those for which devices may come are fewer: the link bounds them, by number and by time.
const MOST: usize = 32;

/// Longest name of a device, in characters.
const NAME_CHARACTERS: usize = 60;

/// See the module's documentation.
#[derive(Default)]
pub struct OpenPairings {
    list: VecDeque<Open>,
    /// The number of the last one.
    last: u64,
}

struct Open {
    number: u64,
    environment_id: String,
    codes: Vec<String>,
    scopes: Scopes,
    device: Option<(PairingDevice, PublicKey)>,
}

/// A device about which was decided.
#[derive(Clone)]
pub struct Decided {
    pub pairing: u64,
    pub environment_id: String,
    pub device: PairingDevice,
    pub public_key: PublicKey,
}

impl OpenPairings {
    /// A code was shown, in these forms. Returns the number of the pairing.
    pub fn add(&mut self, environment_id: String, codes: Vec<String>, scopes: Scopes) -> u64 {
        self.last += 1;
        self.list.push_back(Open { number: self.last, environment_id, codes, scopes, device: None });
        if self.list.len() > MOST {
            self.list.pop_front();
        }
        self.last
    }

    /// A device has come. One that came for the same code before and still waits is forgotten, because only one can be shown.
    /// Returns it where nobody needs to be asked.
    pub fn came(&mut self, came: &DeviceCame) -> Option<Decided> {
        let DeviceCame { client_id, public_key, new: Some(new) } = came else { return None };
        let NewDevice { pairing, name, words, knows_secret } = new;
        let open = self.list.iter_mut().find(|open| open.number == *pairing)?;
        let name = name.as_ref().map(|name| name.chars().take(NAME_CHARACTERS).collect());
        let device = PairingDevice {
            client_id: client_id.clone(),
            name,
            words: words.clone(),
            scopes: open.scopes,
            state: PairingDeviceState::Waiting,
        };
        open.device = Some((device, *public_key));
        if *knows_secret { open.decided() } else { None }
    }

    /// The device that a person has been shown.
    ///
    /// # Errors
    /// It does not wait, or has shown other words meanwhile.
    pub fn shown(&self, params: &PairingConfirmParams) -> Result<Decided, RpcError> {
        let waits = self.list.iter().filter_map(Open::decided).find(|it| {
            it.device.state == PairingDeviceState::Waiting
                && (&it.device.client_id, &it.device.words) == (&params.client_id, &params.words)
        });
        waits.ok_or_else(|| RpcError::invalid_request("no device with these words waits; it may have connected again"))
    }

    /// The decision is on disk.
    pub fn decide(&mut self, decided: &Decided, state: PairingDeviceState) {
        let open = self.list.iter_mut().find(|open| open.number == decided.pairing);
        if let Some((device, key)) = open.and_then(|open| open.device.as_mut())
            && *key == decided.public_key
        {
            device.state = state;
        }
    }

    /// The device that has come for a code.
    pub fn device(&self, code: &PairStatusRequest) -> Option<PairingDevice> {
        let PairStatusRequest { pairing_code, manual_pairing_code } = code;
        let code = pairing_code.as_ref().or(manual_pairing_code.as_ref())?.expose();
        let open = self.list.iter().find(|open| open.codes.iter().any(|it| it == code))?;
        open.device.as_ref().map(|(device, _)| device.clone())
    }
}

impl Open {
    fn decided(&self) -> Option<Decided> {
        let (device, public_key) = self.device.clone()?;
        Some(Decided { pairing: self.number, environment_id: self.environment_id.clone(), device, public_key })
    }
}
