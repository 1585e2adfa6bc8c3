//! Landlock: the same limits on files, enforced by another part of the kernel, and limits on signals and abstract
//! sockets.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError, Scope,
    path_beneath_rules,
};

/// The newest Landlock version that this program was tested with.
const TESTED: ABI = ABI::V6;

/// Paths that a command may write besides its roots: private to the sandbox, or harmless.
const DEVICES: &str = "/dev";

/// Restricts this process and everything that it starts, as far as the kernel supports it. Returns what is missing.
pub fn restrict(writable: &[PathBuf], network: bool) -> Result<Vec<String>, RulesetError> {
    let (all, read) = (AccessFs::from_all(TESTED), AccessFs::from_read(TESTED));
    let mut rules = Ruleset::default().handle_access(all)?.scope(Scope::from_all(TESTED))?;
    if !network {
        rules = rules.handle_access(AccessNet::from_all(TESTED))?;
    }
    let status = rules
        .create()?
        .add_rules(path_beneath_rules([Path::new("/")], read))?
        .add_rules(path_beneath_rules(writable.iter().map(PathBuf::as_path).chain([Path::new(DEVICES)]), all))?
        .restrict_self()?;
    Ok(gaps(status.landlock))
}

/// What Landlock does not cover on this kernel.
fn gaps(status: LandlockStatus) -> Vec<String> {
    let abi = match status {
        LandlockStatus::Available { effective_abi, .. } => effective_abi,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => {
            return vec![
                "this kernel has no Landlock, so files are guarded by one layer instead of two; and commands that \
                 may use the network can reach abstract Unix sockets of other programs"
                    .to_owned(),
            ];
        }
    };
    let lacking = [
        (ABI::V3, "truncating files is guarded by one layer instead of two"),
        (ABI::V5, "control calls to devices are guarded by one layer instead of two"),
        (ABI::V6, "commands that may use the network can reach abstract Unix sockets of other programs"),
    ];
    let lacking = lacking.into_iter().filter(|(since, _)| abi < *since);
    lacking.map(|(_, what)| format!("the Landlock of this kernel is an early one: {what}")).collect()
}
