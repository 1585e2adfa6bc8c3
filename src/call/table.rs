//! Formats threads as a table.

use app_server_actors::clock::Clock;
use app_server_actors::protocol::thread::{Thread, ThreadActiveFlag, ThreadStatus};

/// Maximum length of a displayed title, in characters.
const TITLE_CHARACTERS: usize = 60;

/// A header and one line per thread.
pub fn of(threads: &[Thread]) -> String {
    let now = Clock::system().unix_ms() / 1000;
    let mut text = row("THREAD", "STATUS", "CHANGED", "TITLE");
    for thread in threads {
        let title = title(thread.name.as_deref().unwrap_or(&thread.preview));
        text.push_str(&row(&thread.id.to_string(), status(&thread.status), &age(now - thread.updated_at), &title));
    }
    text
}

fn row(id: &str, status: &str, changed: &str, title: &str) -> String {
    format!("{:<36}  {:<12}  {:>10}  {}", id, status, changed, title).trim_end().to_owned() + "\n"
}

/// The first line, without terminal escape sequences.
fn title(text: &str) -> String {
    let mut title: String = text.trim().chars().take_while(|c| *c != '\n').filter(|c| !c.is_control()).collect();
    if let Some((end, _)) = title.char_indices().nth(TITLE_CHARACTERS) {
        title.truncate(end);
        title.push('…');
    }
    title
}

fn status(status: &ThreadStatus) -> &'static str {
    match status {
        ThreadStatus::NotLoaded => "not loaded",
        ThreadStatus::Idle => "idle",
        ThreadStatus::SystemError => "failed",
        ThreadStatus::Active { active_flags } => match active_flags.first() {
            None => "working",
            Some(ThreadActiveFlag::WaitingOnApproval) => "approval?",
            Some(ThreadActiveFlag::WaitingOnUserInput) => "question?",
        },
    }
}

fn age(seconds: i64) -> String {
    match seconds {
        ..60 => "just now".to_owned(),
        60..3_600 => format!("{} min ago", seconds / 60),
        3_600..86_400 => format!("{} h ago", seconds / 3_600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_one_short_line_without_orders_to_the_terminal() {
        assert_eq!(title(" Sums\x1b[2J\u{9b}\nmore"), "Sums[2J");
        assert_eq!(title(&"ü".repeat(61)).chars().count(), 61);
        assert!(title(&"ü".repeat(61)).ends_with('…'));
        assert_eq!(title(&"ü".repeat(60)), "ü".repeat(60));
    }

    #[test]
    fn ages_are_round() {
        let ages: Vec<String> = [-5, 59, 60, 7_199, 90_000].into_iter().map(age).collect();
        assert_eq!(ages, ["just now", "just now", "1 min ago", "1 h ago", "1 d ago"]);
    }
}
