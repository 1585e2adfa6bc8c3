//! Words that the shell makes of words: `$'…'` and `{a,b}`.

/// Most words that one pair of braces makes here.
const MOST_WORDS: usize = 256;

/// Decodes the inside of `$'…'`, of which `text` begins behind the first quote. Returns it and the number of bytes read,
/// with the last quote; `None` if there is no last quote.
pub(super) fn ansi_c(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut decoded = Vec::new();
    let mut at = 0;
    loop {
        let byte = *text.get(at)?;
        at += 1;
        match byte {
            b'\'' => return Some((decoded, at)),
            b'\\' => {
                let escape = *text.get(at)?;
                at += 1;
                match escape {
                    b'a' => decoded.push(7),
                    b'b' => decoded.push(8),
                    b'e' | b'E' => decoded.push(27),
                    b'f' => decoded.push(12),
                    b'n' => decoded.push(b'\n'),
                    b'r' => decoded.push(b'\r'),
                    b't' => decoded.push(b'\t'),
                    b'v' => decoded.push(11),
                    b'c' => {
                        decoded.push(*text.get(at)? & 31);
                        at += 1;
                    }
                    b'x' => at += push_code(&text[at..], 16, 2, &mut decoded),
                    b'u' => at += push_code(&text[at..], 16, 4, &mut decoded),
                    b'U' => at += push_code(&text[at..], 16, 8, &mut decoded),
                    b'0'..=b'7' => at += push_code(&text[at - 1..], 8, 3, &mut decoded) - 1,
                    other => decoded.push(other),
                }
            }
            other => decoded.push(other),
        }
    }
}

/// Pushes the character whose code the first digits of `text` give, and returns how many digits these are.
fn push_code(text: &[u8], base: u32, most: usize, decoded: &mut Vec<u8>) -> usize {
    let digits = text.iter().take(most).map_while(|byte| char::from(*byte).to_digit(base));
    let (count, code) = digits.fold((0, 0_u32), |(count, code), digit| (count + 1, code.wrapping_mul(base) + digit));
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    count
}

/// The words that `word` with unquoted braces means, about: nested braces make more pieces than the shell would.
pub(super) fn braces(word: &str) -> Vec<String> {
    let ends = word.find('{').zip(word.rfind('}')).filter(|(begin, end)| begin < end);
    let Some((begin, end)) = ends else {
        return vec![word.to_owned()];
    };
    let (before, inside, after) = (&word[..begin], &word[begin + 1..end], &word[end + 1..]);
    if !inside.contains(',') {
        return vec![word.to_owned()];
    }
    // What hangs on both sides would be copied for each piece.
    let (before, after) = if before.len() + after.len() > 64 { ("", "") } else { (before, after) };
    let pieces = inside.split([',', '{', '}']).take(MOST_WORDS);
    pieces.map(|piece| format!("{before}{piece}{after}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_decoded_and_an_open_quote_is_told() {
        let decoded =
            |text: &str| ansi_c(text.as_bytes()).map(|(it, read)| (String::from_utf8_lossy(&it).into_owned(), read));
        assert_eq!(decoded(r"\x72\155 \u002d\162f' /"), Some(("rm -rf".to_owned(), 21)));
        assert_eq!(decoded(r"it\'s\t'"), Some(("it's\t".to_owned(), 8)));
        assert_eq!(decoded(r"\x72"), None);
        assert_eq!(decoded("\\"), None);
    }

    #[test]
    fn braces_make_words() {
        assert_eq!(braces("{rm,-rf,/x}"), ["rm", "-rf", "/x"]);
        assert_eq!(braces("r{m,q}"), ["rm", "rq"]);
        assert_eq!(braces("{}"), ["{}"]);
        assert_eq!(braces("}a,b{"), ["}a,b{"]);
    }
}
