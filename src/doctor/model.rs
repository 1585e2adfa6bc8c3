//! Checks of the model that new threads would use.

use std::path::Path;

use app_server_actors::catalog::{Catalog, Outlook};

use super::Finding;
use crate::{server, settings::Settings};

/// What helps when no model can be used, in one line.
const WITHOUT_MODEL: &str =
    "To try things out without an account: codex-app-server -c model_provider=echo chat \"hello\"";

/// Which model new threads in the working directory use, and whether it can be asked.
pub(super) async fn model(home: &Path, overrides: &[String], settings: &Settings) -> Finding {
    let sources = match server::sources_with_models(home, overrides, settings) {
        Ok(sources) => sources,
        Err(error) => return Finding::error("model", error.to_string(), "Correct the option -c."),
    };
    match Catalog::outlook(sources).await {
        Err(fault) => Finding::error("model", fault.trim(), "Correct config.toml; threads cannot start until then."),
        Ok(Outlook { model, provider, trouble: None, .. }) => Finding::ok("model", format!("{model} of {provider}")),
        Ok(Outlook { model, trouble: Some(trouble), others, .. }) => {
            let advice = match others.as_slice() {
                [] => WITHOUT_MODEL.to_owned(),
                others => format!(
                    "A model server answers on this machine: set model_provider = \"{}\" in config.toml, and `model` to \
                     one that it has.",
                    others.join("\" or \"")
                ),
            };
            Finding::warning("model", format!("{model}: {trouble}"), advice)
        }
    }
}
