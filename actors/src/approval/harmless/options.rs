//! Programs that only read, with their options.

/// A program that is harmless with these options.
pub(super) struct Program {
    pub name: &'static str,
    /// Letters of options without a value.
    pub flags: &'static str,
    /// Letters of options with a value, which may be the rest of the word or the next word.
    pub valued: &'static str,
    /// Names of long options; those that end in `=` need a value behind it.
    pub long: &'static [&'static str],
    /// Most words that are no options.
    pub operands: usize,
}

const ANY: usize = usize::MAX;

const fn program(
    name: &'static str,
    flags: &'static str,
    valued: &'static str,
    long: &'static [&'static str],
    operands: usize,
) -> Program {
    Program { name, flags, valued, long, operands }
}

const GREP_LONG: &[&str] = &[
    "ignore-case",
    "line-number",
    "recursive",
    "files-with-matches",
    "files-without-match",
    "count",
    "invert-match",
    "word-regexp",
    "line-regexp",
    "only-matching",
    "extended-regexp",
    "fixed-strings",
    "perl-regexp",
    "no-filename",
    "with-filename",
    "quiet",
    "silent",
    "no-messages",
    "text",
    "null",
    "color=",
    "colour=",
    "include=",
    "exclude=",
    "exclude-dir=",
    "context=",
    "after-context=",
    "before-context=",
    "max-count=",
    "regexp=",
    "binary-files=",
    "color",
];

const RG_LONG: &[&str] = &[
    "ignore-case",
    "case-sensitive",
    "smart-case",
    "line-number",
    "no-line-number",
    "files",
    "files-with-matches",
    "files-without-match",
    "count",
    "count-matches",
    "invert-match",
    "word-regexp",
    "line-regexp",
    "only-matching",
    "fixed-strings",
    "pcre2",
    "multiline",
    "no-filename",
    "with-filename",
    "no-heading",
    "heading",
    "hidden",
    "no-ignore",
    "no-ignore-vcs",
    "text",
    "null",
    "json",
    "stats",
    "trim",
    "vimgrep",
    "column",
    "quiet",
    "follow",
    "color=",
    "glob=",
    "iglob=",
    "type=",
    "type-not=",
    "context=",
    "after-context=",
    "before-context=",
    "max-count=",
    "max-depth=",
    "sort=",
    "regexp=",
    "max-columns=",
    "type-list",
    "no-messages",
    "no-config",
    "passthru",
    "version",
];

const LS_LONG: &[&str] = &[
    "all",
    "almost-all",
    "human-readable",
    "recursive",
    "reverse",
    "size",
    "inode",
    "directory",
    "color=",
    "color",
    "group-directories-first",
    "classify",
    "sort=",
    "time=",
    "time-style=",
    "full-time",
    "si",
    "help",
    "version",
];

/// Options with a beginning that the program takes for the whole, such as `--out`, are not listed and so not allowed.
pub(super) const PROGRAMS: &[Program] = &[
    program("basename", "az", "s", &["multiple", "suffix=", "zero"], ANY),
    program("cat", "AbeEnstTuv", "", &["number", "number-nonblank", "show-all", "show-ends", "show-tabs"], ANY),
    program("cd", "LP", "", &[], 1),
    program("cmp", "bls", "in", &["silent", "quiet", "print-bytes", "bytes="], 4),
    program("comm", "123z", "", &["check-order", "nocheck-order", "total"], 2),
    program(
        "cut",
        "nsz",
        "bcdf",
        &["bytes=", "characters=", "delimiter=", "fields=", "complement", "only-delimited"],
        ANY,
    ),
    program("df", "ahHiklPT", "tx", &["all", "human-readable", "inodes", "print-type", "total", "local"], ANY),
    program(
        "diff",
        "abBcdeEiNpqrstTuwy",
        "UCW",
        &["brief", "unified", "unified=", "recursive", "color=", "side-by-side"],
        2,
    ),
    program("dirname", "z", "", &["zero"], ANY),
    program(
        "du",
        "abcDhHklLmPsSx0",
        "dt",
        &["all", "human-readable", "max-depth=", "summarize", "total", "exclude="],
        ANY,
    ),
    program("egrep", "abcEFGhHiIlLnoPqrRsTvwxyzZ", "ABCem", GREP_LONG, ANY),
    program("fgrep", "abcEFGhHiIlLnoPqrRsTvwxyzZ", "ABCem", GREP_LONG, ANY),
    program(
        "file",
        "bhiLNpr0",
        "F",
        &["brief", "mime", "mime-type", "mime-encoding", "dereference", "no-dereference"],
        ANY,
    ),
    program("grep", "abcEFGhHiIlLnoPqrRsTvwxyzZ", "ABCem", GREP_LONG, ANY),
    program("head", "qvz0123456789", "nc", &["lines=", "bytes=", "quiet", "silent", "verbose"], ANY),
    program("hostname", "fsdiI", "", &["fqdn", "short"], 0),
    program("id", "aGgnruz", "", &["group", "groups", "name", "real", "user", "zero"], ANY),
    program(
        "jq",
        "acCejMnrsS",
        "",
        &["compact-output", "raw-output", "raw-input", "slurp", "null-input", "sort-keys", "tab"],
        ANY,
    ),
    program("ls", "aAbBcCdfFgGhHiklLmnNopqQrRsStuUvxXZ1", "ITw", LS_LONG, ANY),
    program("md5sum", "bctwz", "", &["check", "quiet", "status", "tag"], ANY),
    program("nl", "p", "bdfhilnsvw", &["body-numbering=", "number-width=", "number-separator="], ANY),
    program("pwd", "LP", "", &[], 0),
    program(
        "readlink",
        "efmnqsvz",
        "",
        &["canonicalize", "canonicalize-existing", "canonicalize-missing", "no-newline"],
        ANY,
    ),
    program(
        "realpath",
        "eLmPqsz",
        "",
        &["canonicalize-existing", "canonicalize-missing", "relative-to=", "relative-base="],
        ANY,
    ),
    program("rev", "", "", &[], ANY),
    program("rg", "acFHiIlLnNopPqsSUvwx0.u", "ABCegmMtTd", RG_LONG, ANY),
    program("seq", "w", "fs", &["equal-width", "format=", "separator="], 3),
    program("sha1sum", "bctwz", "", &["check", "quiet", "status", "tag"], ANY),
    program("sha256sum", "bctwz", "", &["check", "quiet", "status", "tag"], ANY),
    program(
        "sort",
        "bcCdfghiMmnRrsuVz",
        "kt",
        &["reverse", "unique", "numeric-sort", "key=", "human-numeric-sort", "version-sort"],
        ANY,
    ),
    program("stat", "fLt", "c", &["dereference", "file-system", "format=", "printf=", "terse"], ANY),
    program("tac", "br", "s", &["before", "regex", "separator="], ANY),
    program("tail", "qrvz0123456789", "nc", &["lines=", "bytes=", "quiet", "silent", "verbose"], ANY),
    program("tr", "cCdst", "", &["complement", "delete", "squeeze-repeats", "truncate-set1"], 2),
    program(
        "tree",
        "aCdDfFghilnNpqrsStuvxAQJX",
        "LPI",
        &["noreport", "dirsfirst", "prune", "filelimit", "gitignore"],
        ANY,
    ),
    program("uname", "amnoprsiv", "", &["all", "machine", "nodename", "operating-system"], 0),
    program("uniq", "cdDiuz", "fsw", &["count", "repeated", "unique", "ignore-case", "skip-fields=", "skip-chars="], 1),
    program("wc", "cLlmw", "", &["bytes", "chars", "lines", "words", "max-line-length"], ANY),
    program("which", "as", "", &["all"], ANY),
    program("whoami", "", "", &[], 0),
];

impl Program {
    /// Whether it is harmless with these arguments.
    pub fn allows(&self, arguments: &[String]) -> bool {
        let mut words = arguments.iter().map(String::as_str);
        let mut operands = 0_usize;
        while let Some(word) = words.next() {
            if word == "--" {
                // All others are operands, whatever they look like.
                operands += words.by_ref().count();
            } else if let Some(long) = word.strip_prefix("--") {
                let name = long.split_inclusive('=').next().unwrap_or_default();
                if !self.long.contains(&name) {
                    return false;
                }
            } else if let Some(cluster) = word.strip_prefix('-').filter(|cluster| !cluster.is_empty()) {
                if !self.allows_cluster(cluster, &mut words) {
                    return false;
                }
            } else {
                operands += 1;
            }
        }
        operands <= self.operands
    }

    /// Whether the letters of one word are options that it knows. The last one may take the next of `words`, which must
    /// not look like an option: it would be one if the program saw it differently.
    fn allows_cluster<'a>(&self, cluster: &str, words: &mut impl Iterator<Item = &'a str>) -> bool {
        for (at, letter) in cluster.char_indices() {
            if self.valued.contains(letter) {
                let rest = &cluster[at + letter.len_utf8()..];
                return !rest.is_empty() || words.next().is_some_and(is_value);
            }
            if !self.flags.contains(letter) {
                return false;
            }
        }
        true
    }
}

fn is_value(word: &str) -> bool {
    word.strip_prefix('-').is_none_or(|rest| rest.starts_with(|it: char| it.is_ascii_digit()))
}
