//! Programs of this server for the commands of its agents: a folder with a link to this binary under each name.

use std::{
    fs::DirBuilder,
    io,
    os::unix::fs::{DirBuilderExt as _, symlink},
    path::{Path, PathBuf},
};

use app_server_actors::commands::CommandsSetup;
use command_launcher::{Launcher, PROGRAMS};

use crate::open_files;

/// The name under which commands change files, as in `apply_patch < PATCH`.
const APPLY_PATCH: &str = "apply_patch";

/// How this process runs commands.
pub fn command_setup(codex_home: &Path) -> CommandsSetup {
    let launcher = Launcher::this_program();
    let provided = launcher.as_ref().map(|_| provide(codex_home));
    let programs = provided.transpose().unwrap_or_else(|error| {
        log::warn!(
            "commands of agents will not find the program {APPLY_PATCH}, because {PROGRAMS} cannot be made: {error}"
        );
        None
    });
    // The running binary, even if it was replaced on disk.
    let own = |words: &[&str]| std::iter::once("/proc/self/exe").chain(words.iter().copied()).map(Into::into).collect();
    let (patcher, observer) = (own(&["apply-patch", "--planned"]), own(&["observe-work-tree"]));
    CommandsSetup {
        launcher,
        patcher,
        observer,
        programs,
        open_files: open_files::at_start(),
        ..CommandsSetup::default()
    }
}

/// Makes the folder, or brings it up to date after the binary has moved.
///
/// # Errors
/// The folder or a link cannot be made.
fn provide(codex_home: &Path) -> io::Result<PathBuf> {
    let folder = codex_home.join(PROGRAMS);
    let binary = std::env::current_exe()?;
    // Whoever could change it could give commands another program, whatever the umask allows.
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    let link = folder.join(APPLY_PATCH);
    if std::fs::read_link(&link).is_ok_and(|target| target == binary) {
        return Ok(folder);
    }
    // Another server of this home may do the same at this moment.
    let new = folder.join(format!(".{APPLY_PATCH}.{}", std::process::id()));
    let made = symlink(&binary, &new).and_then(|()| std::fs::rename(&new, &link));
    if made.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    made.map(|()| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_follows_the_binary() {
        let home = tempfile::tempdir().unwrap();
        let link = home.path().join(PROGRAMS).join(APPLY_PATCH);
        let binary = std::env::current_exe().unwrap();
        std::fs::create_dir(home.path().join(PROGRAMS)).unwrap();
        symlink("/gone", &link).unwrap();
        for _ in 0..2 {
            let folder = provide(home.path()).unwrap();
            assert_eq!(std::fs::read_link(&link).unwrap(), binary);
            assert_eq!(std::fs::read_dir(folder).unwrap().count(), 1);
        }
    }
}
