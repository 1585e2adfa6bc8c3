//! Where a phone finds its page, and what its user should know about the way there.

use app_server_actors::protocol::remote::{PairingEndToEnd, PairingStartResponse};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::relay::Identity;

/// Bytes of a certificate's fingerprint in the link and on the screen: nobody finds another certificate with the same 128 bits,
/// and a longer link makes a drawing that does not fit the smallest terminal.
const FINGERPRINT_BYTES: usize = 16;

/// Groups of the fingerprint in one line of the screen.
const GROUPS_OF_A_LINE: usize = 4;

/// The page of a relay.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its URL, without a slash at the end.
    pub page: String,
    /// What stands at the end of the link for cameras.
    pub suffix: String,
    /// What a person should know, one text for each paragraph.
    pub notes: Vec<String>,
}

impl Place {
    /// A page about which there is nothing to say.
    pub fn of(page: &str) -> Self {
        Self { page: page.to_owned(), suffix: String::new(), notes: Vec::new() }
    }

    /// The page of the relay in this process, which shows `identity` if it speaks TLS.
    pub fn of_local(page: String, identity: Option<&Identity>) -> Self {
        let Some(identity) = identity else {
            let note =
                "The page comes to the phone without encryption: use it only in a network that you trust.".to_owned();
            return Self { page, suffix: String::new(), notes: vec![note] };
        };
        let suffix = format!("&cert={}", URL_SAFE_NO_PAD.encode(&identity.fingerprint[..FINGERPRINT_BYTES]));
        let groups = identity.in_groups(FINGERPRINT_BYTES / 2);
        let mut notes = vec!["The phone warns that nobody has signed the certificate; its SHA-256 begins:".to_owned()];
        let words: Vec<&str> = groups.split(' ').collect();
        notes.extend(words.chunks(GROUPS_OF_A_LINE).map(|line| line.join(" ")));
        Self { page, suffix, notes }
    }

    /// The links for a camera, the best one first: `PAGE/#CODE.KEY.SECRET&cert=FINGERPRINT`. All behind the `#` stays in the
    /// phone: the code; where phones encrypt end to end, the key of this machine and the one-time secret; for a certificate
    /// that nobody has signed, the beginning of its fingerprint. The shorter one, for small terminals, has the code for typing
    /// and no key: the phone asks for that, and the secret proves it. `link.js` of the page reads them.
    pub fn links(&self, pairing: &PairingStartResponse) -> Vec<String> {
        let code = &pairing.pairing_code;
        let link = |front: String| format!("{}/#{front}{}", self.page, self.suffix);
        let Some(PairingEndToEnd { key, secret }) = &pairing.end_to_end else { return vec![link(code.clone())] };
        let short = pairing.manual_pairing_code.as_ref().map(|code| link(format!("{code}..{secret}")));
        [link(format!("{code}.{key}.{secret}"))].into_iter().chain(short).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page's own test reads the same links: `tests/relay/vectors.js`.
    const LINKS: &str = include_str!("../../tests/relay/links.json");

    #[test]
    fn links_carry_the_code_the_key_the_secret_and_the_fingerprint_and_the_screen_shows_it() {
        let mut fingerprint = [7; 32];
        fingerprint[..2].copy_from_slice(&[0xab, 0xcd]);
        let identity = Identity { fingerprint, ends_at: 0 };
        let encrypted = Place::of_local("https://192.0.2.7:8390".to_owned(), Some(&identity));
        assert_eq!(encrypted.notes[1..], ["ABCD 0707 0707 0707", "0707 0707 0707 0707"]);
        let alone = PairingStartResponse {
            pairing_code: "a-long-code".to_owned(),
            manual_pairing_code: Some("BCDF-GHJK".to_owned()),
            environment_id: "env_1".to_owned(),
            expires_at: 0,
            expires_in_seconds: None,
            end_to_end: None,
        };
        let proven = PairingEndToEnd { key: "K_-1".to_owned(), secret: "S_-2".to_owned() };
        let sealed = PairingStartResponse { end_to_end: Some(proven), ..alone.clone() };
        let places = [Place::of("https://r"), encrypted];
        let written: Vec<String> =
            places.iter().flat_map(|place| [place.links(&alone), place.links(&sealed)].concat()).collect();
        let listed: Vec<serde_json::Value> = serde_json::from_str(LINKS).unwrap();
        let listed: Vec<&str> = listed.iter().filter_map(|it| it["link"].as_str()).collect();
        assert_eq!(written, listed);
    }
}
