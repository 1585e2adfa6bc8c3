//! The known settings, so that a misspelt one is reported.
//!
//! Only top-level names are checked. Nested ones belong to the programs that read them.
//!
//! A known setting is not always obeyed. One that this server should act on, and does not, is reported as well;
//! [`Settings`] says by its members what this server acts on.

use std::path::Path;

use serde::Deserialize;
use serde::de::value::Error as NoValue;
use serde::de::{Deserializer, Error as _, Visitor};
use serde::forward_to_deserialize_any;
use toml::Table;
use toml::de::DeTable;

use super::{Fault, Layer, Layers, Settings};
use crate::protocol::config::{ConfigLayerSource, ConfigWarning};

/// Maximum number of unknown settings that a warning names; it counts the others.
const NAMED_IN_WARNING: usize = 3;

/// The top-level names of `config.toml` at our API level, sorted.
const KNOWN: [&str; 107] = [
    "agents",
    "allow_login_shell",
    "allow_symlinked_codex_home",
    "analytics",
    "approval_policy",
    "approvals_reviewer",
    "apps",
    "apps_mcp_product_sku",
    "audio",
    "auto_review",
    "background_terminal_max_timeout",
    "browser_use",
    "chatgpt_base_url",
    "check_for_update_on_startup",
    "cli_auth_credentials_store",
    "client_search_provider",
    "cloud",
    "compact_prompt",
    "computer_use",
    "daybreak",
    "default_permissions",
    "desktop",
    "developer_instructions",
    "disable_paste_burst",
    "experimental_compact_prompt_file",
    "experimental_realtime_start_instructions",
    "experimental_realtime_webrtc_call_base_url",
    "experimental_realtime_ws_backend_prompt",
    "experimental_realtime_ws_base_url",
    "experimental_realtime_ws_model",
    "experimental_realtime_ws_startup_context",
    "experimental_thread_store",
    "experimental_thread_store_endpoint",
    "experimental_use_unified_exec_tool",
    "features",
    "feedback",
    "file_opener",
    "forced_chatgpt_workspace_id",
    "forced_login_method",
    "ghost_snapshot",
    "goals",
    "hide_agent_reasoning",
    "history",
    "hooks",
    "include_apps_instructions",
    "include_collaboration_mode_instructions",
    "include_environment_context",
    "include_environment_context_time",
    "include_permissions_instructions",
    "instructions",
    "js_repl_node_module_dirs",
    "js_repl_node_path",
    "log_dir",
    "marketplaces",
    "mcp_enterprise_managed_auth",
    "mcp_oauth_callback_port",
    "mcp_oauth_callback_url",
    "mcp_oauth_credentials_store",
    "mcp_optional_startup_grace_ms",
    "mcp_servers",
    "memories",
    "model",
    "model_auto_compact_token_limit",
    "model_auto_compact_token_limit_scope",
    "model_catalog_json",
    "model_context_window",
    "model_instructions_file",
    "model_post_turn_compact_threshold_percent",
    "model_provider",
    "model_providers",
    "model_reasoning_effort",
    "model_reasoning_summary",
    "model_verbosity",
    "notice",
    "notify",
    "openai_base_url",
    "orchestrator",
    "oss_provider",
    "otel",
    "permissions",
    "personality",
    "plan_mode_reasoning_effort",
    "plugins",
    "profile",
    "profiles",
    "project_doc_fallback_filenames",
    "project_doc_max_bytes",
    "project_root_markers",
    "projects",
    "realtime",
    "responses_api_metadata",
    "review_model",
    "sandbox_mode",
    "sandbox_workspace_write",
    "service_tier",
    "shell_environment_policy",
    "show_raw_agent_reasoning",
    "skills",
    "sqlite_home",
    "suppress_unstable_features_warning",
    "thread_unload_delay_secs",
    "tool_output_token_limit",
    "tool_suggest",
    "tools",
    "tui",
    "web_search",
    "windows",
];

/// Settings of other programs that share the file, and those that are obeyed by not doing anything: this server sends
/// neither statistics nor reports, and looks for no updates.
const OF_OTHERS: [&str; 15] = [
    "analytics",
    "audio",
    "browser_use",
    "check_for_update_on_startup",
    "computer_use",
    "desktop",
    "disable_paste_burst",
    "feedback",
    "file_opener",
    "hide_agent_reasoning",
    "notice",
    "show_raw_agent_reasoning",
    "suppress_unstable_features_warning",
    "tui",
    "windows",
];

fn is_known(name: &str) -> bool {
    KNOWN.binary_search(&name).is_ok()
}

/// The first unknown setting of a table.
pub fn first_unknown(table: &Table) -> Option<&str> {
    table.keys().map(String::as_str).find(|name| !is_known(name))
}

/// Rejects a file with an unknown setting, for `--strict-config`.
///
/// # Errors
/// The first unknown setting and its position. Invalid TOML is not reported here.
pub fn check_file(path: &Path, text: &str) -> Result<(), Fault> {
    let Ok(table) = DeTable::parse(text) else { return Ok(()) };
    let unknown = table.get_ref().keys().filter(|key| !is_known(key.get_ref()));
    match unknown.min_by_key(|key| key.span().start) {
        None => Ok(()),
        Some(key) => {
            let message = format!("unknown configuration field `{}`", key.get_ref());
            Err(Fault::in_file(path, text, Some(key.span()), message))
        }
    }
}

/// Everything that a client should know about the settings in the layers that count.
pub fn warnings(layers: &Layers) -> Vec<ConfigWarning> {
    [unknown(layers), not_obeyed(layers), ignored(layers)].into_iter().flatten().collect()
}

/// The warning about everything unknown in the layers that count.
pub fn unknown(layers: &Layers) -> Option<ConfigWarning> {
    let lines = lines(layers, |name| !is_known(name), "is ignored");
    let settings = match lines.len() {
        0 => return None,
        1 => "setting",
        _ => "settings",
    };
    let mut summary = format!(
        "Codex is ignoring {} unrecognized configuration {settings}. Check for typos or deprecated settings.",
        lines.len()
    );
    for line in lines.iter().take(NAMED_IN_WARNING) {
        summary.push('\n');
        summary.push_str(line);
    }
    if lines.len() > NAMED_IN_WARNING {
        summary.push_str(&format!("\n  ... and {} more ignored settings.", lines.len() - NAMED_IN_WARNING));
    }
    Some(ConfigWarning { summary, details: None, path: None, range: None })
}

/// The warning about settings that this server knows and does not act on.
fn not_obeyed(layers: &Layers) -> Option<ConfigWarning> {
    let obeyed = obeyed();
    let silent = |name: &str| is_known(name) && !obeyed.contains(&name) && !OF_OTHERS.contains(&name);
    let lines = lines(layers, silent, "has no effect here");
    let summary = "This server does not act on some of your settings.".to_owned();
    (!lines.is_empty()).then(|| ConfigWarning { summary, details: Some(lines.join("\n")), path: None, range: None })
}

/// The warning about settings of projects that may not count.
pub fn ignored(layers: &Layers) -> Option<ConfigWarning> {
    let line = |layer: &Layer| {
        let source = described(&layer.source);
        layer.ignored.iter().map(|name| format!("  {source}: `{name}` is ignored.")).collect::<Vec<_>>()
    };
    let lines: Vec<String> = layers.0.iter().flat_map(line).collect();
    let summary =
        "A project may tighten your rules for commands, but not loosen them or change whom you trust.".to_owned();
    (!lines.is_empty()).then(|| ConfigWarning { summary, details: Some(lines.join("\n")), path: None, range: None })
}

/// One line for each setting at the top of the layers that count, where `concerned` says so.
fn lines(layers: &Layers, concerned: impl Fn(&str) -> bool, fate: &str) -> Vec<String> {
    let counting = layers.0.iter().rev().filter(|layer| layer.disabled_reason.is_none());
    let line = |layer: &Layer| {
        let source = described(&layer.source);
        let names = layer.table.keys().filter(|name| concerned(name));
        names.map(|name| format!("  {source}: `{name}` {fate}.")).collect::<Vec<_>>()
    };
    counting.flat_map(line).collect()
}

/// The names of the members of [`Settings`].
fn obeyed() -> &'static [&'static str] {
    /// Is asked for a structure, and notes the names of its members.
    struct Names<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = NoValue;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, NoValue> {
            Err(NoValue::custom("there is no value"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, NoValue> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &[&str] = &[];
    // It fails, having noted the names.
    let _ = Settings::deserialize(Names(&mut names));
    names
}

fn described(source: &ConfigLayerSource) -> String {
    match source {
        ConfigLayerSource::System { file } => format!("system ({file})"),
        ConfigLayerSource::User { file, .. } => format!("user ({file})"),
        ConfigLayerSource::Project { dot_codex_folder } => format!("project ({dot_codex_folder})"),
        ConfigLayerSource::SessionFlags => "session-flags".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(text: &str) -> Option<String> {
        let layer = Layer::new(ConfigLayerSource::SessionFlags, toml::from_str(text).unwrap());
        unknown(&Layers(vec![layer])).map(|warning| warning.summary)
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(KNOWN.is_sorted());
    }

    #[test]
    fn strictness_names_the_first_unknown_setting() {
        let check = |text: &str| check_file(Path::new("/h/config.toml"), text).map_err(|fault| fault.to_string());
        assert_eq!(check("model = 'x'\n[tui]\nnope = 1"), Ok(()));
        assert_eq!(
            check("no_such_key = 1\na = 1").unwrap_err(),
            "/h/config.toml:1:1: unknown configuration field `no_such_key`"
        );
        assert_eq!(check("model = 'x'\n[x]\n").unwrap_err(), "/h/config.toml:2:2: unknown configuration field `x`");
    }

    #[test]
    fn the_warning_counts_and_names() {
        let head = |n: usize, s: &str| {
            format!(
                "Codex is ignoring {n} unrecognized configuration setting{s}. Check for typos or deprecated settings."
            )
        };
        assert_eq!(warned("model = 'x'"), None);
        assert_eq!(warned("zz = 1").unwrap(), head(1, "") + "\n  session-flags: `zz` is ignored.");
        let four = warned("z1 = 1\nz2 = 1\nz3 = 1\nz4 = 1").unwrap();
        assert!(four.starts_with(&head(4, "s")));
        assert!(four.ends_with("`z3` is ignored.\n  ... and 1 more ignored settings."));
    }

    #[test]
    fn what_is_known_and_not_obeyed_is_said() {
        let layer = |text: &str| Layer::new(ConfigLayerSource::SessionFlags, toml::from_str(text).unwrap());
        let said = |text: &str| not_obeyed(&Layers(vec![layer(text)])).and_then(|warning| warning.details);
        assert_eq!(said("model = 'x'\nsandbox_mode = 'read-only'\n[tui]"), None);
        assert_eq!(said("notify = ['x']").as_deref(), Some("  session-flags: `notify` has no effect here."));
        assert!(obeyed().contains(&"model_provider"));
    }
}
