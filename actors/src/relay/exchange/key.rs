//! The names of streams.

/// Names a stream. The client id comes from the phone's token, never from the phone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamKey {
    /// Id of the controller.
    pub client: String,
    /// Id of the stream, chosen by the relay.
    pub stream: String,
}
