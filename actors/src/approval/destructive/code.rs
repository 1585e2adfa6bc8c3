//! Code of other languages, as far as its words show.

/// What deletes files in one of the usual languages.
const DELETES: &[&str] = &[
    "rmtree",
    "unlink",
    "rmSync",
    "rmdirSync",
    "unlinkSync",
    "rimraf",
    "os.remove",
    "os.rmdir",
    "removedirs",
    "fs.rm",
    "fsp.rm",
    "rm_rf",
    "rm_r",
    "remove_dir",
    "remove_tree",
    "remove_file",
    "File.delete",
    "FileUtils.rm",
    "Dir.rmdir",
    "Deno.remove",
    "Remove-Item",
    "file delete",
    "os.truncate",
    "os.RemoveAll",
    "os.execute",
    "removeSync",
    "emptyDir",
];

/// Whether `code` names something that deletes files, or a command that does.
pub(super) fn deletes(code: &str) -> bool {
    DELETES.iter().any(|name| code.contains(name)) || runs_rm(code)
}

/// Whether `rm` with an option to delete more than one file or without asking stands in the text, in one string or as
/// strings of a list.
fn runs_rm(text: &str) -> bool {
    let is_in_word = |it: char| it.is_alphanumeric() || it == '_' || it == '-';
    text.match_indices("rm").any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].trim_start_matches([' ', '\t', '"', '\'', ',', '\\']);
        let options = after.strip_prefix('-').filter(|_| after.len() < text.len() - at - found.len());
        !before.is_some_and(is_in_word)
            && options.is_some_and(|options| {
                let letters = options.chars().take_while(|it| it.is_ascii_alphabetic() || *it == '-').take(16);
                letters.into_iter().any(|letter| matches!(letter, 'r' | 'R' | 'f'))
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rm_is_found_in_strings_and_lists() {
        for code in ["os.system('rm -rf x')", r#"["rm", "-rf", "x"]"#, "system(\"/bin/rm --force x\")", "`rm  -r x`"] {
            assert!(deletes(code), "{code}");
        }
        for code in ["print('farm -rf')", "rm = 1 - r", "x.rm(-1)", "print(warm -f)", "rm-rf", "rm -i x", ""] {
            assert!(!deletes(code), "{code}");
        }
    }
}
