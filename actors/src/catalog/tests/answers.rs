//! Tests of the answers, compared with recorded answers of the reference program.

use std::fs;

use super::Home;
use crate::protocol::{ClientMessage, ClientRequest, Frame, RequestId, decode};

const CHATGPT: &str = r#"{"OPENAI_API_KEY":null,"tokens":{"access_token":"a-secret","refresh_token":"a-secret","id_token":
    "e30.eyJlbWFpbCI6Im1lQGV4YW1wbGUuY29tIiwiaHR0cHM6Ly9hcGkub3BlbmFpLmNvbS9hdXRoIjp7ImNoYXRncHRfcGxhbl90eXBlIjoicGx1cyIsImNoYXRncHRfdXNlcl9pZCI6InVzZXItMSJ9fQ.a-secret"}}"#;
const OWN_PROVIDER: &str = "model_provider = 'own'\n[model_providers.own]\nname = 'Own'\nbase_url = 'http://h/v1'\n";

impl Home {
    fn signed_in(self, auth: &str) -> Self {
        fs::write(self.path("home/auth.json"), auth).unwrap();
        self
    }

    /// The result of a request as JSON, or the code and the text of its error.
    fn ask(&mut self, method: &str, params: &str) -> String {
        let message = format!(r#"{{"id":1,"method":"{method}","params":{params}}}"#);
        let Ok(ClientMessage::Request { request: ClientRequest::Catalog(request), .. }) = decode(&message) else {
            panic!("{message} is no request to the catalog");
        };
        match self.reader.answer(request) {
            Ok(answer) => {
                let frame = Frame::result(&RequestId::Integer(1), &answer);
                frame.text().strip_prefix(r#"{"id":1,"result":"#).unwrap().strip_suffix('}').unwrap().to_owned()
            }
            Err(error) => format!("{} {}", error.code.number(), error.message),
        }
    }
}

#[test]
fn an_empty_home_answers_as_the_reference_program_does() {
    let mut home = Home::empty();
    for (method, params, expected) in [
        (
            "account/read",
            r#"{"refreshToken":false}"#,
            r#"{"account":null,"userId":null,"requiresOpenaiAuth":true,"workspaceRouting":null}"#,
        ),
        ("account/rateLimits/read", "null", "-32600 codex account authentication required to read rate limits"),
        ("account/usage/read", "null", "-32600 codex account authentication required to read token usage"),
        ("account/bedrock/checkGovCloudRequirements", "{}", r#"{"isGovCloud":false,"shouldWarn":false}"#),
        ("configRequirements/read", "null", r#"{"supportsIndependentSpeedModes":true,"requirements":null}"#),
        (
            "permissionProfile/list",
            r#"{"cwd":"/tmp"}"#,
            r#"{"data":[{"id":":read-only","description":null,"allowed":true},{"id":":workspace","description":null,"allowed":true},{"id":":danger-full-access","description":null,"allowed":true}],"nextCursor":null}"#,
        ),
        ("permissionProfile/list", r#"{"cursor":"x"}"#, "-32600 invalid cursor: x"),
        (
            "hooks/list",
            r#"{"cwds":["/tmp","rel"]}"#,
            r#"{"data":[{"cwd":"/tmp","hooks":[],"warnings":[],"errors":[]},{"cwd":"rel","hooks":[],"warnings":[],"errors":[]}]}"#,
        ),
        ("skills/list", r#"{"cwds":[]}"#, r#"{"data":[{"cwd":"WORK","skills":[],"errors":[]}]}"#),
        (
            "collaborationMode/list",
            "{}",
            r#"{"data":[{"name":"Plan","mode":"plan","model":null,"reasoning_effort":"medium"},{"name":"Default","mode":"default","model":null,"reasoning_effort":null}]}"#,
        ),
        ("plugin/installed", "{}", r#"{"marketplaces":[],"marketplaceLoadErrors":[]}"#),
        ("plugin/list", "{}", r#"{"marketplaces":[],"marketplaceLoadErrors":[],"featuredPluginIds":[]}"#),
        ("experimentalFeature/list", "{}", r#"{"data":[],"nextCursor":null}"#),
        ("app/list", "{}", r#"{"data":[],"nextCursor":null}"#),
        ("modelProvider/capabilities/read", "{}", r#"{"imageGeneration":true,"webSearch":true}"#),
    ] {
        assert_eq!(home.ask(method, params), home.expanded(expected), "{method} {params}");
    }
}

/// The reference program lists its own provider only, although it has others.
#[test]
fn providers_that_need_no_configuration_are_listed() {
    let mut home = Home::empty();
    let list: serde_json::Value = serde_json::from_str(&home.ask("modelProvider/list", "{}")).unwrap();
    let ids: Vec<_> =
        list["data"].as_array().unwrap().iter().map(|provider| provider["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["echo", "llamacpp", "lmstudio", "ollama", "openai"]);
    assert_eq!(list["defaultProviderId"], "openai");
}

#[test]
fn an_account_is_shown_where_the_provider_asks_for_one() {
    let account = |mut home: Home| home.ask("account/read", "{}");
    assert_eq!(
        account(Home::empty().signed_in(r#"{"OPENAI_API_KEY":"sk-a-secret"}"#)),
        r#"{"account":{"type":"apiKey"},"userId":null,"requiresOpenaiAuth":true,"workspaceRouting":null}"#
    );
    assert_eq!(
        account(Home::empty().signed_in(CHATGPT)),
        r#"{"account":{"type":"chatgpt","email":"me@example.com","planType":"plus","workspaceName":null},"userId":"user-1","requiresOpenaiAuth":true,"workspaceRouting":null}"#
    );
    let nobody = r#"{"account":null,"userId":null,"requiresOpenaiAuth":REQ,"workspaceRouting":null}"#;
    assert_eq!(account(Home::with(OWN_PROVIDER).signed_in(CHATGPT)), nobody.replace("REQ", "false"));
    assert_eq!(account(Home::with("model_provider = 'nope'")), nobody.replace("REQ", "true"));
    assert_eq!(account(Home::empty().signed_in("garbage")), nobody.replace("REQ", "true"));
}

#[test]
fn limits_are_told_apart_by_the_kind_of_sign_in() {
    let ask = |mut home: Home, method: &str| home.ask(method, "{}");
    let key = || Home::empty().signed_in(r#"{"OPENAI_API_KEY":"sk-a-secret"}"#);
    let chatgpt = || Home::empty().signed_in(CHATGPT);
    let refused = "-32600 chatgpt authentication required to read ";
    assert_eq!(ask(key(), "account/rateLimits/read"), refused.to_owned() + "rate limits");
    assert_eq!(ask(key(), "account/usage/read"), refused.to_owned() + "token usage");
    let limits = ask(chatgpt(), "account/rateLimits/read");
    assert!(limits.contains(r#""rateLimits":{"limitId":"codex","limitName":null,"#), "{limits}");
    assert!(limits.contains(r#""planType":"plus""#), "{limits}");
    assert!(ask(chatgpt(), "account/usage/read").starts_with("-32600 "));
}

#[test]
fn a_sign_in_while_the_server_runs_is_seen() {
    let mut home = Home::empty();
    assert!(home.ask("account/read", "{}").contains(r#""account":null"#));
    home = home.signed_in(r#"{"OPENAI_API_KEY":"sk-a-secret"}"#);
    assert!(home.ask("account/read", "{}").contains(r#""account":{"type":"apiKey"}"#));
}

#[test]
fn models_are_read_page_by_page() {
    let mut home = Home::with("model = 'own'");
    let first = home.ask("model/list", r#"{"limit":1}"#);
    assert!(first.starts_with(r#"{"data":[{"id":"gpt-6.2-sol","model":"gpt-6.2-sol","upgrade":null,"#), "{first}");
    assert!(first.ends_with(r#""isDefault":true}],"nextCursor":"1"}"#), "{first}");
    let last = home.ask("model/list", r#"{"cursor":"11","limit":5}"#);
    assert!(last.starts_with(r#"{"data":[{"id":"own","#), "{last}");
    assert!(last.ends_with(r#""nextCursor":null}"#), "{last}");
    assert_eq!(home.ask("model/list", r#"{"cursor":"9999"}"#), "-32600 cursor 9999 exceeds total models 12");
    assert!(home.ask("model/list", r#"{"includeHidden":true}"#).contains("codex-auto-review"));
    assert!(home.ask("model/list", r#"{"modelProvider":"nope"}"#).starts_with("-32600 "));
    assert!(home.ask("model/list", r#"{"modelProvider":"openai"}"#).starts_with(r#"{"data""#));
}

#[test]
fn config_read_shows_values_origins_and_layers() {
    let mut home =
        Home::with("model = 'gpt-5.2'\napproval_policy = 'never'\nown = 2020-01-01T00:00:00Z\n[tui]\nx = [1]");
    let read = home.ask("config/read", "{}");
    assert!(read.starts_with(r#"{"config":{"model":"gpt-5.2","review_model":null,"#), "{read}");
    assert!(
        read.contains(r#""own":"2020-01-01T00:00:00Z","tui":{"x":[1]}},"origins":{"approval_policy":{"name":{"#),
        "{read}"
    );
    assert!(read.contains(r#""tui.x.0":{"name":{"type":"user","file":"#), "{read}");
    assert!(!read.contains("layers"), "{read}");

    let former = Home::with("approval_policy = 'on-failure'").ask("config/read", "{}");
    assert!(former.contains(r#""approval_policy":"on-request""#), "{former}");

    let mut home = Home::with("model = 'm'");
    let read = home.ask("config/read", r#"{"includeLayers":true,"cwd":"."}"#);
    let expected = r#""origins":{"model":{"name":{"type":"user","file":"HOME/config.toml","profile":null},"version":"sha256:548f58d1c36c715b44f0863472074a97c448d5b8d18164b92adf55592b127f86"}},"layers":[{"name":{"type":"user","file":"HOME/config.toml","profile":null},"version":"sha256:548f58d1c36c715b44f0863472074a97c448d5b8d18164b92adf55592b127f86","config":{"model":"m"}},{"name":{"type":"system","file":"HOME/system.toml"},"version":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","config":{}}]}"#;
    assert!(read.ends_with(&home.expanded(expected)), "{read}");
}

#[test]
fn config_read_sees_the_project_of_a_directory() {
    let mut home = Home::with("model = 'm'\n[projects.'WORK']\ntrust_level = 'trusted'");
    fs::create_dir(home.path("work/.codex")).unwrap();
    fs::write(home.path("work/.codex/config.toml"), "model = 'project'").unwrap();
    assert!(home.ask("config/read", r#"{"cwd":"."}"#).starts_with(r#"{"config":{"model":"project","#));
    assert!(home.ask("config/read", "{}").starts_with(r#"{"config":{"model":"m","#));
    let layers = home.ask("config/read", r#"{"cwd":".","includeLayers":true}"#);
    let first = home.expanded(r#""layers":[{"name":{"type":"project","dotCodexFolder":"WORK/.codex"},"#);
    assert!(layers.contains(&first), "{layers}");
}

#[test]
fn a_broken_configuration_is_told_and_the_rest_still_answers() {
    let mut home = Home::with("model = \n[x\n");
    let expected = "-32603 failed to read configuration layers: HOME/config.toml:2:3: unclosed table, expected `]`";
    assert_eq!(home.ask("config/read", "{}"), home.expanded(expected));
    assert!(home.ask("model/list", "{}").starts_with(r#"{"data":[{"id":"gpt-6.2-sol""#));
    assert!(home.ask("account/read", "{}").contains(r#""requiresOpenaiAuth":true"#));
}

#[test]
fn no_answer_holds_a_secret_of_the_sign_in() {
    for auth in [CHATGPT, r#"{"OPENAI_API_KEY":"sk-a-secret"}"#] {
        let mut home = Home::empty().signed_in(auth);
        for method in ["account/read", "account/rateLimits/read", "account/usage/read", "config/read"] {
            assert!(!home.ask(method, "{}").contains("a-secret"), "{method}");
        }
    }
}
