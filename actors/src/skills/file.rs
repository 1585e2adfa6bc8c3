//! The files of a skill: `SKILL.md`, which begins with a few lines of YAML, and `agents/openai.yaml`.

use std::io::Read;
use std::path::{Component, Path};

use plain_file::Links;
use serde::Deserialize;

use super::root::Root;
use crate::protocol::catalog::{SkillDependencies, SkillInterface};
use crate::protocol::path::AbsolutePath;

/// Characters of a name (the reference program's number).
const LONGEST_NAME: usize = 64;

/// Bytes of the lines between the two `---`, and of `agents/openai.yaml`: far more than any in use.
const HEAD_BYTES: usize = 16 * 1024;

/// The lines at the top of `SKILL.md`.
#[derive(Debug, Default, Deserialize)]
pub struct Head {
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default, rename = "short-description")]
    short_description: Option<String>,
}

impl Head {
    /// Reads the top of the `SKILL.md` at `path`.
    ///
    /// # Errors
    /// The file cannot be read, has more than `most` bytes, or does not begin as it must. The text names no path.
    pub fn read(path: &Path, root: &Root, most: usize) -> Result<Self, String> {
        let unread = |error: std::io::Error| format!("failed to read file: {error}");
        let file = plain_file::open(path, Links::Refuse).map_err(unread)?;
        if !root.allows(&file, path) {
            return Err("it lies outside of the project".to_owned());
        }
        if file.metadata().map_err(unread)?.len() > most as u64 {
            return Err(format!("failed to read file: it is larger than {most} bytes (limits.skill_file_bytes)"));
        }
        let mut top = Vec::new();
        file.take(HEAD_BYTES as u64).read_to_end(&mut top).map_err(unread)?;
        // Only the head counts here; the cut may go through a character.
        let text = match String::from_utf8(top) {
            Ok(text) => text,
            Err(error) if error.utf8_error().error_len().is_none() => {
                String::from_utf8_lossy(error.as_bytes()).into_owned()
            }
            Err(error) => return Err(format!("failed to read file: {}", error.utf8_error())),
        };
        Self::parse(&text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, String> {
        let lines = lines_of_head(text).ok_or("missing YAML frontmatter delimited by ---")?;
        // Many a description has a colon in it, which YAML does not allow without quotes.
        let mut head: Self = serde_saphyr::from_str(&lines).ok().unwrap_or_else(|| Self::by_lines(&lines));
        let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        head.name = head.name.as_deref().map(one_line).filter(|name| !name.is_empty()).or(folder);
        head.description = head.description.as_deref().map(one_line).filter(|text| !text.is_empty());
        if head.name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
            return Err(format!("invalid name: exceeds maximum length of {LONGEST_NAME} characters"));
        }
        if head.description.is_none() {
            return Err("missing field `description`".to_owned());
        }
        Ok(head)
    }

    /// What can be understood of a head that is not YAML: each line `name: VALUE` and `description: VALUE`.
    fn by_lines(lines: &str) -> Self {
        let value = |name: &str| {
            let mut values = lines.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            values.next().map(|value| value.trim().to_owned())
        };
        Self { name: value("name"), description: value("description"), metadata: None }
    }

    /// The description in a few words.
    pub fn short_description(&self) -> Option<String> {
        let metadata = self.metadata.as_ref()?;
        metadata.short_description.as_deref().map(one_line).filter(|text| !text.is_empty())
    }
}

/// The lines between the first `---` and the next one.
fn lines_of_head(text: &str) -> Option<String> {
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    (lines.next()?.trim_end() == "---").then_some(())?;
    let mut head = String::new();
    for line in lines {
        if line.trim_end() == "---" {
            return Some(head);
        }
        head.push_str(line);
        head.push('\n');
    }
    None
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `agents/openai.yaml`: how clients show the skill, and who may call it.
#[derive(Debug, Default, Deserialize)]
pub struct Extras {
    #[serde(default)]
    interface: Option<Interface>,
    #[serde(default)]
    pub dependencies: Option<SkillDependencies>,
    #[serde(default)]
    policy: Option<Policy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Interface {
    display_name: Option<String>,
    short_description: Option<String>,
    icon_small: Option<String>,
    icon_large: Option<String>,
    brand_color: Option<String>,
    default_prompt: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Policy {
    allow_implicit_invocation: Option<bool>,
}

impl Extras {
    /// Reads the file of the skill in `folder`. It need not exist, and one that cannot be used counts as absent: it is about
    /// looks.
    pub fn read(folder: &Path, root: &Root) -> Self {
        let path = folder.join("agents/openai.yaml");
        let read = || {
            let file = plain_file::open(&path, Links::Refuse).ok()?;
            let content = root.allows(&file, &path).then(|| plain_file::read_open(&file, HEAD_BYTES).ok())??;
            match serde_saphyr::from_str(std::str::from_utf8(&content).ok()?) {
                Ok(extras) => Some(extras),
                Err(error) => {
                    log::info!("{} does not count: {error}", path.display());
                    None
                }
            }
        };
        read().unwrap_or_default()
    }

    /// Whether the model may use the skill without being told to.
    pub fn implicit(&self) -> bool {
        self.policy.as_ref().and_then(|policy| policy.allow_implicit_invocation).unwrap_or(true)
    }

    /// How clients show the skill in `folder`.
    pub fn interface(&self, folder: &Path) -> Option<SkillInterface> {
        let Interface { display_name, short_description, icon_small, icon_large, brand_color, default_prompt } =
            self.interface.as_ref()?;
        let picture = |name: &Option<String>| {
            let name = Path::new(name.as_ref()?);
            let stays = name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            stays.then(|| AbsolutePath::new(&folder.join(name)))?
        };
        let text = |text: &Option<String>| text.as_deref().map(one_line).filter(|text| !text.is_empty());
        Some(SkillInterface {
            display_name: text(display_name),
            short_description: text(short_description),
            icon_small: picture(icon_small),
            icon_large: picture(icon_large),
            brand_color: text(brand_color).filter(|color| is_color(color)),
            default_prompt: text(default_prompt),
            ..SkillInterface::default()
        })
    }
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
}
