//! What stands in the place of a message where phone and machine speak end to end. A relay passes it on like any other
//! message. The steps are explained in `remote_link::session::sealed`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// One object; what is binary is in base64 with padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "endToEnd", rename_all = "camelCase")]
pub enum EndToEnd<'a> {
    /// From a phone: what is the machine's public key? Only for a pairing by a code that was typed, which tells no key.
    Ask,
    /// From the machine: its public key, 32 bytes. The relay could exchange it, so people compare words.
    Key {
        /// The key.
        #[serde(borrow)]
        key: Cow<'a, str>,
    },
    /// The first message of a handshake from a phone, and the second one from the machine.
    Handshake {
        /// The message of the handshake.
        #[serde(borrow)]
        message: Cow<'a, str>,
        /// From a phone that is not paired yet: which pairing it comes for, by a name that is made of the code or the secret.
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        pairing: Option<Cow<'a, str>>,
    },
    /// Something that only the two ends can read.
    Sealed {
        /// Messages of the Noise protocol, one behind the other.
        #[serde(borrow)]
        data: Cow<'a, str>,
    },
    /// From the machine: the stream has ended, and why. Whoever is on the way can say this, too.
    Ended {
        /// Why, for programs.
        reason: EndToEndReason,
        /// Why, and what to do, for people.
        #[serde(borrow)]
        text: Cow<'a, str>,
    },
}

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndToEndReason {
    /// A message was changed, repeated, left out, put elsewhere, or encrypted with another key.
    Tampered,
    /// The machine does not know the device.
    UnknownDevice,
    /// Nobody at the machine waits for this pairing.
    NoPairing,
    /// A person at the machine has said no.
    Refused,
    /// Too much at a time.
    Busy,
    /// The machine does not speak end to end.
    Off,
    /// The messages came in an order that makes no sense, or are of another version.
    Invalid,
}

/// What the two ends say to each other inside of the encryption, before anything else, when a device is new.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PairingStep {
    /// From the phone: the number to which its first message has committed it, in base64, and its name.
    Open {
        /// 16 bytes.
        nonce: String,
        /// What people call the device.
        #[serde(default)]
        name: Option<String>,
    },
    /// From the machine: the words are shown there, and a person has to confirm them.
    Waiting,
    /// From the machine: the device is paired.
    Accepted,
}

/// A step as it is encrypted: `{"pairing": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairingMessage {
    /// The step.
    pub pairing: PairingStep,
}

impl<'a> EndToEnd<'a> {
    /// Reads an object; `None` if it is a message of another kind.
    pub fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The object as text.
    pub fn write(&self) -> String {
        // Text in text always works.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_written_as_the_page_knows_it_and_read_back() {
        for text in [
            r#"{"endToEnd":"ask"}"#,
            r#"{"endToEnd":"key","key":"AAAA"}"#,
            r#"{"endToEnd":"handshake","message":"AAAA","pairing":"id"}"#,
            r#"{"endToEnd":"handshake","message":"AAAA"}"#,
            r#"{"endToEnd":"sealed","data":"AAAA"}"#,
            r#"{"endToEnd":"ended","reason":"unknownDevice","text":"words"}"#,
        ] {
            assert_eq!(EndToEnd::read(text).unwrap().write(), text);
        }
        for other in [r#"{"id":1,"method":"initialize"}"#, "5", r#"{"endToEnd":"other"}"#, r#"{"endToEnd":"sealed"}"#] {
            assert_eq!(EndToEnd::read(other), None, "{other}");
        }
        for text in [
            r#"{"pairing":{"open":{"nonce":"AA==","name":"a phone"}}}"#,
            r#"{"pairing":"waiting"}"#,
            r#"{"pairing":"accepted"}"#,
        ] {
            let step: PairingMessage = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&step).unwrap(), text);
        }
    }
}
