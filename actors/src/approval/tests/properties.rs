use proptest::prelude::*;

use super::script;
use crate::approval::actions::command_actions;
use crate::approval::amendment::proposed;
use crate::approval::destructive::destructive;
use crate::approval::harmless::harmless;
use crate::approval::shell::Script;

/// Pieces of scripts, most of them with a meaning.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "ls",
        "cat",
        "rm",
        "-rf",
        "x",
        " ",
        " ",
        "\n",
        ";",
        "&",
        "|",
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        "<<",
        "<<<",
        "'",
        "\"",
        "`",
        "$",
        "$(",
        "${",
        "$((",
        "\\",
        "#",
        "*",
        "~",
        "=",
        "!",
        "\t",
        "\r",
        "\0",
        "E",
        "case x in",
        "esac",
        "if",
        "fi",
        "bash -c",
        "eval",
        "/dev/null",
        "2>&1",
        "git",
        "é",
        "\u{2019}",
    ];
    prop_oneof![4 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}".prop_map(String::from)]
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(piece(), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_script_makes_it_panic(text in text()) {
        for script in [script(&text), Script::of_argv(&text.split(' ').map(str::to_owned).collect::<Vec<_>>())] {
            destructive(&script);
            harmless(&script);
            proposed(&script, None);
            prop_assert!(!command_actions(&script, &text).is_empty());
        }
    }

    #[test]
    fn what_is_outside_of_literals_is_not_harmless(
        before in "(ls|cat|echo)( [a-z'\" ]{0,8})?",
        odd in "[$`&<>(){}*?\\[\\]#!\r\0\u{7f}\u{a0}\u{2019}]",
        after in "[a-z ]{0,8}",
    ) {
        let text = format!("{before}{odd}{after}");
        let in_quotes = before.matches(['\'', '"']).count() > 0;
        prop_assume!(!in_quotes);
        prop_assume!(text.trim_end() != before.trim_end());
        prop_assert!(!harmless(&script(&text)), "{text:?}");
    }

    #[test]
    fn words_come_out_as_they_were_quoted(words in prop::collection::vec("[^\0-\u{1f}\u{7f}-\u{9f}]{0,12}", 0..6)) {
        let argv: Vec<&str> = std::iter::once("a").chain(words.iter().map(String::as_str)).collect();
        let quoted = argv.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect::<Vec<_>>().join(" ");
        let read = script(&quoted);
        prop_assert_eq!(&read.plain().unwrap()[0].argv, &argv);
    }

    #[test]
    fn what_is_destructive_stays_so_with_more_around_it(
        before in prop::collection::vec("(ls|x|if|fi|case|esac|in|!|[a-z]=b|[a-z]{1,4}|;|&|[|]|[)}]|>|\t| |\n|\r|\0){1,3}", 0..20),
        after in text(),
    ) {
        let whole = format!("{}\nrm -rf x\n{after}", before.join(" "));
        prop_assert!(destructive(&script(&whole)).is_some(), "{whole:?}");
    }
}
