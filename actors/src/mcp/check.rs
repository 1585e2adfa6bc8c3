//! What stands in the way of a server, as far as that can be told without starting it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use url::Url;

use super::config::{Kind, ServerConfig};

impl ServerConfig {
    /// Why the server cannot run: a program that is not there, a URL that is none, a variable that is not set. `variable` reads
    /// the environment; programs are looked for from `cwd`. The text contains no secrets.
    pub fn obstacle(&self, variable: impl Fn(&str) -> Option<String>, cwd: &Path) -> Option<String> {
        let unset = |name: &&String| variable(name).is_none_or(|value| value.trim().is_empty());
        match self.kind() {
            Err(reason) => Some(reason.to_owned()),
            Ok(Kind::Program(program)) => {
                let path = self.env.get("PATH").map(|path| path.expose().to_owned()).or_else(|| variable("PATH"));
                let cwd = self.cwd.as_ref().map_or_else(|| cwd.to_owned(), |own| cwd.join(own));
                (!exists(program, &path.unwrap_or_default(), &cwd))
                    .then(|| format!("the program {program} is not there"))
            }
            Ok(Kind::Http(url)) if !Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) => {
                Some("its url must begin with http:// or https://".to_owned())
            }
            Ok(Kind::Http(_)) => {
                let needed = self.bearer_token_env_var.iter().chain(self.env_http_headers.values());
                needed.into_iter().find(unset).map(|name| format!("the variable {name} is not set"))
            }
        }
    }
}

fn exists(program: &str, path: &str, cwd: &Path) -> bool {
    let runs = |path: &Path| path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0);
    if program.contains('/') {
        return runs(&cwd.join(program));
    }
    std::env::split_paths(path).any(|folder| runs(&cwd.join(folder).join(program)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle(text: &str) -> Option<String> {
        let config: ServerConfig = toml::from_str(text).unwrap();
        let variable = |name: &str| match name {
            "PATH" => Some("/nowhere:/bin".to_owned()),
            "TOKEN" => Some("t".to_owned()),
            _ => None,
        };
        config.obstacle(variable, Path::new("/"))
    }

    #[test]
    fn what_is_missing_is_named() {
        for fine in ["command = 'sh'", "command = '/bin/sh'", "command = 'bin/sh'", "command = 'sh'\ncwd = '/tmp'"] {
            assert_eq!(obstacle(fine), None, "{fine}");
        }
        assert_eq!(obstacle("url = 'https://h/mcp'\nbearer_token_env_var = 'TOKEN'"), None);
        for (broken, word) in [
            ("command = 'no-such-program'", "no-such-program is not there"),
            ("command = '/etc/passwd'", "/etc/passwd is not there"),
            ("command = 'sh'\nenv = { PATH = '/nowhere' }", "sh is not there"),
            ("url = 'ftp://h'", "http://"),
            ("url = 'http://h'\nbearer_token_env_var = 'OTHER'", "OTHER is not set"),
            ("", "neither a command nor a url"),
        ] {
            assert!(obstacle(broken).is_some_and(|text| text.contains(word)), "{broken}");
        }
    }
}
