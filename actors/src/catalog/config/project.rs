//! Projects: whether the user trusts a directory, and the settings in its `.codex` folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use toml::Table;

use super::load::parse_file;
use super::tighten::tighten;
use super::{Fault, Layer, Settings, TrustLevel, merge};
use crate::cached_file::CachedFile;
use crate::catalog::sources::CatalogSources;
use crate::project::is_project_marker;
use crate::protocol::config::ConfigLayerSource;

/// Bytes of a project's configuration. Smaller than the user's own, because anybody may have written it and it is
/// parsed and merged with the others for each thread; 100 times the longest that was seen in use.
const LARGEST_FILE: usize = 64 * 1024;

/// Files of projects that are remembered.
const MOST_FILES: usize = 64;

/// The project of a working directory.
pub struct Project<'a> {
    cwd: &'a Path,
    root: &'a Path,
    settings: &'a Settings,
}

impl<'a> Project<'a> {
    /// Finds the project around the absolute directory `cwd`, which need not exist. Its root is the nearest directory
    /// with a marker, normally `.git`.
    pub fn of(cwd: &'a Path, settings: &'a Settings) -> Self {
        let has_marker = |dir: &Path| match &settings.project_root_markers {
            Some(markers) => markers.iter().any(|marker| is_project_marker(&dir.join(marker))),
            None => is_project_marker(&dir.join(".git")),
        };
        let root = cwd.ancestors().find(|dir| has_marker(dir)).unwrap_or(cwd);
        Self { cwd, root, settings }
    }

    /// The user's decision about the working directory.
    pub fn trust(&self) -> Option<TrustLevel> {
        self.trust_of(self.cwd)
    }

    /// A directory is trusted by its own path, by its project's root, or by the target of a symbolic link.
    fn trust_of(&self, dir: &Path) -> Option<TrustLevel> {
        let decided = |dir: &Path| self.settings.projects.get(dir.to_str()?)?.trust_level;
        let real = |dir: &Path| dir.canonicalize().ok();
        [dir, self.root].into_iter().find_map(|dir| decided(dir).or_else(|| real(dir).and_then(|dir| decided(&dir))))
    }

    /// The layers of the `.codex` folders from the root down to the working directory. Each may tighten the rules made
    /// by `stronger`, the settings of everybody else together, and by the folders above it. Untrusted folders are
    /// included, but inactive.
    ///
    /// # Errors
    /// The configuration of a trusted folder is invalid.
    pub fn layers(
        &self,
        sources: &CatalogSources,
        mut stronger: Table,
        files: &mut ProjectFiles,
    ) -> Result<Vec<Layer>, Fault> {
        let inside = |dir: &&Path| dir.starts_with(self.root);
        let mut dirs: Vec<&Path> = self.cwd.ancestors().take_while(inside).collect();
        dirs.reverse();
        let folder = |dir: &'a Path| Some((dir, dir.join(".codex"))).filter(|(_, folder)| folder.is_dir());
        // The user's own `$CODEX_HOME` may be called `.codex`, too; it does not belong to a project.
        let foreign = |(_, folder): &(&Path, PathBuf)| !same(folder, &sources.codex_home);
        let mut layers = Vec::new();
        for (dir, folder) in dirs.into_iter().filter_map(folder).filter(foreign) {
            let source = ConfigLayerSource::Project { dot_codex_folder: folder.display().to_string() };
            let layer = if self.trust_of(dir) == Some(TrustLevel::Trusted) {
                let mut table = files.get(folder.join("config.toml"))?;
                let ignored = tighten(&mut table, &stronger);
                Layer { ignored, ..Layer::new(source, table) }
            } else {
                // Its file is not even read.
                let reason = self.how_to_trust(sources);
                Layer { disabled_reason: Some(reason), ..Layer::new(source, Table::new()) }
            };
            merge(&mut stronger, &layer.table);
            layers.push(layer);
        }
        Ok(layers)
    }

    fn how_to_trust(&self, sources: &CatalogSources) -> String {
        format!(
            "To load project-local config, hooks, and exec policies, add {} as a trusted project in {}.",
            self.root.display(),
            sources.user_config().display(),
        )
    }
}

/// The files of projects, each read again when it has changed.
#[derive(Default)]
pub struct ProjectFiles(HashMap<PathBuf, CachedFile<Result<Table, Fault>>>);

impl ProjectFiles {
    fn get(&mut self, file: PathBuf) -> Result<Table, Fault> {
        if self.0.len() >= MOST_FILES && !self.0.contains_key(&file) {
            self.0.clear();
        }
        let cached =
            self.0.entry(file).or_insert_with_key(|file| CachedFile::bounded(file.clone(), LARGEST_FILE, parse_file));
        cached.get().clone()
    }
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A project with a configuration in its root and in a subfolder, and a user who trusts `trusted`.
    fn project(trusted: &str) -> (tempfile::TempDir, Settings) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("work");
        fs::create_dir_all(root.join("sub/.codex")).unwrap();
        fs::create_dir_all(root.join(".codex")).unwrap();
        fs::create_dir_all(root.join(".git/refs")).unwrap();
        fs::write(root.join(".codex/config.toml"), "model = 'root'\nmodel_provider = 'evil'").unwrap();
        fs::write(root.join("sub/.codex/config.toml"), "model = 'sub'").unwrap();
        let key = dir.path().join(trusted);
        let settings = toml::from_str(&format!("[projects.'{}']\ntrust_level = 'trusted'", key.display())).unwrap();
        (dir, settings)
    }

    fn layers(cwd: &Path, home: &Path, settings: &Settings) -> Vec<Layer> {
        let sources = CatalogSources::new(home.to_path_buf(), cwd.to_path_buf());
        Project::of(cwd, settings).layers(&sources, Table::new(), &mut ProjectFiles::default()).unwrap()
    }

    /// The models that the layers set, weakest first. What is not trusted is not read.
    fn models(dir: &Path, settings: &Settings) -> Vec<Option<String>> {
        let layers = layers(&dir.join("work/sub/not-there"), &dir.join("home"), settings);
        let model = |layer: &Layer| layer.table.get("model").map(|model| model.as_str().unwrap().to_owned());
        layers.iter().map(model).collect()
    }

    #[test]
    fn trust_in_the_root_covers_what_lies_below() {
        let (dir, settings) = project("work");
        assert_eq!(models(dir.path(), &settings), [Some("root".to_owned()), Some("sub".to_owned())]);
    }

    #[test]
    fn trust_below_does_not_reach_the_root() {
        let (dir, settings) = project("work/sub");
        assert_eq!(models(dir.path(), &settings), [None, Some("sub".to_owned())]);
    }

    #[test]
    fn nothing_counts_without_trust_not_even_a_fault() {
        let (dir, settings) = project("elsewhere");
        fs::write(dir.path().join("work/.codex/config.toml"), "model = ").unwrap();
        let (cwd, home) = (dir.path().join("work"), dir.path().join("home"));
        let layers = layers(&cwd, &home, &settings);
        let (root, home) = (cwd.display(), home.display());
        let expected = format!(
            "To load project-local config, hooks, and exec policies, add {root} as a trusted project in {home}/config.toml."
        );
        assert_eq!(layers[0].disabled_reason.as_deref(), Some(expected.as_str()));
        assert_eq!(Project::of(&cwd, &settings).trust(), None);
    }

    #[test]
    fn a_project_cannot_redirect_credentials() {
        let (dir, settings) = project("work");
        let layers = layers(&dir.path().join("work"), &dir.path().join("home"), &settings);
        assert_eq!(layers[0].table, toml::from_str("model = 'root'").unwrap());
        assert_eq!(layers[0].ignored, ["model_provider"]);
    }

    #[test]
    fn the_users_home_is_no_project() {
        let (dir, settings) = project("work");
        let cwd = dir.path().join("work");
        assert!(layers(&cwd, &cwd.join(".codex"), &settings).is_empty());
    }

    #[test]
    fn trust_follows_a_symbolic_link() {
        let (dir, _) = project("work");
        std::os::unix::fs::symlink(dir.path().join("work"), dir.path().join("link")).unwrap();
        let real = fs::canonicalize(dir.path()).unwrap();
        let text = format!("[projects.'{}']\ntrust_level = 'untrusted'", real.join("work").display());
        let link = dir.path().join("link");
        assert_eq!(Project::of(&link, &toml::from_str(&text).unwrap()).trust(), Some(TrustLevel::Untrusted));
    }
    #[test]
    fn an_empty_directory_marks_no_root() {
        let (dir, settings) = project("work");
        fs::create_dir(dir.path().join("work/sub/.git")).unwrap();
        let cwd = dir.path().join("work/sub");
        assert_eq!(Project::of(&cwd, &settings).trust(), Some(TrustLevel::Trusted), "the root is still above");
    }

    #[test]
    fn a_folder_below_does_not_undo_what_one_above_tightened() {
        let (dir, settings) = project("work");
        fs::write(dir.path().join("work/.codex/config.toml"), "sandbox_mode = 'read-only'").unwrap();
        fs::write(dir.path().join("work/sub/.codex/config.toml"), "sandbox_mode = 'workspace-write'").unwrap();
        let layers = layers(&dir.path().join("work/sub"), &dir.path().join("home"), &settings);
        assert_eq!(layers[1].ignored, ["sandbox_mode"]);
    }

    #[test]
    fn a_file_is_parsed_once_until_it_changes_and_has_a_bound() {
        let (dir, _) = project("work");
        let file = dir.path().join("work/.codex/config.toml");
        let mut files = ProjectFiles::default();
        let written = toml::from_str("model = 'root'\nmodel_provider = 'evil'").unwrap();
        assert_eq!(files.get(file.clone()).unwrap(), written);
        fs::write(&file, "model = 'changed'").unwrap();
        assert_eq!(files.get(file.clone()).unwrap(), toml::from_str("model = 'changed'").unwrap());
        fs::write(&file, "[a]\n".repeat(LARGEST_FILE)).unwrap();
        assert!(files.get(file).unwrap_err().to_string().contains("larger than 65536 bytes"));
        (0..2 * MOST_FILES).for_each(|i| drop(files.get(dir.path().join(i.to_string()))));
        assert!(files.0.len() <= MOST_FILES);
    }
}
