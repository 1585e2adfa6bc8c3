//! Errors have the codes of JSON-RPC 2.0 and the texts that clients know.

use serde_json::json;

use crate::support::transports::over_every_transport;

#[test]
fn an_unknown_method_is_answered_with_the_methods_there_are() {
    over_every_transport(|server| {
        let mut client = server.client();
        for method in ["no/such/method", "", "thread/started", "Thread/Start"] {
            let error = client.refusal(method, json!({}));
            assert_eq!(error.code, -32601);
            let start = format!("Invalid request: unknown variant `{method}`, expected one of `initialize`, ");
            assert!(error.message.starts_with(&start), "{error:?}");
            assert!(error.message.contains("`thread/name/set`"), "{error:?}");
        }
    });
}

#[test]
fn params_that_do_not_fit_are_refused_with_the_reason() {
    over_every_transport(|server| {
        let mut client = server.client();
        let cases = [
            ("thread/read", json!(null), "Invalid request: missing field `params`"),
            ("thread/read", json!({}), "Invalid request: missing field `threadId`"),
            ("thread/read", json!({"threadId": 3}), "Invalid request: invalid type: integer `3`, expected a string"),
            ("thread/list", json!({"limit": "x"}), "Invalid request: invalid type: string \"x\", expected u32"),
            ("thread/list", json!({"limit": -1}), "Invalid request: invalid value: integer `-1`, expected u32"),
            ("thread/list", json!("x"), "Invalid request: invalid type: string \"x\", expected struct "),
            ("thread/list", json!({"sortKey": "bogus"}), "Invalid request: unknown variant `bogus`, expected one of "),
            ("thread/start", json!({"sandbox": "bogus"}), "Invalid request: unknown variant `bogus`, expected one of "),
            ("thread/name/set", json!({"threadId": "x"}), "Invalid request: missing field `name`"),
            (
                "thread/name/set",
                json!({"threadId": "x", "name": null}),
                "Invalid request: invalid type: null, expected ",
            ),
        ];
        for (method, params, message) in cases {
            let error = client.refusal(method, params.clone());
            assert_eq!(error.code, -32602, "{method} {params}: {error:?}");
            assert!(error.message.starts_with(message), "{method} {params}: {error:?}");
        }
        assert_eq!(client.refusal("thread/list", json!([])).code, -32602, "an array is no struct");
    });
}

#[test]
fn params_may_be_missing_where_every_member_is_optional() {
    over_every_transport(|server| {
        let mut client = server.client();
        for method in ["thread/list", "thread/loaded/list", "thread/start", "model/list", "account/read", "config/read"]
        {
            for params in ["", r#","params":null"#, r#","params":{}"#] {
                let answer = client.exchange(&format!(r#"{{"id":"m","method":"{method}"{params}}}"#));
                assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
            }
        }
    });
}

#[test]
fn unknown_members_do_not_matter_anywhere() {
    over_every_transport(|server| {
        let mut client = server.client();
        let texts = [
            r#"{"jsonrpc":"2.0","id":"m","method":"thread/list","params":{"noSuchMember":1}}"#,
            r#"{"jsonrpc":7,"id":"m","method":"thread/list","params":{},"extra":{"a":[1]},"trace":null}"#,
            r#"{"id":"m","method":"thread/list","params":{},"trace":{"traceparent":"00-x","tracestate":null}}"#,
            r#"{"params":{},"method":"thread/list","result":1,"id":"m"}"#,
        ];
        for text in texts {
            let answer = client.exchange(text);
            assert_eq!((&answer["id"], answer.get("error")), (&json!("m"), None), "{text}: {answer}");
        }
    });
}
