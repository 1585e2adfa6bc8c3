//! Projects: whether the user trusts a directory, and the settings in its `.codex` folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use toml::Table;

use super::load::parse_file;
use super::{Fault, Layer, Settings, TrustLevel};
use crate::cached_file::CachedFile;
use crate::catalog::sources::CatalogSources;
use crate::protocol::config::ConfigLayerSource;

/// Settings that a project must not make: where credentials are sent, what runs outside the sandbox, and what is
/// trusted.
const NOT_FOR_PROJECTS: [&str; 15] = [
    "chatgpt_base_url",
    "cli_auth_credentials_store",
    "experimental_realtime_ws_base_url",
    "log_dir",
    "mcp_oauth_credentials_store",
    "model_catalog_json",
    "model_provider",
    "model_providers",
    "notify",
    "openai_base_url",
    "otel",
    "profile",
    "project_root_markers",
    "projects",
    "sqlite_home",
];

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
            Some(markers) => markers.iter().any(|marker| dir.join(marker).exists()),
            None => dir.join(".git").exists(),
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

    /// The layers of the `.codex` folders from the root down to the working directory. Untrusted ones are included, but
    /// inactive.
    ///
    /// # Errors
    /// The configuration of a trusted folder is invalid.
    pub fn layers(&self, sources: &CatalogSources, files: &mut ProjectFiles) -> Result<Vec<Layer>, Fault> {
        let inside = |dir: &&Path| dir.starts_with(self.root);
        let mut dirs: Vec<&Path> = self.cwd.ancestors().take_while(inside).collect();
        dirs.reverse();
        let folder = |dir: &'a Path| Some((dir, dir.join(".codex"))).filter(|(_, folder)| folder.is_dir());
        // The user's own `$CODEX_HOME` may be called `.codex`, too; it does not belong to a project.
        let foreign = |(_, folder): &(&Path, PathBuf)| !same(folder, &sources.codex_home);
        dirs.into_iter()
            .filter_map(folder)
            .filter(foreign)
            .map(|(dir, folder)| self.layer(dir, &folder, sources, files))
            .collect()
    }

    /// The file of a folder that is not trusted is not even read.
    fn layer(
        &self,
        dir: &Path,
        folder: &Path,
        sources: &CatalogSources,
        files: &mut ProjectFiles,
    ) -> Result<Layer, Fault> {
        let source = ConfigLayerSource::Project { dot_codex_folder: folder.display().to_string() };
        if self.trust_of(dir) == Some(TrustLevel::Trusted) {
            return files.get(folder.join("config.toml")).map(|table| Layer::new(source, table));
        }
        let reason = format!(
            "To load project-local config, hooks, and exec policies, add {} as a trusted project in {}.",
            self.root.display(),
            sources.user_config().display(),
        );
        Ok(Layer { source, table: Table::new(), disabled_reason: Some(reason) })
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
        let cached = self.0.entry(file).or_insert_with_key(|file| {
            CachedFile::bounded(file.clone(), LARGEST_FILE, |path, content| parse_file(path, content).map(allowed))
        });
        cached.get().clone()
    }
}

fn allowed(mut table: Table) -> Table {
    table.retain(|name, _| !NOT_FOR_PROJECTS.contains(&name));
    table
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
        fs::create_dir(root.join(".git")).unwrap();
        fs::write(root.join(".codex/config.toml"), "model = 'root'\nmodel_provider = 'evil'").unwrap();
        fs::write(root.join("sub/.codex/config.toml"), "model = 'sub'").unwrap();
        let key = dir.path().join(trusted);
        let settings = toml::from_str(&format!("[projects.'{}']\ntrust_level = 'trusted'", key.display())).unwrap();
        (dir, settings)
    }

    /// What each layer says about the model, and whether it counts.
    fn models(dir: &Path, settings: &Settings) -> Vec<(Option<String>, bool)> {
        let sources = CatalogSources::new(dir.join("home"), dir.to_path_buf());
        let cwd = dir.join("work/sub/not-there");
        let layers = Project::of(&cwd, settings).layers(&sources, &mut ProjectFiles::default()).unwrap();
        let model = |layer: &Layer| layer.table.get("model").map(|model| model.as_str().unwrap().to_owned());
        layers.iter().map(|layer| (model(layer), layer.disabled_reason.is_none())).collect()
    }

    #[test]
    fn trust_in_the_root_covers_what_lies_below() {
        let (dir, settings) = project("work");
        assert_eq!(models(dir.path(), &settings), [(Some("root".to_owned()), true), (Some("sub".to_owned()), true)]);
    }

    #[test]
    fn trust_below_does_not_reach_the_root() {
        let (dir, settings) = project("work/sub");
        assert_eq!(models(dir.path(), &settings), [(None, false), (Some("sub".to_owned()), true)]);
    }

    #[test]
    fn nothing_counts_without_trust_not_even_a_fault() {
        let (dir, settings) = project("elsewhere");
        fs::write(dir.path().join("work/.codex/config.toml"), "model = ").unwrap();
        let sources = CatalogSources::new(dir.path().join("home"), dir.path().to_path_buf());
        let cwd = dir.path().join("work");
        let layers = Project::of(&cwd, &settings).layers(&sources, &mut ProjectFiles::default()).unwrap();
        let root = cwd.display();
        let expected = format!(
            "To load project-local config, hooks, and exec policies, add {root} as a trusted project in {}/config.toml.",
            sources.codex_home.display()
        );
        assert_eq!(layers[0].disabled_reason.as_deref(), Some(expected.as_str()));
        assert_eq!(Project::of(&cwd, &settings).trust(), None);
    }

    #[test]
    fn a_project_cannot_redirect_credentials() {
        let (dir, settings) = project("work");
        let sources = CatalogSources::new(dir.path().join("home"), dir.path().to_path_buf());
        let cwd = dir.path().join("work");
        let layers = Project::of(&cwd, &settings).layers(&sources, &mut ProjectFiles::default()).unwrap();
        assert_eq!(layers[0].table, toml::from_str("model = 'root'").unwrap());
    }

    #[test]
    fn the_users_home_is_no_project() {
        let (dir, settings) = project("work");
        let cwd = dir.path().join("work");
        let sources = CatalogSources::new(cwd.join(".codex"), cwd.clone());
        assert!(Project::of(&cwd, &settings).layers(&sources, &mut ProjectFiles::default()).unwrap().is_empty());
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
    fn a_file_is_parsed_once_until_it_changes_and_has_a_bound() {
        let (dir, _) = project("work");
        let file = dir.path().join("work/.codex/config.toml");
        let mut files = ProjectFiles::default();
        assert_eq!(files.get(file.clone()).unwrap(), toml::from_str("model = 'root'").unwrap());
        fs::write(&file, "model = 'changed'").unwrap();
        assert_eq!(files.get(file.clone()).unwrap(), toml::from_str("model = 'changed'").unwrap());
        fs::write(&file, "[a]\n".repeat(LARGEST_FILE)).unwrap();
        assert!(files.get(file).unwrap_err().to_string().contains("larger than 65536 bytes"));
        (0..2 * MOST_FILES).for_each(|i| drop(files.get(dir.path().join(i.to_string()))));
        assert!(files.0.len() <= MOST_FILES);
    }
}
