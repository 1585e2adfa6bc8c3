//! Programs whose words are no plain options.

/// Tests and actions of find that only read. Also the values of tests are words of this list or begin without `-`.
const FIND: &[&str] = &[
    "-name",
    "-iname",
    "-path",
    "-ipath",
    "-wholename",
    "-regex",
    "-iregex",
    "-type",
    "-maxdepth",
    "-mindepth",
    "-size",
    "-mtime",
    "-mmin",
    "-ctime",
    "-cmin",
    "-atime",
    "-amin",
    "-newer",
    "-o",
    "-or",
    "-a",
    "-and",
    "-not",
    "-print",
    "-print0",
    "-empty",
    "-prune",
    "-perm",
    "-user",
    "-group",
    "-links",
    "-readable",
    "-writable",
    "-executable",
    "-ls",
    "-xdev",
    "-mount",
    "-follow",
    "-depth",
    "-daystart",
    "-true",
    "-false",
    "-quit",
    "-inum",
    "-samefile",
    "-lname",
    "-ilname",
    "-regextype",
    "-printf",
    "-L",
    "-H",
    "-P",
];

pub(super) fn find(arguments: &[String]) -> bool {
    let is_number =
        |word: &str| word[1..].chars().all(|it| it.is_ascii_digit() || matches!(it, 'c' | 'k' | 'M' | 'G' | 'b'));
    arguments
        .iter()
        .all(|word| !word.starts_with('-') || FIND.contains(&word.as_str()) || word.len() > 1 && is_number(word))
}

/// Only `sed -n 5p`, `sed -n 1,20p` and `sed -n '5,$p'`, with files.
pub(super) fn sed(arguments: &[String]) -> bool {
    let [option, script, files @ ..] = arguments else { return false };
    option == "-n" && prints_lines(script) && files.iter().all(|file| !file.starts_with('-'))
}

fn prints_lines(script: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(lines) = script.strip_suffix('p') else { return false };
    match lines.split_once(',') {
        Some((from, to)) => is_number(from) && (to == "$" || is_number(to)),
        None => lines == "$" || is_number(lines),
    }
}

/// Only to print the date: a word that does not begin with `+` sets it.
pub(super) fn date(arguments: &[String]) -> bool {
    let known = ["-u", "--utc", "--universal", "-R", "-I", "--iso-8601", "-Iseconds", "-Idate", "-Ins", "-Iminutes"];
    arguments.iter().all(|word| word.starts_with('+') || known.contains(&word.as_str()))
}

/// Without options: `-v` of bash evaluates the name of a variable. And only formats of text: zsh evaluates numbers.
pub(super) fn printf(arguments: &[String]) -> bool {
    arguments.first().is_some_and(|format| {
        let mut directives = format.split('%').skip(1);
        let is_text = |directive: &str| directive.is_empty() || directive.starts_with(['s', 'b', 'q']);
        !format.starts_with('-') && directives.all(is_text)
    })
}

/// `command -v NAME…` and `type NAME…`.
pub(super) fn type_of(program: &str, arguments: &[String]) -> bool {
    let names = match (program, arguments) {
        ("command", [option, names @ ..]) if option == "-v" || option == "-V" => names,
        ("type", [option, names @ ..]) if option == "-a" || option == "-t" || option == "-p" => names,
        ("type", names) => names,
        _ => return false,
    };
    names.iter().all(|name| !name.starts_with('-'))
}
