//! The user's configuration as clients read it.

mod read;
mod warning;

pub use read::{
    Config, ConfigLayer, ConfigLayerMetadata, ConfigLayerSource, ConfigReadParams, ConfigReadResponse,
    ConfigRequirementsReadResponse,
};
pub use warning::{ConfigWarning, TextPosition, TextRange};
