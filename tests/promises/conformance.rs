//! The server's messages conform to the reference program's schema. Every message that a client of this suite receives
//! is checked on arrival (`support/conformance.rs`); here every method is called at least once.

use serde_json::{Value, json};

use crate::support::conformance;
use crate::support::process::Launch;
use crate::support::schemas::{Schemas, folder};
use crate::support::server::Server;

#[test]
fn every_answer_fits_the_schema_and_writes_its_null_members() {
    if Schemas::reference().is_none() {
        eprintln!("skipped: there is no schema in {}", folder().display());
        return;
    }
    let server = Server::unix(Launch::new());
    let mut client = server.client();
    let thread = client.call("thread/start", json!({}))["thread"]["id"].take();
    let of_thread = json!({"threadId": thread});
    let named = json!({"threadId": thread, "name": "named"});
    let git = json!({"threadId": thread, "gitInfo": {"branch": "main"}});
    let fork = json!({"threadId": thread, "excludeTurns": true});
    let steps = [
        ("thread/start", json!({"ephemeral": true})),
        ("thread/name/set", named),
        ("thread/metadata/update", git),
        ("thread/read", of_thread.clone()),
        ("thread/resume", fork.clone()),
        ("thread/list", json!({})),
        ("thread/search", json!({"searchTerm": "x"})),
        ("thread/loaded/list", json!({})),
        ("thread/turns/list", of_thread.clone()),
        ("thread/items/list", of_thread.clone()),
        ("thread/goal/get", of_thread.clone()),
        ("thread/backgroundTerminals/list", of_thread.clone()),
        ("thread/attachment/list", of_thread.clone()),
        ("thread/unsubscribe", of_thread.clone()),
        ("thread/archive", of_thread.clone()),
        ("thread/list", json!({"archived": true})),
        ("thread/unarchive", of_thread.clone()),
        ("thread/fork", fork),
        ("account/read", json!({})),
        ("model/list", json!({})),
        ("permissionProfile/list", json!({})),
        ("collaborationMode/list", json!({})),
        ("hooks/list", json!({})),
        ("plugin/installed", json!({})),
        ("plugin/list", json!({})),
        ("mcpServerStatus/list", json!({})),
        ("account/gatewayOAuth/read", json!({})),
        ("experimentalFeature/list", json!({})),
    ];
    for (method, params) in steps {
        let result: Value = client.call(method, params);
        assert_eq!(conformance::absent_members(method, &result), Vec::<String>::new(), "{method}: {result:#}");
    }
}
