//! Why a stream that speaks end to end ends, in words for the phone and for the log.

use crate::protocol::remote::{EndToEnd, EndToEndReason};

/// The object that tells a phone of the end.
pub fn told(reason: EndToEndReason) -> String {
    EndToEnd::Ended { reason, text: text(reason).into() }.write()
}

/// What happened, and what to do.
pub fn text(reason: EndToEndReason) -> &'static str {
    match reason {
        EndToEndReason::Tampered => {
            "a message could not be decrypted: something between the phone and the machine has changed, repeated, left out or \
             exchanged it. Connect again; if it happens again, do not use this relay"
        }
        EndToEndReason::UnknownDevice => {
            "the machine does not know this device, or not any more. Pair it again: run `codex-app-server remote-control pair` \
             on the machine"
        }
        EndToEndReason::NoPairing => {
            "nobody at the machine waits for this device: the code was used, has expired, or was tried too often. Run \
             `codex-app-server remote-control pair` on the machine for a new one"
        }
        EndToEndReason::Refused => {
            "the device was refused at the machine. If the words were not the same on both screens, somebody is between them: do \
             not use this relay"
        }
        EndToEndReason::Busy => "the machine has too much to do with devices that connect; try again in a minute",
        EndToEndReason::Off => {
            "the machine does not encrypt end to end; set `remote_control.end_to_end` in its app-server.toml to \"required\""
        }
        EndToEndReason::Invalid => {
            "the machine does not understand what this page says; reload the page, and update the machine if that does not help"
        }
    }
}

/// For a phone that speaks plainly to a machine that does not allow it.
pub const PLAIN: &str = "this machine accepts only messages that are encrypted end to end; update the program on the phone, or \
                         reload its page";
