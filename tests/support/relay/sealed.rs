//! The phone's end of the end-to-end encryption, with the other side of the Noise protocol.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use snow::{Builder, HandshakeState, TransportState};

use super::phone::Phone;
use super::{Device, Machine, Relay};
use crate::support::PATIENCE;
use crate::support::client::Client;
use crate::support::secrets;
use crate::support::wire::{Received, Wire};

/// Bytes of a piece, and what it costs more when it is sealed.
const PIECE_BYTES: usize = 65_535 - 16 - 1;

/// What a phone keeps: who it is at the relay, its own key, and the machine's.
#[derive(Clone)]
pub struct Keys {
    pub environment: String,
    pub client: String,
    pub own: [u8; 32],
    pub machine: [u8; 32],
}

/// A pairing that a phone comes for.
#[derive(Clone, Copy)]
pub enum Pairing<'a> {
    /// By the secret of a link.
    Secret(&'a [u8]),
    /// By a code that was typed.
    Code(&'a str),
}

/// The encryption of one stream.
pub struct Sealing {
    noise: Option<HandshakeState>,
    channel: Option<TransportState>,
    number: [u8; 16],
    /// The words on the phone's screen.
    pub words: String,
}

fn sha(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |digest, part| digest.chain_update(part)).finalize().into()
}

fn pairing_id(of: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(&sha(&[b"codex-app-server pairing id", of])[..8])
}

/// A key or secret as links carry it.
pub fn bytes(text: &Value) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text.as_str().expect("base64")).expect("base64")
}

impl Keys {
    /// Keys of a new device. `pairing` is the answer to `remoteControl/pairing/start`.
    pub fn of(device: &Device, pairing: &Value) -> Self {
        let machine = bytes(&pairing["endToEnd"]["key"]).try_into().expect("32 bytes");
        Self::new(&device.environment, &device.client_id, machine)
    }

    pub fn new(environment: &str, client: &str, machine: [u8; 32]) -> Self {
        let own = sha(&[b"a phone", client.as_bytes()]);
        Self { environment: environment.to_owned(), client: client.to_owned(), own, machine }
    }
}

impl Sealing {
    /// The first message on a stream.
    pub fn greeting(keys: &Keys, stream: &str, pairing: Option<Pairing<'_>>) -> (Self, Value) {
        let mut prologue = Vec::new();
        for part in ["codex-app-server end to end 1", &keys.environment, &keys.client, stream] {
            prologue.extend_from_slice(&(part.len() as u64).to_be_bytes());
            prologue.extend_from_slice(part.as_bytes());
        }
        let secret = match pairing {
            Some(Pairing::Secret(secret)) => Some(sha(&[b"codex-app-server pairing secret", secret])),
            _ => None,
        };
        let pattern = if secret.is_some() { "IKpsk2" } else { "IK" };
        let mut builder = Builder::new(format!("Noise_{pattern}_25519_ChaChaPoly_SHA256").parse().expect("a pattern"));
        builder = builder.local_private_key(&keys.own).expect("a key").remote_public_key(&keys.machine).expect("a key");
        builder = builder.prologue(&prologue).expect("a prologue");
        if let Some(secret) = &secret {
            builder = builder.psk(2, secret).expect("a secret");
        }
        let mut noise = builder.build_initiator().expect("a handshake");
        let number = [42; 16];
        let payload = if pairing.is_some() { sha(&[&number]).to_vec() } else { Vec::new() };
        let mut message = vec![0; 1024];
        let written = noise.write_message(&payload, &mut message).expect("a message");
        let mut object = json!({"endToEnd": "handshake", "message": BASE64.encode(&message[..written])});
        match pairing {
            Some(Pairing::Secret(secret)) => object["pairing"] = json!(pairing_id(secret)),
            Some(Pairing::Code(code)) => object["pairing"] = json!(pairing_id(code.replace('-', "").as_bytes())),
            None => {}
        }
        (Self { noise: Some(noise), channel: None, number, words: String::new() }, object)
    }

    /// Understands the machine's answer.
    pub fn answered(&mut self, object: &Value) {
        let message = object["message"].as_str().unwrap_or_else(|| panic!("no handshake: {object}"));
        let mut noise = self.noise.take().expect("a handshake");
        let mut payload = vec![0; 1024];
        let read = noise.read_message(&BASE64.decode(message).expect("base64"), &mut payload).expect("the machine's");
        let digest = sha(&[b"codex-app-server words", noise.get_handshake_hash(), &self.number, &payload[..read]]);
        let all: Vec<&str> = app_server_actors::remote_link::words().collect();
        self.words = digest[..4].iter().map(|byte| all[usize::from(*byte)]).collect::<Vec<_>>().join(" ");
        self.channel = Some(noise.into_transport_mode().expect("it is complete"));
    }

    /// What a new device says first.
    pub fn opening(&mut self, name: &str) -> Value {
        let number = BASE64.encode(self.number);
        self.seal(&json!({"pairing": {"open": {"nonce": number, "name": name}}}).to_string())
    }

    pub fn seal(&mut self, text: &str) -> Value {
        let channel = self.channel.as_mut().expect("a channel");
        let mut sealed = Vec::new();
        let mut pieces = text.as_bytes().chunks(PIECE_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            let marked = [&[u8::from(pieces.peek().is_none())], piece].concat();
            let mut message = vec![0; marked.len() + 16];
            channel.write_message(&marked, &mut message).expect("room");
            sealed.extend(message);
        }
        json!({"endToEnd": "sealed", "data": BASE64.encode(sealed)})
    }

    pub fn open(&mut self, object: &Value) -> String {
        let data = object["data"].as_str().unwrap_or_else(|| panic!("not sealed: {object}"));
        let channel = self.channel.as_mut().expect("a channel");
        let mut text = Vec::new();
        for message in BASE64.decode(data).expect("base64").chunks(65_535) {
            let mut piece = vec![0; message.len()];
            let read = channel.read_message(message, &mut piece).expect("the next message of the machine");
            text.extend_from_slice(&piece[1..read]);
        }
        String::from_utf8(text).expect("text")
    }
}

/// A wire on which everything is sealed. What the machine says openly comes as it is.
pub struct Sealed<W> {
    wire: W,
    sealing: Sealing,
}

impl<W: Wire> Sealed<W> {
    /// Does the handshake of a paired phone.
    pub fn begin(mut wire: W, keys: &Keys, stream: &str) -> Self {
        let (mut sealing, greeting) = Sealing::greeting(keys, stream, None);
        wire.send(&greeting.to_string());
        sealing.answered(&object(&mut wire));
        Self { wire, sealing }
    }

    /// Does that of a phone that is new, up to what the machine says to it.
    pub fn pair(mut wire: W, keys: &Keys, stream: &str, pairing: Pairing<'_>) -> (Self, Value) {
        let (mut sealing, greeting) = Sealing::greeting(keys, stream, Some(pairing));
        wire.send(&greeting.to_string());
        sealing.answered(&object(&mut wire));
        wire.send(&sealing.opening("a phone").to_string());
        let mut sealed = Self { wire, sealing };
        let said = sealed.said();
        (sealed, said)
    }

    /// The next thing that the machine says.
    pub fn said(&mut self) -> Value {
        let Received::Message(text) = self.receive(Instant::now() + PATIENCE) else { panic!("nothing came") };
        serde_json::from_str(&text).expect("JSON")
    }

    /// The words on the phone's screen.
    pub fn words(&self) -> &str {
        &self.sealing.words
    }
}

impl<W: Wire + 'static> Sealed<W> {
    pub fn client(self) -> Client {
        Client::new(Box::new(self))
    }
}

fn object(wire: &mut impl Wire) -> Value {
    let Received::Message(text) = wire.receive(Instant::now() + PATIENCE) else { panic!("nothing came") };
    serde_json::from_str(&text).expect("JSON")
}

impl<W: Wire> Wire for Sealed<W> {
    fn send(&mut self, message: &str) {
        let object = self.sealing.seal(message);
        self.wire.send(&object.to_string());
    }

    fn receive(&mut self, deadline: Instant) -> Received {
        match self.wire.receive(deadline) {
            Received::Message(text) => {
                let object: Value = serde_json::from_str(&text).expect("JSON");
                match object["endToEnd"] == "sealed" {
                    true => Received::Message(self.sealing.open(&object)),
                    false => Received::Message(text),
                }
            }
            other => other,
        }
    }

    fn close(&mut self) {
        self.wire.close();
    }
}

/// A code, and a device that the relay knows by it.
pub fn claimed(relay: &Relay, machine: &mut Machine, params: Value) -> (Device, Value) {
    let pairing = machine.client.call("remoteControl/pairing/start", params);
    secrets::used(pairing["endToEnd"]["secret"].as_str().expect("a secret"));
    (relay.pair_by(pairing["pairingCode"].as_str().expect("a code")), pairing)
}

/// The name of its stream.
pub fn stream(phone: &Phone) -> String {
    phone.welcome["stream_id"].as_str().expect("a stream").to_owned()
}

/// A device that was paired by the secret of a link.
pub fn paired(relay: &Relay, machine: &mut Machine, params: Value) -> (Device, Keys) {
    let (device, pairing) = claimed(relay, machine, params);
    let keys = Keys::of(&device, &pairing);
    let phone = Phone::open(relay, &device);
    let name = stream(&phone);
    let secret = bytes(&pairing["endToEnd"]["secret"]);
    let (_, said) = Sealed::pair(phone, &keys, &name, Pairing::Secret(&secret));
    assert_eq!(said, json!({"pairing": "accepted"}));
    (device, keys)
}

/// A client on a new stream of a device that is paired.
pub fn connect(relay: &Relay, device: &Device, keys: &Keys) -> Client {
    let phone = Phone::open(relay, device);
    let name = stream(&phone);
    let mut client = Sealed::begin(phone, keys, &name).client();
    client.initialize();
    client
}
