//! Whether people other than the one who runs the server have accounts on this machine.

use std::path::Path;

use rustix::process::geteuid;

/// The numbers that distributions give to people.
const PEOPLE: std::ops::Range<u32> = 1000..60_000;

/// Bytes of the list of accounts that are looked at.
const MOST_BYTES: usize = 1 << 20;

/// The name of one of them.
pub fn first() -> Option<String> {
    // A machine without the file has its accounts elsewhere, and does not say which.
    first_in(&plain_file::read_to_string(Path::new("/etc/passwd"), MOST_BYTES).ok()?, geteuid().as_raw())
}

fn first_in(accounts: &str, own: u32) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, user, shell) = (parts.next()?, parts.nth(1)?.parse::<u32>().ok()?, parts.nth(3)?);
        let may_sign_in = !shell.ends_with("nologin") && !shell.ends_with("false");
        (PEOPLE.contains(&user) && user != own && may_sign_in).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_other_people_count() {
        let accounts = "root:x:0:0::/root:/bin/sh\nme:x:1000:1000::/home/me:/bin/sh\n\
                        www:x:1001:1001::/:/usr/sbin/nologin\nbroken\nshe:x:1002:1002::/home/she:/bin/zsh\n";
        assert_eq!(first_in(accounts, 1000).as_deref(), Some("she"));
        assert_eq!(first_in(accounts, 1002).as_deref(), Some("me"));
        assert_eq!(first_in("me:x:1000:1000::/home/me:/bin/sh\nnobody:x:65534:1::/:/bin/sh", 1000), None);
    }
}
