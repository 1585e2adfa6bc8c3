//! The meaning of the auth flags in combination. The texts are the reference program's.

use std::path::{Path, PathBuf};

use app_server_actors::protocol::scope::{Scope, Scopes};

use super::{AuthError, TokenDigest};
use crate::cli::{AuthArguments, AuthMode};

/// Default clock skew, in seconds.
const DEFAULT_SKEW_SECONDS: i64 = 30;

/// How clients authenticate, and where the secrets are; nothing is read yet.
#[derive(Debug)]
pub enum AuthPlan {
    /// `--ws-auth capability-token --ws-token-file`, once or several times
    TokenFiles(Vec<TokenFile>),
    /// `--ws-auth capability-token --ws-token-sha256`
    TokenDigest(TokenDigest),
    /// `--ws-auth signed-bearer-token`
    SignedBearer {
        /// File with the shared secret.
        secret: PathBuf,
        /// Requirements on the claims.
        expected: ExpectedClaims,
    },
}

/// A token file, and the scopes of the clients that send its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFile {
    /// Absolute path of the file.
    pub path: PathBuf,
    /// Scopes of its clients.
    pub scopes: Scopes,
}

/// Requirements on the claims of a JWT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedClaims {
    /// Required `iss`; `None` accepts any value and none.
    pub issuer: Option<String>,
    /// Required `aud`, which may be one of several; `None` accepts any value and none.
    pub audience: Option<String>,
    /// Tolerance for `exp` and `nbf`, in seconds; never negative.
    pub skew_seconds: i64,
}

impl AuthPlan {
    /// Checks the flags, for every transport. `None` if they ask for no authentication.
    pub fn of(flags: &AuthArguments) -> Result<Option<Self>, AuthError> {
        let has_token = !flags.ws_token_file.is_empty() || flags.ws_token_sha256.is_some();
        let has_jwt = flags.ws_shared_secret_file.is_some()
            || flags.ws_issuer.is_some()
            || flags.ws_audience.is_some()
            || flags.ws_max_clock_skew_seconds.is_some();
        match flags.ws_auth {
            None if has_token || has_jwt => Err(AuthError::NoMode),
            None => Ok(None),
            Some(AuthMode::CapabilityToken) if has_jwt => Err(AuthError::NotForCapabilityToken),
            Some(AuthMode::CapabilityToken) => capability_token(flags).map(Some),
            Some(AuthMode::SignedBearerToken) if has_token => Err(AuthError::NotForSignedBearer),
            Some(AuthMode::SignedBearerToken) => signed_bearer(flags).map(Some),
        }
    }

    /// Tokens in these files, each `PATH` or `SCOPES:PATH`. `None` without files.
    ///
    /// # Errors
    /// A scope is unknown, or a path cannot be resolved.
    pub fn of_token_files(files: &[PathBuf]) -> Result<Option<Self>, AuthError> {
        let files: Vec<TokenFile> = files.iter().map(|file| token_file(file)).collect::<Result<_, _>>()?;
        Ok(Some(files).filter(|files| !files.is_empty()).map(Self::TokenFiles))
    }

    /// The files that contain secrets.
    pub fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::TokenFiles(files) => files.iter().map(|file| file.path.clone()).collect(),
            Self::SignedBearer { secret, .. } => vec![secret.clone()],
            Self::TokenDigest(_) => Vec::new(),
        }
    }
}

fn capability_token(flags: &AuthArguments) -> Result<AuthPlan, AuthError> {
    match (&flags.ws_token_file[..], &flags.ws_token_sha256) {
        ([_, ..], Some(_)) => Err(AuthError::TwoTokens),
        ([], None) => Err(AuthError::NoToken),
        (files, None) => files.iter().map(|file| token_file(file)).collect::<Result<_, _>>().map(AuthPlan::TokenFiles),
        ([], Some(hex)) => TokenDigest::from_hex(hex).map(AuthPlan::TokenDigest).ok_or(AuthError::BadDigest),
    }
}

/// Reads `PATH` or `SCOPES:PATH`. What stands before the first colon is a list of scopes when one of its names is a
/// scope; a path that begins like that can be written as `./PATH`.
fn token_file(value: &Path) -> Result<TokenFile, AuthError> {
    let named = value.to_str().and_then(|text| text.split_once(':'));
    let is_list = |list: &str| list.split(',').any(|name| name.trim().parse::<Scope>().is_ok());
    let (scopes, path) = match named {
        Some((list, path)) if is_list(list) => (Scopes::from_list(list)?, Path::new(path)),
        _ => (Scopes::ALL, value),
    };
    Ok(TokenFile { path: resolve(path)?, scopes })
}

fn signed_bearer(flags: &AuthArguments) -> Result<AuthPlan, AuthError> {
    let secret = flags.ws_shared_secret_file.as_deref().ok_or(AuthError::NoSecret)?;
    let skew_seconds = match flags.ws_max_clock_skew_seconds {
        Some(seconds) => i64::try_from(seconds).map_err(|_| AuthError::BadSkew)?,
        None => DEFAULT_SKEW_SECONDS,
    };
    let expected = ExpectedClaims {
        issuer: unless_blank(flags.ws_issuer.as_deref()),
        audience: unless_blank(flags.ws_audience.as_deref()),
        skew_seconds,
    };
    Ok(AuthPlan::SignedBearer { secret: resolve(secret)?, expected })
}

/// Resolved now, so that a later change of the working directory does not affect reloads.
fn resolve(path: &Path) -> Result<PathBuf, AuthError> {
    std::path::absolute(path).map_err(|error| AuthError::Unreadable { path: path.to_owned(), error })
}

fn unless_blank(value: Option<&str>) -> Option<String> {
    value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::Arguments;

    fn plan(flags: &str) -> Result<Option<AuthPlan>, AuthError> {
        let words = ["codex-app-server"].into_iter().chain(flags.split_whitespace()).map(OsString::from);
        AuthPlan::of(&Arguments::parse_from_words(words).unwrap().auth)
    }

    fn refusal(flags: &str) -> String {
        plan(flags).unwrap_err().to_string()
    }

    const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    #[test]
    fn without_flags_there_is_no_auth() {
        assert!(plan("").unwrap().is_none());
    }

    #[test]
    fn flags_that_do_not_fit_together_are_refused() {
        let capability = "--ws-auth capability-token";
        let signed = "--ws-auth signed-bearer-token";
        let both_modes = "websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`";
        let only_signed = "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and \
                           `--ws-max-clock-skew-seconds` require `--ws-auth signed-bearer-token`";
        let only_capability = "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not \
                               `signed-bearer-token`";
        let bad_digest = "--ws-token-sha256 must be a 64-character hex SHA-256 digest";
        for (flags, text) in [
            ("--ws-token-file t".to_owned(), both_modes),
            (format!("--ws-token-sha256 {DIGEST}"), both_modes),
            ("--ws-shared-secret-file s".to_owned(), both_modes),
            ("--ws-issuer i".to_owned(), both_modes),
            ("--ws-audience a".to_owned(), both_modes),
            ("--ws-max-clock-skew-seconds 1".to_owned(), both_modes),
            (
                capability.to_owned(),
                "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set",
            ),
            (
                format!("{capability} --ws-token-file t --ws-token-sha256 {DIGEST}"),
                "`--ws-token-file` and `--ws-token-sha256` are mutually exclusive",
            ),
            (format!("{capability} --ws-token-file t --ws-shared-secret-file s"), only_signed),
            (format!("{capability} --ws-token-file t --ws-issuer i"), only_signed),
            (format!("{capability} --ws-token-file t --ws-audience a"), only_signed),
            (format!("{capability} --ws-token-file t --ws-max-clock-skew-seconds 1"), only_signed),
            (format!("{capability} --ws-token-sha256 beef"), bad_digest),
            (format!("{capability} --ws-token-sha256="), bad_digest),
            (format!("{capability} --ws-token-sha256 {}", DIGEST.replace('9', "g")), bad_digest),
            (signed.to_owned(), "`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set"),
            (format!("{signed} --ws-shared-secret-file s --ws-token-file t"), only_capability),
            (format!("{signed} --ws-shared-secret-file s --ws-token-sha256 {DIGEST}"), only_capability),
            (
                format!("{signed} --ws-shared-secret-file s --ws-max-clock-skew-seconds 9223372036854775808"),
                "websocket auth clock skew must fit in a signed 64-bit integer",
            ),
        ] {
            assert_eq!(refusal(&flags), text, "{flags}");
        }
    }

    #[test]
    fn a_digest_may_be_upper_case_and_have_blanks_around_it() {
        let digest = format!(" {} ", DIGEST.to_uppercase());
        let words = ["x", "--ws-auth", "capability-token", "--ws-token-sha256", &digest].map(OsString::from);
        let plan = AuthPlan::of(&Arguments::parse_from_words(words).unwrap().auth).unwrap();
        assert!(matches!(plan, Some(AuthPlan::TokenDigest(digest)) if digest.is_of("test")));
    }

    #[test]
    fn a_relative_file_is_resolved_at_start() {
        assert_eq!(token_files("token"), [(std::env::current_dir().unwrap().join("token"), Scopes::ALL)]);
    }

    fn token_files(values: &str) -> Vec<(PathBuf, Scopes)> {
        let flags: String = values.split(' ').map(|value| format!(" --ws-token-file {value}")).collect();
        match plan(&format!("--ws-auth capability-token{flags}")).unwrap() {
            Some(AuthPlan::TokenFiles(files)) => files.into_iter().map(|file| (file.path, file.scopes)).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_token_file_may_have_scopes() {
        let scopes = |list: &str| Scopes::from_list(list).unwrap();
        assert_eq!(
            token_files("observe:/run/a observe,converse:/run/b /run/c /run/observe:d admin:/run/e:f"),
            [
                ("/run/a".into(), scopes("observe")),
                ("/run/b".into(), scopes("observe,converse")),
                ("/run/c".into(), Scopes::ALL),
                ("/run/observe:d".into(), Scopes::ALL),
                ("/run/e:f".into(), scopes("admin")),
            ]
        );
        let text = refusal("--ws-auth capability-token --ws-token-file observe,obey:/run/a");
        assert_eq!(text, "--ws-token-file: unknown scope `obey`; the scopes are observe, converse, files and admin");
    }

    #[test]
    fn a_blank_issuer_or_audience_is_not_set() {
        let words = "x --ws-auth signed-bearer-token --ws-shared-secret-file s --ws-issuer".split(' ');
        let words = words.chain(["  ", "--ws-audience", ""]).map(OsString::from);
        let plan = AuthPlan::of(&Arguments::parse_from_words(words).unwrap().auth).unwrap();
        let Some(AuthPlan::SignedBearer { expected, .. }) = plan else { panic!("not signed") };
        assert_eq!(expected, ExpectedClaims { issuer: None, audience: None, skew_seconds: 30 });
    }

    #[test]
    fn clap_refuses_what_is_wrong_by_itself() {
        let refusal = |flags: &str| {
            let words = ["x"].into_iter().chain(flags.split(' ')).map(OsString::from);
            let error = Arguments::parse_from_words(words).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        let text = refusal("--ws-auth basic");
        assert!(text.starts_with("error: invalid value 'basic' for '--ws-auth <MODE>'\n"), "{text}");
        assert!(text.contains("[possible values: capability-token, signed-bearer-token]"), "{text}");
        let text = refusal("--ws-max-clock-skew-seconds soon");
        assert!(text.contains("invalid digit found in string"), "{text}");
        let text = refusal("--ws-max-clock-skew-seconds -1");
        assert!(text.contains("unexpected argument '-1' found"), "{text}");
    }
}
