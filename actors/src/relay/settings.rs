//! The settings of the relay. `config/default.toml` explains each default.

use std::num::NonZeroU32;

use serde::Deserialize;

use crate::limits::Seconds;

/// Bounds and times; the name of each ends with its unit.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RelaySettings {
    /// Requests waiting for the relay. Further ones get 503.
    pub mailbox_messages: usize,
    /// Messages waiting for the actor of one server; the senders wait above it.
    pub link_mailbox_messages: usize,
    /// Largest body of a request, in bytes.
    pub request_bytes: usize,
    /// Time for a request, in seconds.
    pub request_seconds: Seconds,
    /// Open connections of servers, phones and browsers.
    pub connections: usize,
    /// Open connections of one network address.
    pub connections_per_address: usize,
    /// Time between looks for what other processes have changed in the database, in seconds.
    pub check_seconds: Seconds,

    /// Port of `remote-control --relay local`; 0 for any free one.
    pub local_port: u16,
    /// Life of the certificate that this machine makes for itself, in days.
    pub certificate_days: u32,
    /// Days before its end at which a start makes another one.
    pub certificate_renew_days: u32,

    /// Servers of one account. Above it the one that was away for longest is forgotten.
    pub account_servers: usize,
    /// Devices that may control one server. Further ones are refused.
    pub server_devices: usize,
    /// Pairing codes of one server that are good at a time. Above it the oldest one is not any more.
    pub server_codes: usize,
    /// Life of a pairing code, in seconds.
    pub code_seconds: Seconds,
    /// Wrong guesses that a code for typing survives, less one.
    pub code_tries: u32,
    /// Wrong codes and tokens that one network address may send at once.
    pub failed_attempts_burst: NonZeroU32,
    /// Wrong codes and tokens per minute that one network address may send in the long run.
    pub failed_attempts_per_minute: NonZeroU32,
    /// Life of a server token, in seconds.
    pub server_token_seconds: Seconds,
    /// Age at which the token of a device is replaced when the device comes, in seconds.
    pub device_token_seconds: Seconds,
    /// How long the replaced token stays good, in seconds.
    pub device_token_overlap_seconds: Seconds,

    /// Largest message of a server, in bytes.
    pub server_message_bytes: usize,
    /// Time between pings to a server, in seconds.
    pub server_ping_seconds: Seconds,
    /// Time without a pong after which the socket of a server is cut, in seconds.
    pub server_pong_seconds: Seconds,
    /// Bytes that wait for the socket of a server before phones wait, too.
    pub server_waiting_bytes: usize,
    /// Time without progress after which a socket that is not read is cut, in seconds.
    pub stalled_seconds: Seconds,
    /// Messages to a server that are kept until it is known to have them.
    pub server_kept_messages: usize,
    /// Bytes of those messages.
    pub server_kept_bytes: usize,
    /// Open streams to one server.
    pub server_streams: usize,
    /// Bytes that phones of one server have not acknowledged. Above it the stream with the most ends.
    pub server_retained_bytes: usize,

    /// Largest message of a phone, in bytes.
    pub phone_message_bytes: usize,
    /// Time between pings to a phone, in seconds.
    pub phone_ping_seconds: Seconds,
    /// Time without a sign of life after which the socket of a phone is cut, in seconds.
    pub phone_pong_seconds: Seconds,
    /// Open streams of one phone to one server.
    pub phone_streams: usize,
    /// Envelopes that a phone has not acknowledged. Above it its stream ends.
    pub stream_retained_envelopes: usize,
    /// Bytes of those envelopes, with the same effect.
    pub stream_retained_bytes: usize,
    /// How long a stream waits for a phone that has lost its socket, in seconds.
    pub stream_away_seconds: Seconds,

    /// Who answers for the pushes of this relay: `mailto:` or an https URL. Some push services refuse those without.
    pub push_contact: String,
    /// Time for one push, in seconds.
    pub push_seconds: Seconds,
    /// Pushes that are sent at the same time.
    pub push_at_once: usize,
    /// Devices that wait to be told. Further ones are not told.
    pub push_queue: usize,
    /// Shortest time between two pushes to one device, in seconds.
    pub push_pause_seconds: Seconds,
    /// How long a push service keeps a push for a phone that is off, in seconds.
    pub push_life_seconds: Seconds,
    /// Longest address of a push service, in bytes.
    pub push_endpoint_bytes: usize,
    /// Whether a push service may be in a network of our own: for tests.
    pub push_anywhere: bool,
}

impl RelaySettings {
    /// Settings for tests: room for one of everything that is queued, and short lists.
    #[cfg(test)]
    pub fn tiny() -> Self {
        const ONE: NonZeroU32 = NonZeroU32::MIN;
        Self {
            mailbox_messages: 1,
            link_mailbox_messages: 1,
            request_bytes: 4096,
            request_seconds: Seconds(60),
            connections: 16,
            connections_per_address: 16,
            check_seconds: Seconds(1),
            local_port: 0,
            certificate_days: 397,
            certificate_renew_days: 120,
            account_servers: 2,
            server_devices: 2,
            server_codes: 1,
            code_seconds: Seconds(300),
            code_tries: 2,
            failed_attempts_burst: ONE,
            failed_attempts_per_minute: ONE,
            server_token_seconds: Seconds(3600),
            device_token_seconds: Seconds(100),
            device_token_overlap_seconds: Seconds(10),
            server_message_bytes: 1 << 20,
            server_ping_seconds: Seconds(10),
            server_pong_seconds: Seconds(20),
            server_waiting_bytes: 1,
            stalled_seconds: Seconds(30),
            server_kept_messages: 4,
            server_kept_bytes: 1 << 20,
            server_streams: 3,
            server_retained_bytes: 2000,
            phone_message_bytes: 1 << 16,
            phone_ping_seconds: Seconds(25),
            phone_pong_seconds: Seconds(60),
            phone_streams: 2,
            stream_retained_envelopes: 4,
            stream_retained_bytes: 1500,
            stream_away_seconds: Seconds(600),
            push_contact: String::new(),
            push_seconds: Seconds(10),
            push_at_once: 1,
            push_queue: 1,
            push_pause_seconds: Seconds(30),
            push_life_seconds: Seconds(3600),
            push_endpoint_bytes: 2048,
            push_anywhere: false,
        }
    }
}
