//! Providers' error texts: their display, and facts that can be parsed from them.

use std::time::Duration;

/// Maximum length of a displayed text, in characters.
const SHOWN: usize = 1000;

/// The text for display: on one line, without HTML markup, and shortened.
pub fn shortened(text: &str) -> String {
    let is_page = text.trim_start().starts_with('<');
    let mut words = String::new();
    let mut within_tag = false;
    for character in text.chars() {
        match character {
            '<' if is_page => within_tag = true,
            '>' if within_tag => {
                within_tag = false;
                words.push(' ');
            }
            _ if within_tag => {}
            other => words.push(if other.is_control() { ' ' } else { other }),
        }
        // Enough for the displayed part, even if most of it is white space.
        if words.len() > 16 * SHOWN {
            break;
        }
    }
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", &words[..end]),
        None => words,
    }
}

/// The wait that a text requests: `Please try again in 1.5s.`
pub fn wait_in(text: &str) -> Option<Duration> {
    let (_, after) = text.split_once("try again in ")?;
    let end = after.find(|character: char| !character.is_ascii_digit() && character != '.')?;
    let (number, unit) = after.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim_start();
    let seconds = match unit {
        _ if unit.starts_with("ms") => number / 1000.0,
        _ if unit.starts_with('s') => number,
        _ if unit.starts_with('m') => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_shown_as_its_text() {
        assert_eq!(shortened("<html>\n<head><title>Log in</title></head>\n<p>Please <b>do</b>"), "Log in Please do");
        assert_eq!(shortened(" a < b\u{1b}[1m\n\tc "), "a < b [1m c");
        let long = shortened(&"\u{e4}".repeat(5000));
        assert_eq!(long.chars().count(), SHOWN + 3);
    }

    #[test]
    fn a_wait_is_found_in_words() {
        let milliseconds = |text: &str| wait_in(text).map(|wait| wait.as_millis());
        assert_eq!(milliseconds("Rate limit. Please try again in 1.5s."), Some(1500));
        assert_eq!(milliseconds("try again in 20ms"), Some(20));
        assert_eq!(milliseconds("try again in 2 seconds"), Some(2000));
        assert_eq!(milliseconds("try again in 1m"), Some(60_000));
        for none in ["try again later", "try again in a while", "try again in 5", "try again in 1.1.1s"] {
            assert_eq!(milliseconds(none), None, "{none}");
        }
        assert_eq!(milliseconds(&format!("try again in {}s", "9".repeat(400))), None);
    }
}
