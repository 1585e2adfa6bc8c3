//! `doctor`: finds problems of a server and its clients, and says how to fix them.

mod files;
mod mcp;
mod model;
mod running;

use serde::Serialize;

use crate::{
    cli::Arguments,
    codex_home,
    settings::{Effective, Settings},
};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// No problem.
    Ok,
    /// It works, but needs attention.
    Warning,
    /// It does not work.
    Error,
}

/// A finding of a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, in one word.
    pub check: &'static str,
    /// The result.
    pub level: Level,
    /// What was found; never contains a secret.
    pub text: String,
    /// What to do about it.
    pub advice: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, text: text.into(), advice: None }
    }

    fn warning(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, text: text.into(), advice: Some(advice.into()) }
    }

    fn error(check: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Error, text: text.into(), advice: Some(advice.into()) }
    }
}

/// At least one check found an error.
#[derive(Debug, thiserror::Error)]
#[error("{0} of {1} checks found an error")]
pub struct Unwell(usize, usize);

/// Checks everything that a server started with `arguments` would use. Changes nothing.
pub async fn examine(arguments: &Arguments) -> Vec<Finding> {
    let home = match codex_home::find() {
        Ok(home) => home,
        Err(error) => {
            return vec![Finding::error("home", error.to_string(), "Create the directory, or set CODEX_HOME.")];
        }
    };
    let settings = Settings::load(&home, &arguments.setting_overrides()).and_then(|it: Effective| it.settings());
    let mut findings = vec![
        running::program(),
        files::home(&home),
        match &settings {
            Ok(_) => Finding::ok("settings", "readable"),
            Err(error) => Finding::error("settings", error.to_string(), "Correct app-server.toml or the option."),
        },
        files::config(&home, &arguments.config_overrides()),
        files::auth(&home),
        files::database(&home),
        files::space(&home),
        files::lock(&home),
        files::servers(&home),
        running::commands(&home).await,
    ];
    findings.extend(files::copies(&home));
    findings.extend(running::doors(arguments));
    if let Ok(settings) = &settings {
        findings.push(model::model(&home, &arguments.config_overrides(), settings).await);
        findings.extend(mcp::servers(&home, &arguments.config_overrides()));
        findings.push(running::open_files(settings));
        for socket in running::sockets(arguments, &home) {
            findings.extend(running::server(&socket, &settings.limits).await);
        }
    }
    findings
}

/// Formats the findings for people, or as one JSON object.
pub fn report(findings: &[Finding], json: bool) -> String {
    #[derive(Serialize)]
    struct Report<'a> {
        checks: &'a [Finding],
    }
    if json {
        // Findings can always be encoded as JSON.
        return serde_json::to_string_pretty(&Report { checks: findings }).unwrap_or_default() + "\n";
    }
    let mut text = String::new();
    for finding in findings {
        let level = match finding.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Error => "ERROR",
        };
        text.push_str(&format!("{level:<8} {:<9} {}\n", finding.check, finding.text));
        if let Some(advice) = &finding.advice {
            text.push_str(&format!("{:<18} {advice}\n", ""));
        }
    }
    text
}

/// # Errors
/// At least one finding is an error.
pub fn verdict(findings: &[Finding]) -> Result<(), Unwell> {
    match findings.iter().filter(|finding| finding.level == Level::Error).count() {
        0 => Ok(()),
        errors => Err(Unwell(errors, findings.len())),
    }
}
