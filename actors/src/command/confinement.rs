//! Translates a sandbox policy into the launcher's rules, and derives a command's environment from the server's.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use command_launcher::Confinement;

use crate::protocol::thread::SandboxPolicy;

/// Set for commands without network, so that tools can explain failures; the reference program sets it, too.
const NETWORK_DISABLED: &str = "CODEX_SANDBOX_NETWORK_DISABLED";

/// Variables from the supervisor of the server, which commands must not inherit.
const OWN_VARIABLES: [&str; 6] =
    ["LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

/// Facts about the machine that the rules for confined commands depend on.
pub struct Surroundings {
    codex_home: PathBuf,
    own_sockets: Vec<PathBuf>,
    /// The user's directory for temporary files.
    tmpdir: Option<PathBuf>,
}

impl Surroundings {
    /// The values of this process.
    pub fn new(codex_home: &Path, own_sockets: Vec<PathBuf>) -> Self {
        let tmpdir = std::env::var_os("TMPDIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Self { codex_home: codex_home.to_owned(), own_sockets, tmpdir }
    }

    /// The rules of `policy` for a command in `cwd`; `None` if it is not confined.
    pub fn confinement(&self, policy: &SandboxPolicy, cwd: &Path) -> Option<Confinement> {
        let (writable, network) = match policy {
            SandboxPolicy::DangerFullAccess | SandboxPolicy::ExternalSandbox { .. } => return None,
            SandboxPolicy::ReadOnly { network_access } => (Vec::new(), *network_access),
            SandboxPolicy::WorkspaceWrite {
                writable_roots,
                network_access,
                exclude_tmpdir_env_var,
                exclude_slash_tmp,
            } => {
                let mut writable = vec![cwd.to_owned()];
                writable.extend(writable_roots.iter().map(PathBuf::from));
                writable.extend(self.tmpdir.clone().filter(|_| !exclude_tmpdir_env_var));
                writable.extend((!exclude_slash_tmp).then(|| PathBuf::from("/tmp")));
                (writable, *network_access)
            }
        };
        let (read_only, hidden) = (vec![self.codex_home.clone()], self.own_sockets.clone());
        Some(Confinement { writable, read_only, hidden, network })
    }
}

/// The server's environment without the variables that are meant for the server only.
pub fn inherited_environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| !OWN_VARIABLES.iter().any(|own| name == own)).collect()
}

/// A command's environment: the inherited variables with the client's changes; null removes a variable.
pub fn environment(
    inherited: &[(OsString, OsString)],
    changes: Option<&BTreeMap<String, Option<String>>>,
    confinement: Option<&Confinement>,
) -> Vec<(OsString, OsString)> {
    let mut env: BTreeMap<OsString, OsString> = inherited.iter().cloned().collect();
    for (name, value) in changes.into_iter().flatten() {
        match value {
            Some(value) => env.insert(name.into(), value.into()),
            None => env.remove(&OsString::from(name)),
        };
    }
    if confinement.is_some_and(|confinement| !confinement.network) {
        env.insert(NETWORK_DISABLED.into(), "1".into());
    }
    env.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings() -> Surroundings {
        Surroundings { codex_home: "/home/c".into(), own_sockets: vec!["/run/s".into()], tmpdir: Some("/t".into()) }
    }

    #[test]
    fn a_workspace_is_writable_with_what_its_policy_adds() {
        let policy = SandboxPolicy::WorkspaceWrite {
            writable_roots: vec!["/b".into()],
            network_access: false,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        };
        let confinement = surroundings().confinement(&policy, Path::new("/a")).unwrap();
        assert_eq!(confinement.writable, ["/a", "/b", "/t", "/tmp"].map(PathBuf::from));
        assert_eq!(confinement.read_only, [PathBuf::from("/home/c")]);
        assert_eq!(confinement.hidden, [PathBuf::from("/run/s")]);
        assert!(!confinement.network);

        let bare = SandboxPolicy::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access: true,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        };
        let confinement = surroundings().confinement(&bare, Path::new("/a")).unwrap();
        assert_eq!(confinement.writable, [PathBuf::from("/a")]);
        assert!(confinement.network);
    }

    #[test]
    fn only_what_says_so_is_unconfined() {
        let cwd = Path::new("/a");
        assert_eq!(surroundings().confinement(&SandboxPolicy::DangerFullAccess, cwd), None);
        let read_only = surroundings().confinement(&SandboxPolicy::ReadOnly { network_access: false }, cwd).unwrap();
        assert_eq!(read_only.writable, Vec::<PathBuf>::new());
    }

    #[test]
    fn null_takes_a_variable_away() {
        let inherited = [("A", "1"), ("B", "2")].map(|(name, value)| (name.into(), value.into()));
        let changes = BTreeMap::from([("A".to_owned(), None), ("C".to_owned(), Some("3".to_owned()))]);
        let env = environment(&inherited, Some(&changes), None);
        assert_eq!(env, [("B", "2"), ("C", "3")].map(|(name, value)| (name.into(), value.into())));

        let confined = environment(&[], None, Some(&Confinement::default()));
        assert_eq!(confined, [(OsString::from(NETWORK_DISABLED), OsString::from("1"))]);
    }
}
