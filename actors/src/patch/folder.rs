//! Folders that are held open during the writing of a patch. They are reached part by part without following symbolic
//! links, so nobody who renames folders or puts links in their places can lead a write elsewhere.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{
    Access, AtFlags, CWD, Mode, OFlags, RenameFlags, accessat, mkdirat, openat, renameat, renameat_with, statat,
    unlinkat,
};
use rustix::io::Errno;

/// What only leads to others.
const FOLDER: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open folder.
pub(super) struct Folder(OwnedFd);

/// The folders of a patch by their paths without symbolic links.
#[derive(Default)]
pub(super) struct Folders {
    open: BTreeMap<PathBuf, Rc<Folder>>,
    /// Those that had to be made, in that order.
    made: Vec<PathBuf>,
}

impl Folders {
    /// Opens the folder at `path`, an absolute path without links and `..`. With `make` it makes what is missing.
    pub(super) fn open(&mut self, path: &Path, make: bool) -> Result<Rc<Folder>, Errno> {
        if let Some(folder) = self.open.get(path) {
            return Ok(folder.clone());
        }
        if !path.is_absolute() {
            return Err(Errno::INVAL);
        }
        let mut folder = Folder(openat(CWD, "/", FOLDER, Mode::empty())?);
        let mut so_far = PathBuf::from("/");
        for part in path.components() {
            let name = match part {
                Component::Normal(name) => name,
                Component::RootDir => continue,
                _ => return Err(Errno::INVAL),
            };
            so_far.push(name);
            folder = match folder.inner(name) {
                Err(Errno::NOENT) if make => {
                    mkdirat(&folder.0, name, Mode::from_raw_mode(0o777))?;
                    self.made.push(so_far.clone());
                    folder.inner(name)?
                }
                result => result?,
            };
        }
        let folder = Rc::new(folder);
        self.open.insert(path.to_owned(), folder.clone());
        Ok(folder)
    }

    /// Removes the folders that were made, as far as they are empty.
    pub(super) fn unmake(&mut self) {
        for path in std::mem::take(&mut self.made).iter().rev() {
            let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { continue };
            if let Ok(parent) = self.open(parent, false) {
                // One that others have put something into stays.
                let _ = unlinkat(&parent.0, name, AtFlags::REMOVEDIR);
            }
        }
    }
}

impl Folder {
    fn inner(&self, name: &OsStr) -> Result<Self, Errno> {
        Ok(Self(openat(&self.0, name, FOLDER, Mode::empty())?))
    }

    /// Opens the file `name` for reading; a symbolic link is an error, and nothing special is waited for.
    pub(super) fn open(&self, name: &OsStr) -> Result<File, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Makes the file `name` with the permissions `mode` (minus the umask); one that exists is an error.
    pub(super) fn create(&self, name: &OsStr, mode: u32) -> Result<File, Errno> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(openat(&self.0, name, flags, Mode::from_raw_mode(mode))?.into())
    }

    /// Whether there is anything called `name`.
    pub(super) fn has(&self, name: &OsStr) -> Result<bool, Errno> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether the process may write to the file `name`.
    pub(super) fn is_writable(&self, name: &OsStr) -> Result<(), Errno> {
        accessat(&self.0, name, Access::WRITE_OK, AtFlags::empty())
    }

    /// Gives the file `from` the name `to`, which must be free.
    pub(super) fn rename_to_free(&self, from: &OsStr, to: &OsStr) -> Result<(), Errno> {
        match renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
            // Not every file system can tell; the caller has just looked.
            Err(Errno::INVAL | Errno::NOSYS) => renameat(&self.0, from, &self.0, to),
            result => result,
        }
    }

    /// Lets two files exchange their names, if the file system can so that there is always one of each.
    pub(super) fn exchange(&self, new: &OsStr, old: &OsStr) -> Result<(), Errno> {
        match renameat_with(&self.0, new, &self.0, old, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS) => self.exchange_in_steps(new, old),
            result => result,
        }
    }

    fn exchange_in_steps(&self, new: &OsStr, old: &OsStr) -> Result<(), Errno> {
        let mut between = new.to_owned();
        between.push("-between");
        self.rename_to_free(old, &between)?;
        if let Err(error) = self.rename_to_free(new, old) {
            self.rename_to_free(&between, old)?;
            return Err(error);
        }
        self.rename_to_free(&between, new)
    }

    /// Removes the file `name`.
    pub(super) fn remove(&self, name: &OsStr) -> Result<(), Errno> {
        unlinkat(&self.0, name, AtFlags::empty())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn names_are_exchanged_where_the_file_system_cannot_do_it_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let folder = Folders::default().open(&root, false).unwrap();
        let text = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        let [new, old] = ["new", "old"].map(OsStr::new);
        for exchange in [Folder::exchange, Folder::exchange_in_steps] {
            fs::write(root.join("new"), "new").unwrap();
            fs::write(root.join("old"), "old").unwrap();
            exchange(&folder, new, old).unwrap();
            assert_eq!((text("new"), text("old")), ("old".to_owned(), "new".to_owned()));
            fs::remove_file(root.join("new")).unwrap();
            assert_eq!(exchange(&folder, new, old), Err(Errno::NOENT));
            assert_eq!(text("old"), "new", "it is where it was");
        }
    }
}
