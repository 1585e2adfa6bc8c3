//! Programs other than git that destroy something, by name and options. Their names stand in
//! [`may_destroy`](crate::approval::shell::programs::may_destroy) as well, so that they are found behind other words.

const FILES: &str = "deletes files for good";
const DISKS: &str = "overwrites a disk or a file system";
const MACHINE: &str = "ends the system or the processes of others";
const RIGHTS: &str = "changes the rights of a whole folder";
const SERVICES: &str = "deletes what a service keeps";
const ROOT: &str = "runs with the rights of somebody else";

/// Why a command is destructive.
pub(super) fn of_words(name: &str, arguments: &[String]) -> Option<&'static str> {
    let has = |wanted: &[&str]| arguments.iter().any(|word| wanted.contains(&word.as_str()));
    let begins = |start: &str| arguments.iter().any(|word| word.starts_with(start));
    let short = |letter: char| arguments.iter().any(|word| is_cluster(word) && word.contains(letter));
    let first = arguments.first().map_or("", String::as_str);
    let second = arguments.get(1).map_or("", String::as_str);
    match name {
        "rm" => arguments.iter().any(|word| is_like_rm(word) || is_long_rm(word)).then_some(FILES),
        "shred" | "srm" | "wipe" => Some(FILES),
        "find" => has(&["-delete", "rm", "/bin/rm", "/usr/bin/rm", "unlink", "shred"]).then_some(FILES),
        "fd" | "fdfind" | "xargs" | "parallel" => {
            has(&["rm", "/bin/rm", "/usr/bin/rm", "unlink", "shred"]).then_some(FILES)
        }
        "rsync" => (begins("--del") || begins("--remove-source")).then_some(FILES),
        "tar" => begins("--remove-files").then_some(FILES),
        "truncate" => (short('s') || begins("--s")).then_some("empties or cuts files"),
        "mv" => has(&["/dev/null"]).then_some(FILES),
        "dd" => begins("of=").then_some(DISKS),
        "wipefs" | "mkswap" | "blkdiscard" | "fdisk" | "sfdisk" | "gdisk" | "sgdisk" | "parted" | "hdparm"
        | "cryptsetup" | "lvremove" | "vgremove" | "pvremove" => Some(DISKS),
        "zpool" | "zfs" => (first == "destroy" || first == "rollback").then_some(DISKS),
        name if name.starts_with("mkfs") => Some(DISKS),
        "chmod" | "chown" | "chgrp" | "setfacl" => (short('R') || begins("--rec")).then_some(RIGHTS),
        "kill" => arguments.iter().skip(1).any(|word| word == "-1" || word == "1").then_some(MACHINE),
        "killall" | "killall5" | "pkill" | "shutdown" | "reboot" | "halt" | "poweroff" => Some(MACHINE),
        "init" | "telinit" => matches!(first, "0" | "1" | "6").then_some(MACHINE),
        "systemctl" => has(&["poweroff", "reboot", "halt", "kexec", "rescue", "emergency"]).then_some(MACHINE),
        "crontab" => short('r').then_some("deletes the schedule of tasks"),
        "docker" | "podman" => {
            let deletes = has(&["prune", "rm", "rmi", "remove"]) || has(&["down"]) && (short('v') || begins("--vol"));
            deletes.then_some(SERVICES)
        }
        "kubectl" => has(&["delete", "drain"]).then_some(SERVICES),
        "terraform" | "tofu" => (has(&["destroy"]) || begins("-destroy")).then_some(SERVICES),
        "gh" => (second == "delete").then_some(SERVICES),
        "aws" | "gsutil" | "rclone" => has(&["rm", "rb", "purge", "delete", "--delete"]).then_some(SERVICES),
        "dropdb" | "userdel" | "deluser" => Some(SERVICES),
        "iptables" | "nft" | "ufw" => {
            (short('F') || has(&["flush", "reset", "disable"])).then_some("opens the firewall")
        }
        "sudo" | "doas" | "su" | "pkexec" | "runuser" => Some(ROOT),
        _ => None,
    }
}

/// Whether a word is a cluster of options with which rm deletes folders or does not ask.
pub(super) fn is_like_rm(word: &str) -> bool {
    let is_option = |letter: char| matches!(letter, 'r' | 'R' | 'f' | 'i' | 'I' | 'v' | 'd' | '\r');
    is_cluster(word) && word[1..].chars().all(is_option) && word.contains(['r', 'R', 'f'])
}

/// Whether a word is `--recursive` or `--force`, of which GNU programs take beginnings for the whole.
fn is_long_rm(word: &str) -> bool {
    let long = word.strip_prefix("--").unwrap_or_default();
    !long.is_empty() && ("recursive".starts_with(long) || "force".starts_with(long) || long == "no-preserve-root")
}

/// Whether a word is short options in one.
fn is_cluster(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-') && !word.starts_with("--")
}
