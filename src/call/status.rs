//! Formats what `status` has learned.

use app_server_actors::protocol::{diagnostics::ServerDiagnosticsResponse, initialize::InitializeResponse};

use crate::{attach::protocol_level, terminal::shown_in_one_line};

/// The server in a few lines, and one line per client.
pub fn of(server: &ServerDiagnosticsResponse, greeting: &InitializeResponse) -> String {
    let level = protocol_level(&greeting.user_agent).unwrap_or("of an unknown level");
    let build = if server.version.is_empty() { "another program than this" } else { &server.version };
    let memory = server.process.resident_memory_bytes;
    let memory = memory.map(|bytes| format!(", {} MiB", bytes / (1024 * 1024))).unwrap_or_default();
    let mut text = format!("Build:     {build}, speaks the protocol of codex app-server {level}\n");
    text += &format!("Process:   {}{memory}\n", server.process.id);
    text += &format!("Home:      {}\n", shown_in_one_line(&greeting.codex_home));
    for url in &server.listeners {
        text += &format!("Listens:   {}\n", shown_in_one_line(url));
    }
    let gauge = |name: &str| server.gauges.iter().find(|gauge| gauge.name == name).map_or(0, |gauge| gauge.value);
    text += &format!(
        "Requests:  {} in work, {} waiting\n\n",
        gauge("app.requests.in_flight"),
        gauge("app.requests.queued")
    );
    text += &row("CONNECTED", "UNREAD", "THREADS", "PEER", "CLIENT");
    for it in &server.connections {
        let client = it.client.as_deref().map_or_else(|| "(has not said yet)".to_owned(), shown_in_one_line);
        let peer = shown_in_one_line(&it.peer);
        text += &row(&duration(it.connected_seconds), &bytes(it.queued_bytes), &it.threads.to_string(), &peer, &client);
    }
    text
}

fn row(connected: &str, unread: &str, threads: &str, peer: &str, client: &str) -> String {
    format!("{connected:>9}  {unread:>8}  {threads:>7}  {peer:<22}  {client}\n")
}

fn duration(seconds: u64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        ..10_240 => format!("{bytes} B"),
        10_240..10_485_760 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / (1024 * 1024)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!([0, 119, 7_199, 90_000, 200_000].map(duration), ["0 s", "119 s", "119 min", "25 h", "2 d"]);
        assert_eq!([0, 10_239, 20_480, 20_971_520].map(bytes), ["0 B", "10239 B", "20 KiB", "20 MiB"]);
    }
}
