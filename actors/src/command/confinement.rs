//! Translates a sandbox policy into the launcher's rules.

use std::path::{Path, PathBuf};

use command_launcher::Confinement;

use crate::protocol::thread::SandboxPolicy;

/// Facts about the machine that the rules for confined commands depend on.
pub struct Surroundings {
    codex_home: PathBuf,
    /// Sockets and secrets.
    hidden: Vec<PathBuf>,
    /// The user's directory for temporary files.
    tmpdir: Option<PathBuf>,
}

impl Surroundings {
    /// The values of this process.
    pub fn new(codex_home: &Path, hidden: Vec<PathBuf>) -> Self {
        let tmpdir = std::env::var_os("TMPDIR").map(PathBuf::from).filter(|path| path.is_absolute());
        Self { codex_home: codex_home.to_owned(), hidden, tmpdir }
    }

    /// The directory of the server's state.
    pub fn codex_home(&self) -> &Path {
        &self.codex_home
    }

    /// The rules of `policy` for a command in the workspace `cwd`, beside known `projects`; `None` if it is not confined.
    pub fn confinement(&self, policy: &SandboxPolicy, cwd: &Path, projects: Vec<PathBuf>) -> Option<Confinement> {
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
                writable.extend(writable_roots.iter().map(|root| cwd.join(root)));
                writable.extend(self.tmpdir.clone().filter(|_| !exclude_tmpdir_env_var));
                writable.extend((!exclude_slash_tmp).then(|| PathBuf::from("/tmp")));
                (writable, *network_access)
            }
        };
        let (home, hidden) = (Some(self.codex_home.clone()), self.hidden.clone());
        Some(Confinement { writable, home, projects, hidden, network })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surroundings() -> Surroundings {
        Surroundings { codex_home: "/home/c".into(), hidden: vec!["/run/s".into()], tmpdir: Some("/t".into()) }
    }

    #[test]
    fn a_workspace_is_writable_with_what_its_policy_adds() {
        let policy = SandboxPolicy::WorkspaceWrite {
            writable_roots: vec!["/b".into()],
            network_access: false,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        };
        let confinement = surroundings().confinement(&policy, Path::new("/a"), vec!["/p".into()]).unwrap();
        assert_eq!(confinement.writable, ["/a", "/b", "/t", "/tmp"].map(PathBuf::from));
        assert_eq!(confinement.home.as_deref(), Some(Path::new("/home/c")));
        assert_eq!(confinement.projects, [PathBuf::from("/p")]);
        assert_eq!(confinement.hidden, [PathBuf::from("/run/s")]);
        assert!(!confinement.network);

        let bare = SandboxPolicy::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access: true,
            exclude_tmpdir_env_var: true,
            exclude_slash_tmp: true,
        };
        let confinement = surroundings().confinement(&bare, Path::new("/a"), Vec::new()).unwrap();
        assert_eq!(confinement.writable, [PathBuf::from("/a")]);
        assert!(confinement.network);
    }

    #[test]
    fn only_what_says_so_is_unconfined() {
        let confinement = |policy| surroundings().confinement(&policy, Path::new("/a"), Vec::new());
        assert_eq!(confinement(SandboxPolicy::DangerFullAccess), None);
        let read_only = confinement(SandboxPolicy::ReadOnly { network_access: false }).unwrap();
        assert_eq!(read_only.writable, Vec::<PathBuf>::new());
    }
}
