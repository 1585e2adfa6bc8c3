//! The user's configuration as clients read it, and the policies that it and a thread's params choose.

mod policy;
mod read;
mod warning;

pub use policy::{ApprovalsReviewer, AskForApproval, GranularApproval, ReasoningEffort, SandboxMode, SandboxPolicy};
pub use read::{
    Config, ConfigLayer, ConfigLayerMetadata, ConfigLayerSource, ConfigReadParams, ConfigReadResponse,
    ConfigRequirementsReadResponse, canonical_json,
};
pub use warning::{ConfigWarning, TextPosition, TextRange};
