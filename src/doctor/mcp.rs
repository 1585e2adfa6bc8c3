//! Checks of the MCP servers that `config.toml` names. None is started.

use std::path::Path;

use app_server_actors::catalog::Catalog;

use super::Finding;
use crate::server;

/// What stands in the way of each server; one finding where nothing does, and none without servers.
pub(super) fn servers(home: &Path, overrides: &[String]) -> Vec<Finding> {
    // A configuration that cannot be used has a finding of its own.
    let Ok(sources) = server::sources(home, overrides) else { return Vec::new() };
    let cwd = sources.cwd.clone();
    let Ok(servers) = Catalog::mcp_servers(sources) else { return Vec::new() };
    let enabled = servers.iter().filter(|(_, server)| server.is_enabled());
    let variable = |name: &str| std::env::var(name).ok();
    let obstacles = enabled.clone().filter_map(|(name, server)| {
        let text = format!("{name}: {}", server.obstacle(variable, &cwd)?);
        let advice = format!("Correct [mcp_servers.{name}] in config.toml, or set enabled = false there.");
        Some(if server.required { Finding::error("mcp", text, advice) } else { Finding::warning("mcp", text, advice) })
    });
    let mut findings: Vec<Finding> = obstacles.collect();
    if findings.is_empty() && enabled.clone().next().is_some() {
        let names: Vec<&str> = enabled.map(|(name, _)| name.as_str()).collect();
        findings.push(Finding::ok("mcp", format!("{} can be started", names.join(", "))));
    }
    findings
}
