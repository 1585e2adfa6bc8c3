//! Signing in and out.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Credentials, lock};
use crate::protocol::Secret;
use crate::protocol::account::{AuthFile, IssuedTokens, PlanType};
use crate::replace::{NewFile, replace};

/// What others than the owner may do with a file.
const OTHERS: u32 = 0o077;

impl Credentials {
    /// Keeps an API key in `auth.json`, in place of whoever was signed in. Only the owner may read the file afterwards.
    /// On return it is on disk. May block.
    ///
    /// # Errors
    /// The file cannot be written. The text contains no secrets.
    pub fn sign_in_with_key(&self, key: &Secret) -> Result<(), String> {
        self.keep(&AuthFile::of_key(key)?)
    }

    /// Keeps a ChatGPT account in `auth.json`, in place of whoever was signed in; as [`Self::sign_in_with_key`]. Returns
    /// its subscription.
    ///
    /// # Errors
    /// The file cannot be written. The text contains no secrets.
    pub fn sign_in_with_tokens(&self, tokens: &IssuedTokens) -> Result<PlanType, String> {
        let (text, plan) = AuthFile::of_tokens(tokens)?;
        self.keep(&text)?;
        Ok(plan)
    }

    fn keep(&self, text: &str) -> Result<(), String> {
        let _alone = lock(&self.writing);
        let written = close_to_others(&self.path).and_then(|()| replace(&self.path, text.as_bytes(), NewFile::Private));
        written.map_err(|error| format!("{}: {error}", self.path.display()))
    }

    /// Removes `auth.json`. It need not exist. May block.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn sign_out(&self) -> Result<(), String> {
        let _alone = lock(&self.writing);
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(format!("{}: {error}", self.path.display())),
            _ => Ok(()),
        }
    }
}

/// A replacement keeps the mode of the file that was there.
fn close_to_others(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.permissions().mode() & OTHERS != 0 => {
            fs::set_permissions(path, Permissions::from_mode(found.permissions().mode() & !OTHERS))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_its_owner_only_and_gone_after_the_sign_out() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("auth.json");
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let credentials = Credentials::new(home.path());
        credentials.sign_in_with_key(&"sk-1".into()).unwrap();
        assert_eq!(credentials.now(), AuthFile::ApiKey("sk-1".into()));
        assert!(credentials.changed(), "whoever uses the account looks again");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        credentials.sign_out().unwrap();
        credentials.sign_out().unwrap();
        assert_eq!((credentials.now(), path.exists()), (AuthFile::Nobody, false));
    }
}
