//! Absolute paths. Requests about files accept no other paths.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An absolute path without `.` and `..`. It is not looked up: symbolic links are not resolved, and it need not exist.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(rename = "AbsolutePathBuf", with = "String", extend("pattern" = "^/"))]
pub struct AbsolutePath(PathBuf);

impl AbsolutePath {
    /// `path` without `.` and `..`; `None` if it is relative.
    pub fn new(path: &Path) -> Option<Self> {
        path.is_absolute().then(|| Self(without_dots(path)))
    }

    /// The path for calls to the operating system.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for AbsolutePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl<'de> Deserialize<'de> for AbsolutePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let relative = || serde::de::Error::custom(format!("`{text}` is not an absolute path"));
        Self::new(Path::new(&text)).ok_or_else(relative)
    }
}

impl Serialize for AbsolutePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string_lossy())
    }
}

/// The bytes of an absolute path, in base64 with padding, for paths that are not UTF-8.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(inline, with = "String")]
pub struct ExactPath(AbsolutePath);

impl ExactPath {
    /// The path.
    pub fn into_path(self) -> AbsolutePath {
        self.0
    }
}

impl<'de> Deserialize<'de> for ExactPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let text = String::deserialize(deserializer)?;
        let bytes = BASE64_STANDARD
            .decode(&text)
            .map_err(|error| D::Error::custom(format!("a path is not base64: {error}")))?;
        let path = Path::new(OsStr::from_bytes(&bytes));
        let relative =
            || D::Error::custom(format!("`{}`, decoded from base64, is not an absolute path", path.display()));
        AbsolutePath::new(path).map(Self).ok_or_else(relative)
    }
}

/// Removes `.` and `..` from `path` lexically: `link/..` becomes the directory of the link, not the parent of its
/// target.
pub fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            component => plain.push(component),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_absolute_and_plain() {
        let path = |text: &str| serde_json::from_value::<AbsolutePath>(text.into()).map(|path| path.to_string());
        assert_eq!(path("/a/./b/../c/").unwrap(), "/a/c");
        assert_eq!(path("/../..").unwrap(), "/");
        for relative in ["", "a", "./a", "~/a"] {
            assert_eq!(path(relative).unwrap_err().to_string(), format!("`{relative}` is not an absolute path"));
        }
    }

    #[test]
    fn an_exact_path_is_absolute_and_plain_too() {
        let path = |bytes: &[u8]| serde_json::from_value::<ExactPath>(BASE64_STANDARD.encode(bytes).into());
        let exact = path(b"/a/../\xff/.").unwrap().into_path();
        assert_eq!(exact.as_path().as_os_str().as_bytes(), b"/\xff");
        let said = |bytes: &[u8]| path(bytes).unwrap_err().to_string();
        assert_eq!(said(b"\xff"), "`\u{fffd}`, decoded from base64, is not an absolute path");
        let error = serde_json::from_value::<ExactPath>("/not/base64!".into()).unwrap_err().to_string();
        assert!(error.starts_with("a path is not base64: "), "{error}");
    }
}
