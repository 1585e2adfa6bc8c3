//! The names of devices.

use super::messages::RelayRefusal;

/// Longest name of a device, in bytes.
const NAME_BYTES: usize = 128;

/// What a person or a browser has called a device; `None` if it says nothing.
///
/// # Errors
/// It is too long.
pub fn name_of_device(text: Option<String>) -> Result<Option<String>, RelayRefusal> {
    let text = text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.len() > NAME_BYTES) {
        return Err(RelayRefusal::Invalid("a name may have 128 bytes"));
    }
    Ok(text)
}
