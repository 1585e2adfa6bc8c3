//! A phone that speaks end to end, with the other side of `snow`.

use secrecy::{ExposeSecret as _, SecretSlice};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use snow::{Builder, HandshakeState};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::super::sealed::{PROTOCOL, prologue};
use super::*;
use crate::remote_link::session::public_key;
use crate::remote_link::{PublicKey, pairing_id};

/// The random number of every phone; what matters is that the machine's is random.
pub(super) const NUMBER: [u8; 16] = [7; 16];

/// A phone on one stream.
pub(super) struct TestPhone {
    pub(super) client: &'static str,
    pub(super) stream: &'static str,
    pub(super) seq: u64,
    pub(super) private: [u8; 32],
    pub(super) noise: Option<HandshakeState>,
    pub(super) channel: Option<snow::TransportState>,
    /// The digest of the handshake, and the machine's number.
    pub(super) agreed: (Vec<u8>, Vec<u8>),
}

impl TestPhone {
    pub(super) fn new(client: &'static str, stream: &'static str) -> Self {
        let agreed = Default::default();
        Self { client, stream, seq: 0, private: [client.as_bytes()[0]; 32], noise: None, channel: None, agreed }
    }

    pub(super) fn public(&self) -> PublicKey {
        public_key(&self.private.to_vec().into()).unwrap()
    }

    /// The object of the first message.
    pub(super) fn greeting(&mut self, to: PublicKey, environment: &str, pairing: Option<(&[u8], bool)>) -> Value {
        let secret = pairing.filter(|(_, scanned)| *scanned).map(|(secret, _)| {
            let digest = Sha256::new().chain_update("codex-app-server pairing secret").chain_update(secret).finalize();
            <[u8; 32]>::from(digest)
        });
        let pattern = if secret.is_some() { "IKpsk2" } else { "IK" };
        let prologue = prologue(environment, self.client, self.stream);
        assert!(prologue.windows(PROTOCOL.len()).any(|it| it == PROTOCOL.as_bytes()));
        let mut builder = Builder::new(format!("Noise_{pattern}_25519_ChaChaPoly_SHA256").parse().unwrap())
            .local_private_key(&self.private)
            .unwrap()
            .remote_public_key(&to)
            .unwrap()
            .prologue(&prologue)
            .unwrap();
        if let Some(secret) = &secret {
            builder = builder.psk(2, secret).unwrap();
        }
        let mut noise = builder.build_initiator().unwrap();
        let payload = if pairing.is_some() { Sha256::digest(NUMBER).to_vec() } else { Vec::new() };
        let mut message = vec![0; 1024];
        let written = noise.write_message(&payload, &mut message).unwrap();
        self.noise = Some(noise);
        let mut object = json!({"endToEnd": "handshake", "message": BASE64.encode(&message[..written])});
        if let Some((of, _)) = pairing {
            object["pairing"] = json!(pairing_id(of));
        }
        object
    }

    /// Understands the machine's answer; false if it cannot be opened.
    pub(super) fn answered(&mut self, object: &Value) -> bool {
        let Some(message) = object["message"].as_str() else { panic!("{object}") };
        let mut noise = self.noise.take().unwrap();
        let mut payload = vec![0; 1024];
        let Ok(read) = noise.read_message(&BASE64.decode(message).unwrap(), &mut payload) else { return false };
        payload.truncate(read);
        self.agreed = (noise.get_handshake_hash().to_vec(), payload);
        self.channel = Some(noise.into_transport_mode().unwrap());
        true
    }

    /// A sealed object.
    pub(super) fn seal(&mut self, message: &Value) -> Value {
        let text = [&[1], message.to_string().as_bytes()].concat();
        let mut sealed = vec![0; text.len() + 16];
        let written = self.channel.as_mut().unwrap().write_message(&text, &mut sealed).unwrap();
        json!({"endToEnd": "sealed", "data": BASE64.encode(&sealed[..written])})
    }

    /// What the machine has sealed.
    pub(super) fn open(&mut self, object: &Value) -> Value {
        let Some(data) = object["data"].as_str() else { panic!("{object}") };
        let sealed = BASE64.decode(data).unwrap();
        let mut text = vec![0; sealed.len()];
        let read = self.channel.as_mut().unwrap().read_message(&sealed, &mut text).unwrap();
        serde_json::from_slice(&text[1..read]).unwrap()
    }

    /// The words on this phone's screen.
    pub(super) fn words(&self) -> String {
        let (handshake, number) = &self.agreed;
        let digest = Sha256::new()
            .chain_update("codex-app-server words")
            .chain_update(handshake)
            .chain_update(NUMBER)
            .chain_update(number)
            .finalize();
        let all: Vec<&str> = super::super::words().collect();
        digest[..4].iter().map(|byte| all[usize::from(*byte)]).collect::<Vec<_>>().join(" ")
    }
}

/// The private key of the machine, and the secret of a link.
pub(super) fn machine() -> SecretSlice<u8> {
    vec![9; 32].into()
}

pub(super) fn secret() -> SecretSlice<u8> {
    vec![5; 16].into()
}

pub(super) fn machine_public() -> PublicKey {
    public_key(&machine()).unwrap()
}

impl Harness {
    /// Says an object as the phone's next message.
    pub(super) fn phone_says(&mut self, phone: &mut TestPhone, object: &Value) {
        phone.seq += 1;
        self.message(phone.client, phone.stream, phone.seq, object);
    }

    /// Says something sealed.
    pub(super) fn phone_seals(&mut self, phone: &mut TestPhone, message: &Value) {
        let object = phone.seal(message);
        self.phone_says(phone, &object);
    }

    /// The objects that the machine has sent.
    pub(super) fn objects(&mut self) -> Vec<Value> {
        let sent = self.sent();
        for it in &sent {
            let name = |member: &str| it[member].as_str().unwrap().to_owned();
            self.ack(&name("client_id"), &name("stream_id"), it["seq_id"].as_u64().unwrap());
        }
        sent.into_iter().map(|mut it| it["message"].take()).collect()
    }

    /// A handshake of a paired phone.
    pub(super) fn greets(&mut self, phone: &mut TestPhone) {
        let greeting = phone.greeting(machine_public(), "env", None);
        self.phone_says(phone, &greeting);
        let [answer] = &self.objects()[..] else { panic!("one answer") };
        assert!(phone.answered(answer));
    }

    /// The number of the pairing step that a new phone owes.
    pub(super) fn opens(&mut self, phone: &mut TestPhone) {
        let number = json!({"pairing": {"open": {"nonce": BASE64.encode(NUMBER), "name": "a phone"}}});
        self.phone_seals(phone, &number);
    }
}

pub(super) fn exposed(secret: &SecretSlice<u8>) -> Vec<u8> {
    secret.expose_secret().to_vec()
}

pub(super) fn of_base64(text: &str) -> Vec<u8> {
    BASE64.decode(text).unwrap()
}
