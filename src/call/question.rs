//! The question of `call` as a person means it: checked against the schema before it is sent, and explained when the
//! server refuses it.

use std::path::Path;

use app_server_actors::protocol::{
    ErrorCode, METHODS, Method,
    client::{Refused, ResultText},
    raw::{RawParams, is_json_but_no_text},
    schema::Protocol,
};

use super::read_params;
use crate::{
    attach::{CallError, Client, ClientError, Endpoint},
    logging,
    terminal::shown,
};

/// Names that are proposed for a method that does not exist.
const PROPOSED_METHODS: usize = 3;

/// How alike two names must be for one to be proposed for the other: 1 is the same, 0 has nothing in common.
const ALIKE: f64 = 0.7;

/// Methods that use the server's working directory unless they are told another: a person means the own one.
const START_SOMEWHERE: [&str; 2] = ["thread/start", "command/exec"];

/// A request that a person has typed.
pub struct Question<'a> {
    method: &'a str,
    params: RawParams,
    words: &'a [String],
}

impl<'a> Question<'a> {
    /// Reads `words`, warns about members that `method` does not know, and names the working directory.
    ///
    /// # Errors
    /// The words are no params.
    pub fn of(method: &'a str, words: &'a [String], endpoint: &Endpoint) -> Result<Self, CallError> {
        let mut params = read_params(words)?;
        let protocol = Protocol::describe(true);
        for unknown in protocol.unknown_members(method, &params) {
            let known: Vec<&str> = unknown.known.iter().map(String::as_str).collect();
            let proposed = match nearest(&unknown.name, &known, 1).first() {
                Some(name) => format!("; did you mean `{name}`?"),
                None if known.is_empty() => "; it takes none".to_owned(),
                None => format!("; it has: {}", known.join(", ")),
            };
            warn(&format!("{method} does not know `{}`{proposed}", unknown.path));
        }
        if endpoint.is_on_this_machine() && protocol.has_member(method, "cwd") {
            params = in_our_directory(method, params);
        }
        Ok(Self { method, params, words })
    }

    /// Sends it.
    ///
    /// # Errors
    /// See [`CallError`]; a refusal is explained.
    pub async fn ask(&self, client: &mut Client) -> Result<ResultText, CallError> {
        match client.request(self.method, &self.params).await {
            Err(ClientError::Refused(refused)) => Err(self.explained(refused)),
            answered => Ok(answered?),
        }
    }

    fn explained(&self, mut refused: Refused) -> CallError {
        if refused.code == ErrorCode::MethodNotFound.number() && Method::find(self.method).is_none() {
            let known: Vec<&str> = METHODS.iter().map(|method| method.name).collect();
            let proposed = nearest(self.method, &known, PROPOSED_METHODS).join("`, `");
            let hint = if proposed.is_empty() { String::new() } else { format!("; did you mean `{proposed}`?") };
            // The server's own text lists every method.
            refused.message = format!("there is no method `{}`{hint}", self.method);
        } else if refused.message.contains("expected a string") {
            let pairs = self.words.iter().filter_map(|word| word.split_once('='));
            let values = pairs.filter(|(_, value)| is_json_but_no_text(value));
            let quoted: Vec<String> = values.map(|(key, value)| format!("{key}='\"{value}\"'")).collect();
            if !quoted.is_empty() {
                let quoted = quoted.join(" ");
                refused.message += &format!("; to send a value as text that looks like JSON, quote it: {quoted}");
            }
        }
        ClientError::from(refused).into()
    }
}

/// A relative directory, or none where the server would use its own, is meant as seen from here.
fn in_our_directory(method: &str, params: RawParams) -> RawParams {
    let Ok(here) = std::env::current_dir() else { return params };
    if params.lacks("cwd") && START_SOMEWHERE.contains(&method) {
        return params.with_text("cwd", &here.to_string_lossy());
    }
    match params.text_member("cwd") {
        Some(named) if Path::new(&named).is_relative() => params.with_text("cwd", &here.join(named).to_string_lossy()),
        _ => params,
    }
}

/// The names in `known` that `name` may be a misspelling of, the most similar first, at most `most`.
fn nearest<'a>(name: &str, known: &[&'a str], most: usize) -> Vec<&'a str> {
    let likeness = |known: &str| strsim::jaro_winkler(&name.to_lowercase(), &known.to_lowercase());
    let mut alike: Vec<(f64, &str)> = known.iter().map(|&known| (likeness(known), known)).collect();
    alike.retain(|(likeness, _)| *likeness >= ALIKE);
    alike.sort_by(|a, b| b.0.total_cmp(&a.0));
    alike.into_iter().take(most).map(|(_, name)| name).collect()
}

fn warn(text: &str) {
    let text = shown(text);
    logging::say(&text, &format!("Warning: {text}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_names_come_first_and_strangers_not_at_all() {
        let known = ["cursor", "limit", "sortKey", "threadId"];
        assert_eq!(nearest("limt", &known, 1), ["limit"]);
        assert_eq!(nearest("thread_id", &known, 1), ["threadId"]);
        assert_eq!(nearest("sortkey", &known, 3), ["sortKey"]);
        assert!(nearest("zzz", &known, 3).is_empty());
    }
}
