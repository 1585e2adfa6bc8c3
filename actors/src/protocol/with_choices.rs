//! Params of methods that share members: the settings that a client may choose, and the members of the method itself.

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// Params that hold the chosen settings `C` and the members `P` of their own method, side by side on the wire.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct WithChoices<C, P> {
    /// The chosen settings.
    #[serde(flatten)]
    pub choices: C,
    /// The other members.
    #[serde(flatten)]
    pub own: P,
}

/// Both halves are read from the same text. The way of serde's `flatten` would keep a copy of every member that it does not
/// know, of any size.
impl<'de, C: DeserializeOwned, P: DeserializeOwned> Deserialize<'de> for WithChoices<C, P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let choices = serde_json::from_str(text).map_err(Error::custom)?;
        let own = serde_json::from_str(text).map_err(Error::custom)?;
        Ok(Self { choices, own })
    }
}
