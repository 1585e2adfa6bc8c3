//! Which process listens on a socket: a server in a container says a process id that means another process here.

use std::path::Path;

/// Whether `process` listens on the socket at `socket`, however its path is spelled.
#[cfg(target_os = "linux")]
pub fn listens(process: u32, socket: &Path) -> bool {
    /// Bytes of the kernel's table of Unix sockets that are read.
    const TABLE_BYTES: usize = 16 * 1024 * 1024;
    let Ok(wanted) = socket.canonicalize() else { return false };
    let table = plain_file::read(Path::new("/proc/net/unix"), TABLE_BYTES).unwrap_or_default();
    let table = String::from_utf8_lossy(&table);
    let found = listening(&table).find(|(_, bound)| Path::new(bound).canonicalize().is_ok_and(|bound| bound == wanted));
    let Some((inode, _)) = found else { return false };
    let held = format!("socket:[{inode}]");
    let files = std::fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|target| target.as_os_str() == held.as_str())
}

/// Other systems have no such containers.
#[cfg(not(target_os = "linux"))]
pub fn listens(_: u32, _: &Path) -> bool {
    true
}

/// The listening sockets of the table that are bound to a path: inode and path. A line has number, references, protocol, flags,
/// type, state, inode, path (proc_pid_net(5)).
#[cfg(target_os = "linux")]
fn listening(table: &str) -> impl Iterator<Item = (&str, &str)> {
    /// `__SO_ACCEPTCON`: it listens.
    const LISTENS: &str = "00010000";
    table.lines().filter_map(|line| {
        let path = &line[line.find(" /")? + 1..];
        let words: Vec<&str> = line.split_ascii_whitespace().take(7).collect();
        let listens = words.get(3) == Some(&LISTENS);
        words.get(6).map(|inode| (*inode, path)).filter(|_| listens)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_listener_is_told_from_its_connections_and_from_other_processes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a socket");
        let listener = UnixListener::bind(&path).unwrap();
        let _client = UnixStream::connect(&path).unwrap();
        assert!(listens(std::process::id(), &path));
        let links = tempfile::tempdir().unwrap();
        let linked = links.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &linked).unwrap();
        assert!(listens(std::process::id(), &linked.join("a socket")), "over a link");
        assert!(!listens(1, &path) || std::process::id() == 1);
        assert!(!listens(std::process::id(), &folder.path().join("another")));
        drop(listener);
        assert!(!listens(std::process::id(), &path));
    }

    #[test]
    fn a_name_with_blanks_is_found() {
        let table = "Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 11 /run/a b.sock\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/a b.sock\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 13\n";
        assert_eq!(listening(table).collect::<Vec<_>>(), [("12", "/run/a b.sock")]);
    }
}
