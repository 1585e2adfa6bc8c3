//! Programs by what they mean for a search through scripts.

/// Shells: what they read is a script.
const SHELLS: &[&str] = &["bash", "sh", "dash", "zsh", "ksh", "mksh", "ash", "fish", "rbash", "csh", "tcsh"];

/// Programs that read a script from their standard input, whatever their arguments are.
const READS_SCRIPT: &[&str] = &["at", "batch"];

/// Programs that run a command whose words are among their own.
const WRAPPERS: &[&str] = &[
    "env",
    "xargs",
    "timeout",
    "nice",
    "nohup",
    "command",
    "exec",
    "builtin",
    "time",
    "stdbuf",
    "setsid",
    "ionice",
    "chrt",
    "taskset",
    "busybox",
    "toybox",
    "find",
    "fd",
    "fdfind",
    "parallel",
    "watch",
    "script",
    "flock",
    "unshare",
    "chroot",
    "strace",
    "ltrace",
    "ssh",
    "nsenter",
    "systemd-run",
    "dbus-run-session",
    "fakeroot",
    "proot",
    "unbuffer",
    "caffeinate",
    "gtimeout",
    "sudo",
    "doas",
    "su",
    "pkexec",
    "runuser",
    "setpriv",
    "entr",
    "uv",
    "poetry",
    "pipenv",
    "npx",
    "npm",
    "pnpm",
    "yarn",
    "bun",
    "bundle",
    "conda",
    "mise",
    "direnv",
    "tmux",
    "screen",
    "expect",
    "bwrap",
    "firejail",
    "faketime",
    "linux64",
    "linux32",
    "setarch",
    "prlimit",
    "numactl",
    "perf",
    "valgrind",
    "set",
    "tini",
    "dumb-init",
    "gosu",
    "su-exec",
    "torsocks",
    "proxychains",
    "winpty",
    "noglob",
];

/// Programs that run code of another language, also of an editor.
const INTERPRETERS: &[&str] = &[
    "python",
    "perl",
    "ruby",
    "node",
    "nodejs",
    "php",
    "lua",
    "luajit",
    "deno",
    "bun",
    "awk",
    "gawk",
    "mawk",
    "nawk",
    "tclsh",
    "pypy",
    "Rscript",
    "osascript",
    "pwsh",
    "sed",
    "gsed",
    "vi",
    "vim",
    "nvim",
    "ex",
    "ed",
    "emacs",
    "gdb",
    "make",
    "gmake",
    "sqlite3",
    "expect",
    "groovy",
    "scala",
    "julia",
    "guile",
    "irb",
    "ipython",
    "tar",
    "bsdtar",
];

/// Programs that fetch from the network.
const DOWNLOADERS: &[&str] =
    &["curl", "wget", "fetch", "aria2c", "nc", "ncat", "netcat", "socat", "http", "https", "xh", "lynx", "ftp", "scp"];

/// Programs whose output is not what their input shows.
const DECODERS: &[&str] =
    &["base64", "base32", "xxd", "openssl", "gunzip", "zcat", "gzip", "xz", "gpg", "uudecode", "rev"];

/// Programs of which some commands are destructive.
const DESTROYERS: &[&str] = &[
    "rm",
    "shred",
    "srm",
    "wipe",
    "find",
    "fd",
    "fdfind",
    "xargs",
    "parallel",
    "rsync",
    "tar",
    "truncate",
    "mv",
    "dd",
    "wipefs",
    "mkswap",
    "blkdiscard",
    "fdisk",
    "sfdisk",
    "gdisk",
    "sgdisk",
    "parted",
    "hdparm",
    "cryptsetup",
    "lvremove",
    "vgremove",
    "pvremove",
    "zpool",
    "zfs",
    "chmod",
    "chown",
    "chgrp",
    "setfacl",
    "kill",
    "killall",
    "killall5",
    "pkill",
    "shutdown",
    "reboot",
    "halt",
    "poweroff",
    "init",
    "telinit",
    "systemctl",
    "crontab",
    "docker",
    "podman",
    "kubectl",
    "terraform",
    "tofu",
    "gh",
    "aws",
    "dropdb",
    "userdel",
    "sudo",
    "doas",
    "su",
    "pkexec",
    "runuser",
    "git",
    "mkfs",
    "gsutil",
    "rclone",
    "iptables",
    "nft",
    "ufw",
    "deluser",
];

/// The name of the program that `word` names: the last part of a path.
pub(in crate::approval) fn name(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

/// The name of the program of a command; empty if it has none.
pub(in crate::approval) fn name_of(argv: &[String]) -> &str {
    argv.first().map_or("", |word| name(word))
}

/// Whether some commands of the program `name` are destructive, so that it is worth a look wherever it stands.
pub(in crate::approval) fn may_destroy(name: &str) -> bool {
    DESTROYERS.contains(&name) || name.starts_with("mkfs") || is_interpreter(name)
}

pub(in crate::approval) fn is_shell(name: &str) -> bool {
    SHELLS.contains(&name)
}

pub(in crate::approval) fn is_wrapper(name: &str) -> bool {
    WRAPPERS.contains(&name)
}

/// Also with a version, such as `python3.12`.
pub(in crate::approval) fn is_interpreter(name: &str) -> bool {
    let bare = name.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.' || it == '-');
    INTERPRETERS.contains(&name) || INTERPRETERS.contains(&bare)
}

/// Whether what it writes cannot be judged: it comes from elsewhere, or is decoded.
pub(in crate::approval) fn is_source_of_the_unknown(name: &str) -> bool {
    DOWNLOADERS.contains(&name) || DECODERS.contains(&name)
}

/// Whether the name is not known before it runs, or is a pattern of files.
pub(in crate::approval) fn is_hidden(name: &str) -> bool {
    name.is_empty() || name.contains(['*', '?', '[']) && name != "[" && name != "[["
}

/// Whether a shell or interpreter with these arguments reads its script from its standard input.
pub(in crate::approval) fn reads_stdin(argv: &[String]) -> bool {
    let name = name_of(argv);
    if READS_SCRIPT.contains(&name) {
        return true;
    }
    let arguments = argv.get(1..).unwrap_or_default();
    let is_flag = |word: &String| word.starts_with(['-', '+']) && word != "-";
    if is_shell(name) {
        let runs_text = arguments.iter().any(|word| is_flag(word) && !word.starts_with("--") && word.contains('c'));
        let reads = |word: &String| word == "-s" || word == "-" || word == "/dev/stdin" || word.starts_with("/dev/fd/");
        return !runs_text && (arguments.iter().all(is_flag) || arguments.iter().any(reads));
    }
    is_interpreter(name) && arguments.iter().all(|word| word == "-" || word == "/dev/stdin" || word == "-u")
        || matches!(name, "." | "source") && arguments.iter().any(|word| word == "/dev/stdin")
}
