//! What a person sees who pairs a phone: the code to type, the code to scan, and what to know about the way.

use app_server_actors::protocol::remote::PairingStartResponse;

use super::{place::Place, qr};
use crate::terminal::shown_in_one_line;

/// Fewest columns for the words beside a drawing.
const LEAST_COLUMNS: usize = 30;

/// Columns between a drawing and the words beside it.
const GAP: usize = 2;

/// For programs and files.
pub fn plain(pairing: &PairingStartResponse, place: Option<&Place>, left: i64) -> String {
    let code = pairing.manual_pairing_code.as_deref().unwrap_or(&pairing.pairing_code);
    let page = place.map(|place| format!("Page for the phone: {}/\n", place.page)).unwrap_or_default();
    let notes: String = place.iter().flat_map(|place| &place.notes).map(|note| format!("{note}\n")).collect();
    format!("{page}Pairing code: {code}\nExpires in {}\n{notes}", duration(left))
}

/// For a terminal of so many rows and columns: the QR code if there is room for it, and below it, or else beside it, the code
/// that is typed. With a relay of our own, the QR code leads a phone's camera to its page, behind a `#`, so that no server on
/// the way sees the code; a shorter link is drawn where the full one does not fit.
pub fn drawn(
    pairing: &PairingStartResponse,
    place: Option<&Place>,
    left: i64,
    (rows, columns): (usize, usize),
    waits: bool,
) -> String {
    let links = place.map_or_else(|| vec![pairing.pairing_code.clone()], |place| place.links(pairing));
    let scanned = words(pairing, place, left, "Type or scan it", waits);
    let drawn = links
        .iter()
        .find_map(|link| below(link, &scanned, rows, columns).or_else(|| beside(link, &scanned, rows, columns)));
    drawn.unwrap_or_else(|| format!("\n{}\n", words(pairing, place, left, "Type it", waits).join("\n")))
}

/// The drawing with the words below it, if that fits.
fn below(link: &str, words: &[String], rows: usize, columns: usize) -> Option<String> {
    // A blank line stands between them, and the last line is that of the shell's next prompt.
    let drawing = qr::draw(link, rows.saturating_sub(words.len() + 2), columns)?;
    Some(format!("{}\n{}\n", drawing.lines.concat(), words.join("\n")))
}

/// The drawing with the words beside it, if that fits.
fn beside(link: &str, words: &[String], rows: usize, columns: usize) -> Option<String> {
    let room = columns.saturating_sub(LEAST_COLUMNS + GAP);
    let drawing = qr::draw(link, rows.saturating_sub(1), room)?;
    let words: Vec<String> = words.iter().flat_map(|line| wrapped(line, columns - drawing.columns - GAP)).collect();
    if words.len() > drawing.lines.len() {
        return None;
    }
    let lines = drawing.lines.iter().enumerate().map(|(at, line)| match words.get(at) {
        Some(words) => format!("{}{:GAP$}{words}\n", line.trim_end_matches('\n'), ""),
        None => line.clone(),
    });
    Some(lines.collect())
}

/// The words, a line each.
fn words(pairing: &PairingStartResponse, place: Option<&Place>, left: i64, how: &str, waits: bool) -> Vec<String> {
    let code = shown_in_one_line(pairing.manual_pairing_code.as_deref().unwrap_or(&pairing.pairing_code));
    let where_to = match place {
        Some(place) => format!("at {}/ on your phone", place.page),
        None => "in your controller".to_owned(),
    };
    let mut lines =
        vec![format!("Pairing code: {code}"), format!("{how} {where_to}. It expires in {}.", duration(left))];
    lines.extend(place.iter().flat_map(|place| place.notes.clone()));
    if waits {
        lines.push("Waiting for the controller; Ctrl-C ends the waiting.".to_owned());
    }
    lines
}

/// `text` in lines of at most `columns`, where its words allow it.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn duration(seconds: i64) -> String {
    match seconds.max(0) {
        seconds @ ..120 => format!("{seconds} s"),
        seconds => format!("{} min", (seconds + 30) / 60),
    }
}

#[cfg(test)]
mod tests {
    use app_server_actors::protocol::remote::PairingEndToEnd;

    use super::*;
    use crate::relay::Identity;

    fn pairing(manual: Option<&str>) -> PairingStartResponse {
        PairingStartResponse {
            pairing_code: "a-long-code-for-cameras".to_owned(),
            manual_pairing_code: manual.map(str::to_owned),
            environment_id: "env_1".to_owned(),
            expires_at: 0,
            expires_in_seconds: None,
            end_to_end: None,
        }
    }

    #[test]
    fn programs_get_the_code_that_is_typed_if_there_is_one() {
        assert_eq!(plain(&pairing(Some("ABCD-1234")), None, 599), "Pairing code: ABCD-1234\nExpires in 10 min\n");
        assert_eq!(plain(&pairing(None), None, 59), "Pairing code: a-long-code-for-cameras\nExpires in 59 s\n");
    }

    #[test]
    fn a_code_gives_no_orders_to_a_terminal() {
        let page = drawn(&pairing(Some("AB\x1b[2J\u{9b}\u{202e}\nCD")), None, 60, (24, 80), false);
        assert!(page.contains("Pairing code: AB\\u{1b}[2J\\u{9b}\\u{202e} CD\n"), "{page}");
    }

    #[test]
    fn the_code_stands_below_the_drawing_and_all_of_it_fits_the_terminal() {
        for (rows, columns, has_drawing) in [(24, 80, true), (50, 200, true), (12, 80, false), (24, 20, false)] {
            let page = drawn(&pairing(Some("ABCD-1234")), None, -5, (rows, columns), true);
            let lines: Vec<&str> = page.lines().collect();
            assert!(lines.len() < rows, "{} lines of {rows}", lines.len());
            let code = lines.iter().position(|line| *line == "Pairing code: ABCD-1234").expect("the code");
            assert_eq!(page.contains('█') || page.contains('▀'), has_drawing, "{rows} x {columns}");
            assert_eq!(page.contains("scan"), has_drawing);
            assert!(lines[code + 1].ends_with("It expires in 0 s."), "{page}");
        }
    }

    /// Columns that a line takes on the screen: its colours take none.
    fn shown(line: &str) -> usize {
        let (mut columns, mut hidden) = (0, false);
        for it in line.chars() {
            match it {
                '\x1b' => hidden = true,
                'm' if hidden => hidden = false,
                _ => columns += usize::from(!hidden),
            }
        }
        columns
    }

    #[test]
    fn a_link_with_everything_fits_the_smallest_terminal_at_least_in_its_shorter_form() {
        let identity = Identity { fingerprint: [0xee; 32], ends_at: 0 };
        let address = "://192.168.100.200:8390";
        let end_to_end = PairingEndToEnd { key: "k".repeat(43), secret: "s".repeat(22) };
        let code = PairingStartResponse { pairing_code: "x".repeat(43), ..pairing(Some("ABCD-1234")) };
        let sealed = PairingStartResponse { end_to_end: Some(end_to_end), ..code.clone() };
        for (place, code) in [Some(&identity), None].into_iter().flat_map(|identity| {
            let page = format!("{}{address}", if identity.is_some() { "https" } else { "http" });
            [&code, &sealed].map(|code| (Place::of_local(page.clone(), identity), code))
        }) {
            for (rows, columns) in [(24, 80), (30, 100), (50, 200)] {
                let page = drawn(code, Some(&place), 300, (rows, columns), true);
                let lines: Vec<&str> = page.lines().collect();
                assert!(lines.len() < rows, "{} lines of {rows}", lines.len());
                assert!(page.contains('█') || page.contains('▀'), "{page}");
                assert!(lines.iter().all(|line| shown(line) <= columns), "{page}");
                assert!(page.contains("Pairing code: ABCD-1234") && page.contains("Ctrl-C"), "{page}");
                assert_eq!(page.contains("EEEE EEEE EEEE EEEE"), place.suffix.starts_with("&cert="), "{page}");
            }
        }
    }

    #[test]
    fn the_full_link_is_drawn_where_there_is_room_for_it() {
        let end_to_end = PairingEndToEnd { key: "k".repeat(43), secret: "s".repeat(22) };
        let code = PairingStartResponse { pairing_code: "x".repeat(43), ..pairing(Some("ABCD-1234")) };
        let sealed = PairingStartResponse { end_to_end: Some(end_to_end), ..code };
        let place = Place::of("https://192.168.100.200:8390");
        let [full, short] = &place.links(&sealed)[..] else { panic!("two links") };
        for (rows, link) in [(50, full), (24, short)] {
            let page = drawn(&sealed, Some(&place), 300, (rows, 80), true);
            let first = qr::draw(link, 100, 100).expect("it fits").lines.remove(3);
            let middle = first.trim_end().trim_matches(|it: char| !"█▀▄ ".contains(it)).trim();
            assert!(page.contains(middle), "{rows} rows: {page}");
        }
    }
}
