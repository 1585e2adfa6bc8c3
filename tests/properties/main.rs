//! Runs the functions of `tests/fuzz` on fixed inputs: every seed, and a few hundred generated ones.

#![allow(clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::disallowed_methods, reason = "tests know what they open")]

#[path = "../fuzz/checks/mod.rs"]
mod checks;

use std::fs;
use std::path::Path;

use checks::Part;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};

type Check = fn(&[u8]);

fn config() -> Config {
    Config { cases: 512, rng_seed: RngSeed::Fixed(6455), failure_persistence: None, ..Config::default() }
}

/// Text that is likely to be looked at closely: pieces of `words`, and anything else.
fn pieces(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => prop::sample::select(words).prop_map(str::to_owned), 1 => ".{0,4}"];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A JSON object with some of `members`, and sometimes half of one.
fn members(members: &'static [&'static str]) -> impl Strategy<Value = String> {
    let some = vec(prop::sample::select(members), 0..6).prop_map(|members| format!("{{{}}}", members.join(",")));
    (some, prop::option::weighted(0.1, any::<prop::sample::Index>())).prop_map(|(mut text, cut)| {
        if let Some(cut) = cut {
            text.truncate(cut.index(text.len()));
        }
        text
    })
}

/// Bytes of frames with sensible and senseless headers, lengths and payloads.
fn frames() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        8 => prop::sample::select(&[0x81_u8, 0x01, 0x00, 0x80, 0x82, 0x02, 0x88, 0x89, 0x8a][..]),
        1 => any::<u8>()
    ];
    let payload = prop_oneof![
        "[a-zäß€🍕]{0,40}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..8),
        (998_u16..1012, ".{0,3}").prop_map(|(code, text)| [&code.to_be_bytes()[..], text.as_bytes()].concat()),
    ];
    let frame = (first, payload, -1_i16..3).prop_map(|(first, payload, slip)| {
        let claimed = if slip < 2 { 0 } else { 1 } + payload.len() as u8;
        [&[first, 0x80 | claimed, 0, 0, 0, 0][..], &payload].concat()
    });
    (any::<u8>(), vec(frame, 0..12)).prop_map(|(how, frames)| [&[how][..], &frames.concat()].concat())
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part = (0_usize..40, any::<[u8; 4]>(), prop::option::of(vec(any::<u8>(), 0..125)))
        .prop_map(|(bytes, key, ping)| Part { bytes, key, ping });
    vec(part, 1..8)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_text_is_read_or_refused(text in pieces(&[
        "{", "}", "[", "]", ",", ":", "\"id\"", "\"method\"", "\"params\"", "\"result\"", "\"error\"", "1", "-0", "1e400",
        "null", "true", "\"initialize\"", "\"thread/read\"", "\"threadId\"", "\\ud800", "\\u0000", "\"", " ",
        "{\"id\":1,\"method\":\"thread/list\",\"params\":", "{\"id\":\"a\",\"method\":\"no/such\"}",
    ])) {
        checks::jsonrpc_message(text.as_bytes());
    }

    #[test]
    fn any_listen_argument_means_one_thing(text in pieces(&[
        "ws://", "unix://", "stdio://", "off", "127.0.0.1", "[::1]", "::", ":", "0", "65536", "/", "..", "./a", "\0",
    ])) {
        checks::listen_url(text.as_bytes());
    }

    #[test]
    fn any_authorization_header_holds_one_token_or_is_refused(text in pieces(&[
        "Bearer", "bearer ", "Bearer ", "Basic ", " ", "\t", "\n", "abc", "a.b.c", "ä", "\0", ",", "Bearer abc\n",
    ])) {
        checks::auth_header(text.as_bytes());
    }

    #[test]
    fn any_claims_are_judged_by_the_rules(text in members(&[
        "\"exp\":1800000000", "\"exp\":9223372036854775807", "\"exp\":1799999969", "\"exp\":\"1800000000\"",
        "\"exp\":1800000000.5", "\"nbf\":1800000000", "\"nbf\":1800000031", "\"nbf\":null", "\"nbf\":\"x\"",
        "\"iss\":\"us\"", "\"iss\":\"them\"", "\"iss\":null", "\"aud\":\"app\"", "\"aud\":[\"a\",\"app\"]",
        "\"aud\":[]", "\"aud\":[1]", "\"sub\":{}", "\"x\":[[{}]]", "\"x\":\"\\ud800\"", "\"\":1e400",
    ])) {
        checks::jwt_claims(text.as_bytes());
    }

    #[test]
    fn any_bytes_mean_the_same_however_they_arrive(bytes in prop_oneof![9 => frames(), 1 => vec(any::<u8>(), 0..64)]) {
        checks::continuation_reassembly(&bytes);
    }

    #[test]
    fn any_stream_of_a_model_is_an_answer_or_a_fault(
        how in any::<[u8; 2]>(),
        text in pieces(&[
            "data: ", "data:", "event: error\n", ": comment\n", "\n", "\n\n", "\r\n\r\n", "[DONE]", "\u{fffd}",
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n",
            "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}\n\n",
            "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\"}}]}}]}\n\n",
            "data: {\"type\":\"response.output_text.delta\",\"delta\":\"a\"}\n\n",
            "data: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"message\",\"role\":\"assistant\"}}\n\n",
            "data: {\"type\":\"response.completed\",\"response\":{}}\n\n",
        ]),
    ) {
        checks::model_stream(&[&how[..], text.as_bytes()].concat());
    }

    #[test]
    fn any_patch_says_something_or_is_refused(
        file in pieces(&["a", "b", "\n", "\r\n", " ", "\u{feff}", "\u{2019}", "a\n", "b\n"]),
        text in pieces(&[
            "*** Add File: a\n", "*** Delete File: a\n", "*** Update File: a\n", "*** Move to: b\n", "*** End of File\n",
            "@@\n", "@@ a\n", " a\n", "-a\n", "+a\n", " b\n", "-b\n", "+c\n", "\n", "\r\n", "+", "-", " ", "<<EOF\n",
        ]),
        is_whole in prop::bool::weighted(0.9),
    ) {
        let text = if is_whole { format!("*** Begin Patch\n{text}\n*** End Patch") } else { text };
        checks::patch_text(format!("{file}\0{text}").as_bytes());
    }

    #[test]
    fn a_text_comes_out_as_it_went_in(text in "[a-zäß€🍕]{0,60}", parts in parts(), step in 1_usize..50) {
        checks::reassembles(&text, &parts, step);
    }
}

#[test]
fn every_seed_passes() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds");
    let targets: [(&str, Check); 7] = [
        ("auth_header", checks::auth_header),
        ("jwt_claims", checks::jwt_claims),
        ("jsonrpc_message", checks::jsonrpc_message),
        ("listen_url", checks::listen_url),
        ("model_stream", checks::model_stream),
        ("patch_text", checks::patch_text),
        ("continuation_reassembly", checks::continuation_reassembly),
    ];
    for (target, check) in targets {
        let mut count = 0;
        for seed in fs::read_dir(seeds.join(target)).expect("each target has seeds") {
            check(&fs::read(seed.expect("it can be listed").path()).expect("it can be read"));
            count += 1;
        }
        assert!(count > 0, "{target} has no seeds");
    }
}
