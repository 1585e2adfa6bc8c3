//! The level of the protocol that a server announces.

/// The level in `name/version (…) …`; the name may contain spaces and slashes.
pub fn protocol_level(user_agent: &str) -> Option<&str> {
    let named = user_agent.split(" (").next()?;
    named.rsplit_once('/').map(|(_, version)| version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_stands_behind_the_name() {
        assert_eq!(protocol_level("first/0.171.0 (Debian 12.0.0; x86_64) xterm (first; 1.2)"), Some("0.171.0"));
        assert_eq!(protocol_level("my odd/name/1.2 (x)"), Some("1.2"));
        assert_eq!(protocol_level("nothing"), None);
    }
}
