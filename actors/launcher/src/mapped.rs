//! Which memory of a process holds unchanged bytes of files (proc(5), `/proc/PID/smaps`).

/// The ranges that are private, not writable, of a file, and of which no page was changed, as addresses of their starts and
/// ends.
pub fn unchanged(smaps: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut candidate = None;
    for line in smaps.lines() {
        if let Some(range) = header(line) {
            candidate = range;
        } else if let Some(pages) = line.strip_prefix("Anonymous:") {
            // Pages that were changed, by relocations or a debugger, belong to no file any more.
            found.extend(candidate.take().filter(|_| pages.trim() == "0 kB"));
        }
    }
    found
}

/// `None` if the line is no header of a mapping, and `Some(None)` if the mapping is another one.
fn header(line: &str) -> Option<Option<(usize, usize)>> {
    let mut words = line.split_ascii_whitespace();
    let (start, end) = words.next()?.split_once('-')?;
    let address = |text: &str| usize::from_str_radix(text, 16).ok();
    let (range, rights) = ((address(start)?, address(end)?), words.next()?);
    let is_of_file = words.nth(3).is_some_and(|path| path.starts_with('/'));
    Some((is_of_file && !rights.contains('w') && rights.ends_with('p')).then_some(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_equals_its_file_is_found() {
        let mapping = |range: &str, rights: &str, path: &str, anonymous: u32| {
            format!(
                "{range} {rights} 00000000 fe:00 1234 {path}\nRss: 8 kB\nAnonymous:  {anonymous} kB\nVmFlags: rd mr\n"
            )
        };
        let smaps = [
            mapping("1000-3000", "r-xp", "/usr/bin/program", 0),
            mapping("3000-5000", "r--p", "/a name/with blanks", 0),
            mapping("5000-6000", "r-xp", "/patched", 4),
            mapping("6000-7000", "rw-p", "/written", 0),
            mapping("7000-8000", "r--s", "/shared", 0),
            mapping("8000-9000", "r-xp", "[vdso]", 0),
            mapping("9000-a000", "r--p", "", 0),
            mapping("7f00deadb000-7f00deadc000", "r-xp", "/last", 0),
        ];
        let expected = [(0x1000, 0x3000), (0x3000, 0x5000), (0x7f00_dead_b000, 0x7f00_dead_c000)];
        assert_eq!(unchanged(&smaps.concat()), expected);
        assert!(unchanged("").is_empty());
    }
}
