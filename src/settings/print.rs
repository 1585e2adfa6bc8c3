//! Prints the effective settings as TOML: the text of the defaults with the effective values, so that the comments are
//! kept.

use std::io::{self, Write};

use super::layers::{DEFAULTS, Effective};

impl Effective {
    /// Writes all effective settings with their comments, and with `origin` also the layer of each value. The output is
    /// a complete settings file.
    pub fn write_toml(&self, out: &mut impl Write, origin: bool) -> io::Result<()> {
        let mut section = "";
        for line in DEFAULTS.lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                section = name;
            }
            let name = line.split_once(" = ").map_or("", |(name, _)| name);
            match self.get(&format!("{section}.{name}")) {
                Some((value, who)) if origin => writeln!(out, "{name} = {value} # {who}")?,
                Some((value, _)) => writeln!(out, "{name} = {value}")?,
                None => writeln!(out, "{line}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(effective: &Effective, origin: bool) -> String {
        let mut out = Vec::new();
        effective.write_toml(&mut out, origin).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_printed_is_a_settings_file_that_means_the_same() {
        let mut effective = Effective::built_in().unwrap();
        let overrides = ["http.workers=7", "log.filter=\"a\"=debug"].map(|text| text.parse().unwrap());
        effective.overlay_command_line(&overrides).unwrap();

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("printed.toml");
        std::fs::write(&path, print(&effective, true)).unwrap();
        let mut again = Effective::built_in().unwrap();
        again.overlay_file(&path).unwrap();
        assert_eq!(again.settings().unwrap(), effective.settings().unwrap());
    }

    #[test]
    fn says_where_each_value_comes_from() {
        let mut effective = Effective::built_in().unwrap();
        effective.overlay_command_line(&["http.workers=7".parse().unwrap()]).unwrap();
        let text = print(&effective, true);
        assert!(text.contains("\nworkers = 7 # command line\n"), "{text}");
        assert!(text.contains("\njson = false # default\n"), "{text}");
        assert!(!print(&effective, false).contains("# default"));
        let values = text.lines().filter(|line| line.ends_with("# default") || line.ends_with("# command line"));
        assert_eq!(
            values.count(),
            DEFAULTS.lines().filter(|line| line.contains(" = ") && !line.starts_with('#')).count()
        );
    }
}
