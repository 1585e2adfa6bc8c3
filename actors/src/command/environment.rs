//! What a command inherits: the server's environment, as `[shell_environment_policy]` of the configuration filters it.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde::{Deserialize, Deserializer, de};

/// Set for commands that cannot use the network, so that tools can say why; the reference program sets it, too.
const NETWORK_DISABLED: &str = "CODEX_SANDBOX_NETWORK_DISABLED";

/// What a supervisor tells the server about itself, and is no business of its commands.
const OWN_VARIABLES: [&str; 9] = [
    "CODEX_APP_SERVER_CONFIG",
    "CODEX_APP_SERVER_OPEN_FILES",
    "CODEX_APP_SERVER_TAKE_OVER",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];

/// Programs of this server for commands of its agents.
const PROGRAMS: [&str; 1] = ["apply_patch"];

/// What is inherited with `inherit = "core"`.
const CORE: [&str; 11] =
    ["HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TEMP", "TMP", "TMPDIR", "USER"];

/// Names of what is not inherited with `ignore_default_excludes = false`.
const DEFAULT_EXCLUDES: [&str; 3] = ["*KEY*", "*SECRET*", "*TOKEN*"];

/// `[shell_environment_policy]`: the members are applied in their order here. Patterns match whole names, whatever their
/// case; `*` stands for any text and `?` for one character.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnvironmentPolicy {
    /// What is inherited at all.
    pub inherit: Inherit,
    /// False takes away what looks like a secret. True unless the user says otherwise, as in the reference program.
    pub ignore_default_excludes: bool,
    /// Names to take away.
    pub exclude: Vec<String>,
    /// Variables to add, or to change.
    pub set: BTreeMap<String, String>,
    /// Names to keep, of all that is there by now; all where there are none.
    pub include_only: Vec<String>,
    /// Not supported: it would run a login shell, outside of the sandbox, to ask it for its environment.
    #[serde(rename = "experimental_use_profile", deserialize_with = "no_profile")]
    pub no_profile: (),
}

/// What a command inherits before anything is taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inherit {
    /// Everything.
    #[default]
    All,
    /// What programs cannot do without.
    Core,
    /// Nothing.
    None,
}

impl Default for EnvironmentPolicy {
    fn default() -> Self {
        Self {
            inherit: Inherit::All,
            ignore_default_excludes: true,
            exclude: Vec::new(),
            set: BTreeMap::new(),
            include_only: Vec::new(),
            no_profile: (),
        }
    }
}

fn no_profile<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let text = "this server does not read the shell's profile; set what commands need in shell_environment_policy.set";
    if bool::deserialize(deserializer)? { Err(de::Error::custom(text)) } else { Ok(()) }
}

/// The server's environment without what is meant for the server alone.
pub fn inherited_environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| !OWN_VARIABLES.iter().any(|own| name == own)).collect()
}

impl EnvironmentPolicy {
    /// A command's environment: what it may have of `inherited`, changed as its client wants; null takes a variable
    /// away.
    pub fn environment(
        &self,
        inherited: &[(OsString, OsString)],
        changes: Option<&BTreeMap<String, Option<String>>>,
        has_network: bool,
    ) -> Vec<(OsString, OsString)> {
        let inherited = inherited.iter().filter(|(name, _)| self.inherits(name));
        let mut env: BTreeMap<OsString, OsString> = inherited.cloned().collect();
        env.extend(self.set.iter().map(|(name, value)| (name.into(), value.into())));
        if !self.include_only.is_empty() {
            env.retain(|name, _| matches_any(&self.include_only, name));
        }
        for (name, value) in changes.into_iter().flatten() {
            match value {
                Some(value) => env.insert(name.into(), value.into()),
                None => env.remove(&OsString::from(name)),
            };
        }
        if !has_network {
            env.insert(NETWORK_DISABLED.into(), "1".into());
        }
        env.into_iter().collect()
    }

    fn inherits(&self, name: &OsStr) -> bool {
        let wanted = match self.inherit {
            Inherit::All => true,
            Inherit::Core => CORE.iter().any(|core| name == *core),
            Inherit::None => false,
        };
        wanted
            && (self.ignore_default_excludes || !matches_any(&DEFAULT_EXCLUDES, name))
            && !matches_any(&self.exclude, name)
    }
}

/// Lets commands find the programs in `folder`. A profile that a shell reads may set its PATH anew, so bash also gets them
/// as functions.
pub fn add_programs(env: &mut Vec<(OsString, OsString)>, folder: &Path) {
    if let Some((_, path)) = env.iter_mut().find(|(name, _)| name == "PATH") {
        let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(path));
        // A folder whose name holds a colon cannot be in a PATH.
        if let Ok(joined) = std::env::join_paths(folders.collect::<Vec<_>>()) {
            *path = joined;
        }
    }
    let Ok(folder) = shlex::try_quote(&folder.to_string_lossy()).map(|quoted| quoted.into_owned()) else { return };
    for name in PROGRAMS {
        let function = format!("() {{ {folder}/{name} \"$@\"; }}");
        env.push((format!("BASH_FUNC_{name}%%").into(), function.into()));
    }
}

fn matches_any(patterns: &[impl AsRef<str>], name: &OsStr) -> bool {
    let lower = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<char>>();
    let name = lower(&name.to_string_lossy());
    patterns.iter().any(|pattern| matches(&lower(pattern.as_ref()), &name))
}

/// Goes through both texts once; where they part, the last `*` takes one character more.
fn matches(pattern: &[char], name: &[char]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(char) if *char == '?' || *char == name[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((place, taken)) = star else { return false };
                star = Some((place, taken + 1));
                (at, seen) = (place + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|char| *char == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
    }

    /// The names that a command has of those of the server.
    fn left(policy: &str) -> String {
        let policy: EnvironmentPolicy = toml::from_str(policy).unwrap();
        let names = ["AWS_X", "FOO", "HOME", "LANG", "MY_API_KEY", "PATH", "TOKENS", "USERNAME", "monkey", "secret_a"];
        let env = policy.environment(&variables(&names.map(|name| (name, "v"))), None, true);
        env.iter().map(|(name, _)| name.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_environment_is_the_reference_programs() {
        assert_eq!(left(""), "AWS_X FOO HOME LANG MY_API_KEY PATH TOKENS USERNAME monkey secret_a");
        assert_eq!(left("ignore_default_excludes = false"), "AWS_X FOO HOME LANG PATH USERNAME");
        assert_eq!(left("inherit = 'core'\nset = { MY_KEY = '1' }"), "HOME LANG MY_KEY PATH");
        assert_eq!(left("inherit = 'none'"), "");
        let all = "exclude = ['aws_*', 'F?O']\ninclude_only = ['PATH', 'A*', 'MY_*', 'FOO']\nset = { MY_X = '1', ZED = '2', FOO = '3' }";
        assert_eq!(left(all), "FOO MY_API_KEY MY_X PATH");
        assert_eq!(
            left("ignore_default_excludes = false\nset = { A_TOKEN = '1' }\ninclude_only = ['*token']"),
            "A_TOKEN"
        );
    }

    #[test]
    fn what_cannot_be_obeyed_is_refused() {
        let refused = |policy: &str| toml::from_str::<EnvironmentPolicy>(policy).unwrap_err().to_string();
        assert!(refused("experimental_use_profile = true").contains("does not read the shell's profile"));
        assert!(refused("excludes = ['A']").contains("unknown field `excludes`"));
        assert!(refused("inherit = 'some'").contains("unknown variant `some`"));
        assert!(toml::from_str::<EnvironmentPolicy>("experimental_use_profile = false").is_ok());
    }

    #[test]
    fn the_client_has_the_last_word() {
        let policy = EnvironmentPolicy { inherit: Inherit::None, ..EnvironmentPolicy::default() };
        let changes = BTreeMap::from([("A".to_owned(), None), ("A_TOKEN".to_owned(), Some("3".to_owned()))]);
        let env = policy.environment(&variables(&[("B", "2")]), Some(&changes), true);
        assert_eq!(env, variables(&[("A_TOKEN", "3")]));
        let env =
            EnvironmentPolicy::default().environment(&variables(&[("A", "1"), ("B", "2")]), Some(&changes), false);
        assert_eq!(env, variables(&[("A_TOKEN", "3"), ("B", "2"), (NETWORK_DISABLED, "1")]));
    }

    #[test]
    fn patterns_match_whole_names() {
        let matches = |pattern: &str, name: &str| matches_any(&[pattern], OsStr::new(name));
        assert!(matches("*", "") && matches("A*B*C", "axxbyycbc") && matches("a?c", "ABC") && matches("**", "x"));
        assert!(!matches("A", "AB") && !matches("A*B", "ABC") && !matches("?", "") && !matches("", "a"));
        let long = "a".repeat(10_000);
        assert!(!matches(&"*a".repeat(500), &format!("{long}b")), "and take no time for it");
    }
}
