//! The user's configuration, as clients read and write it.

mod read;
mod warning;
mod write;

pub use read::{
    Config, ConfigLayer, ConfigLayerMetadata, ConfigLayerSource, ConfigReadParams, ConfigReadResponse,
    ConfigRequirementsReadResponse,
};
pub use warning::{ConfigWarning, TextPosition, TextRange};
pub use write::{
    ConfigBatchWriteParams, ConfigEdit, ConfigEditValue, ConfigValueWriteParams, ConfigWriteErrorCode,
    ConfigWriteResponse, MergeStrategy, OverriddenMetadata, WriteStatus,
};
