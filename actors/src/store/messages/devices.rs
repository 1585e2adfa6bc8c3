//! Requests about phones that speak end to end.

use crate::protocol::scope::Scopes;

/// Loads the private key of this machine and the devices of an environment. Where there is no key yet, the new one is kept. The
/// answer is the key that counts.
pub struct LoadDevices {
    /// Id of the environment.
    pub environment_id: String,
    /// 32 random bytes, for a machine without a key.
    pub new_key: Vec<u8>,
}

/// Lists the devices of an environment.
pub struct ListDevices {
    /// Id of the environment.
    pub environment_id: String,
}

/// A phone that is paired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRecord {
    /// Id of the environment.
    pub environment_id: String,
    /// Its id at the relay.
    pub client_id: String,
    /// Its public key: 32 bytes.
    pub public_key: Vec<u8>,
    /// What it calls itself.
    pub name: Option<String>,
    /// What it may do.
    pub scopes: Scopes,
}

/// Stores a device, replacing one with the same id.
pub struct SaveDevice {
    /// The device.
    pub device: DeviceRecord,
    /// Unix seconds.
    pub at: i64,
    /// Most devices of the environment; above it the one that was unused for longest is forgotten.
    pub most: usize,
}

/// Forgets a device. The answer is whether it was known.
pub struct ForgetDevice {
    /// Id of the environment.
    pub environment_id: String,
    /// Its id at the relay.
    pub client_id: String,
}

/// A device has been used.
pub struct UseDevice {
    /// Id of the environment.
    pub environment_id: String,
    /// Its id at the relay.
    pub client_id: String,
    /// Unix seconds.
    pub at: i64,
}
