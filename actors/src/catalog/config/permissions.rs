//! The permissions of a new thread: sandbox modes and permission profiles.

use super::{Fault, Settings, TrustLevel};
use crate::protocol::catalog::PermissionProfileSummary;
use crate::protocol::thread::{ActivePermissionProfile, SandboxMode, SandboxPolicy};

/// The built-in profiles and their sandboxes.
const BUILT_IN: [(&str, SandboxMode); 3] = [
    (":read-only", SandboxMode::ReadOnly),
    (":workspace", SandboxMode::WorkspaceWrite),
    (":danger-full-access", SandboxMode::DangerFullAccess),
];

/// Longest chain of profiles that extend each other; a longer one is treated as a cycle.
const LONGEST_CHAIN: usize = 16;

/// All profiles; the built-in ones come first.
pub fn profiles(settings: &Settings) -> Vec<PermissionProfileSummary> {
    let summary = |id: &str, description: Option<&String>| PermissionProfileSummary {
        id: id.to_owned(),
        description: description.cloned(),
        allowed: true,
    };
    let built_in = BUILT_IN.iter().map(|(id, _)| summary(id, None));
    let own = settings.permissions.iter().map(|(id, profile)| summary(id, profile.description.as_ref()));
    built_in.chain(own).collect()
}

/// The permissions of a new thread, and the profile from which they were derived, if any.
pub struct Permissions {
    /// The sandbox.
    pub sandbox: SandboxPolicy,
    /// The profile.
    pub profile: Option<ActivePermissionProfile>,
}

impl Permissions {
    /// Permissions of a sandbox mode, with the details of `[sandbox_workspace_write]`.
    pub fn by_mode(mode: SandboxMode, settings: &Settings) -> Self {
        let details = &settings.sandbox_workspace_write;
        let sandbox = match mode {
            SandboxMode::WorkspaceWrite => SandboxPolicy::WorkspaceWrite {
                writable_roots: details.writable_roots.clone(),
                network_access: details.network_access,
                exclude_tmpdir_env_var: details.exclude_tmpdir_env_var,
                exclude_slash_tmp: details.exclude_slash_tmp,
            },
            mode => plain(mode),
        };
        Self { sandbox, profile: None }
    }

    /// Permissions of a profile. A user-defined profile has the permissions of the built-in profile at the end of its
    /// chain.
    ///
    /// # Errors
    /// The profile does not exist, or its chain does not end at a built-in profile.
    pub fn by_profile(id: &str, settings: &Settings) -> Result<Self, Fault> {
        let extends = settings.permissions.get(id).and_then(|profile| profile.extends.clone());
        let mode = mode_of(id, settings, LONGEST_CHAIN)?;
        let profile = ActivePermissionProfile { id: id.to_owned(), extends };
        Ok(Self { sandbox: plain(mode), profile: Some(profile) })
    }

    /// Permissions according to the settings: a mode, a profile, or else the trust in the project.
    ///
    /// # Errors
    /// The configured profile does not exist.
    pub fn by_settings(settings: &Settings, trust: Option<TrustLevel>) -> Result<Self, Fault> {
        if let Some(mode) = settings.sandbox_mode {
            return Ok(Self::by_mode(mode, settings));
        }
        if let Some(id) = &settings.default_permissions {
            return Self::by_profile(id, settings);
        }
        let (id, mode) = match trust {
            Some(_) => (":workspace", SandboxMode::WorkspaceWrite),
            None => (":read-only", SandboxMode::ReadOnly),
        };
        let profile = ActivePermissionProfile { id: id.to_owned(), extends: None };
        Ok(Self { profile: Some(profile), ..Self::by_mode(mode, settings) })
    }
}

fn plain(mode: SandboxMode) -> SandboxPolicy {
    match mode {
        SandboxMode::ReadOnly => SandboxPolicy::ReadOnly { network_access: false },
        SandboxMode::WorkspaceWrite => SandboxPolicy::WorkspaceWrite {
            writable_roots: Vec::new(),
            network_access: false,
            exclude_tmpdir_env_var: false,
            exclude_slash_tmp: false,
        },
        SandboxMode::DangerFullAccess => SandboxPolicy::DangerFullAccess,
    }
}

fn mode_of(id: &str, settings: &Settings, links: usize) -> Result<SandboxMode, Fault> {
    if let Some((_, mode)) = BUILT_IN.iter().find(|(name, _)| *name == id) {
        return Ok(*mode);
    }
    if id.starts_with(':') {
        return Err(Fault::new(format!("default_permissions refers to unknown built-in profile `{id}`")));
    }
    let Some(profile) = settings.permissions.get(id) else {
        return Err(Fault::new(format!("default_permissions refers to undefined profile `{id}`")));
    };
    match &profile.extends {
        Some(parent) if links > 0 => mode_of(parent, settings, links - 1),
        Some(_) => Err(Fault::new(format!("permission profile `{id}` extends itself"))),
        // This server does not support the profile's own rules, and grants nothing that it does not support.
        None => Ok(SandboxMode::ReadOnly),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> Settings {
        Settings::from_table(&toml::from_str(text).unwrap()).unwrap()
    }

    #[test]
    fn own_profiles_give_what_they_extend() {
        let settings = settings(
            "[permissions.mine]\nextends = 'base'\ndescription = 'my own'\n[permissions.base]\nextends = ':workspace'\n\
             [permissions.lone]\n[permissions.circle]\nextends = 'circle'",
        );
        let mine = Permissions::by_profile("mine", &settings).unwrap();
        assert!(matches!(mine.sandbox, SandboxPolicy::WorkspaceWrite { .. }));
        assert_eq!(mine.profile.unwrap().extends.as_deref(), Some("base"));
        let lone = Permissions::by_profile("lone", &settings).unwrap();
        assert!(matches!(lone.sandbox, SandboxPolicy::ReadOnly { .. }));

        let error = |id: &str| Permissions::by_profile(id, &settings).err().unwrap().to_string();
        assert_eq!(error(":nope"), "default_permissions refers to unknown built-in profile `:nope`");
        assert_eq!(error("nope"), "default_permissions refers to undefined profile `nope`");
        assert_eq!(error("circle"), "permission profile `circle` extends itself");
    }

    #[test]
    fn the_list_shows_all_of_them() {
        let list = profiles(&settings("[permissions.mine]\ndescription = 'my own'"));
        let ids: Vec<_> = list.iter().map(|profile| profile.id.as_str()).collect();
        assert_eq!(ids, [":read-only", ":workspace", ":danger-full-access", "mine"]);
        assert_eq!(list[3].description.as_deref(), Some("my own"));
    }
}
