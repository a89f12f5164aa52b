//! Values that are known at compile time.

use super::{expanded, messages, tokens};

#[test]
fn durations_are_written_out() {
    for (arguments, setter) in [
        ("wait", "wait(::pidfile::__private::Duration::MAX)"),
        (
            "wait = \"1500ms\"",
            "wait(::pidfile::__private::Duration::new(1u64, 500000000u32))",
        ),
        ("wait = x", "wait(x)"),
        (
            "replace = \"2s\"",
            "replace(::pidfile::__private::Duration::new(2u64, 0u32))",
        ),
        ("signals", "signals(true)"),
    ] {
        let expanded = expanded(arguments, "fn f() {}");
        assert!(
            expanded.contains(&tokens(setter)),
            "{arguments}: {expanded}"
        );
    }
}

#[test]
fn a_minus_sign_makes_another_value_of_a_literal() {
    for (value, message) in [
        (
            "path = -\"a\"",
            "`path` takes a string, such as `\"/run/app.pid\"`",
        ),
        (
            "chmod = -0o600",
            "`chmod` takes an octal number, such as `0o644`",
        ),
        (
            "chmod = -\"600\"",
            "`chmod` takes an octal number, such as `0o644`",
        ),
        ("uid = -1", "`uid` cannot be negative"),
        ("lock = -true", "`lock` takes `true` or `false`"),
    ] {
        assert_eq!(messages(value, "fn f() {}"), [message], "{value}");
    }
}

#[test]
fn what_is_not_a_duration_is_refused() {
    for (argument, then) in [
        ("wait = -\"5s\"", ""),
        ("wait = -5", ""),
        ("wait = false", ""),
        ("wait = true", "; a bare `wait` waits forever"),
        ("replace = true", ""),
        ("replace = 'a'", ""),
    ] {
        let key = argument.split(' ').next().expect("a key");
        let examples = "write for example `\"500ms\"`, `\"5s\"`, `\"2m\"` or `\"1h\"`";
        let message = format!("`{key}` is not a duration; {examples}{then}");
        assert_eq!(messages(argument, "fn f() {}"), [message], "{argument}");
    }
}

#[test]
fn words_for_a_format_or_a_shell_are_found_whole() {
    for (value, message) in [
        (
            "/run/{a_1}.pid",
            "`{a_1}` is not filled in; write `path = format!(\"/run/{a_1}.pid\")`",
        ),
        (
            "/run/{}.pid",
            "`{}` is not filled in; write `path = format!(\"/run/{}.pid\", ...)`",
        ),
        (
            "$A_1/x",
            "`$A_1` is not expanded in `path`; build the path at run time or use `name`",
        ),
        (
            "/x/${A}b",
            "`${A}` is not expanded in `path`; build the path at run time or use `name`",
        ),
        (
            "~a-b_c/x",
            "`~a-b_c` is not expanded in `path`; build the path at run time or use `name`",
        ),
        (
            "~",
            "`~` is not expanded in `path`; build the path at run time or use `name`",
        ),
    ] {
        assert_eq!(
            messages(&format!("path = \"{value}\""), "fn f() {}"),
            [message]
        );
    }
    for value in [
        "/{a-b}", "/{{a}}", "/{a", "/a}", "/$", "/$$", "/a$/b", "~a+/b", "/~", "/${a",
    ] {
        assert_eq!(
            messages(&format!("path = \"{value}\""), "fn f() {}"),
            [""; 0],
            "{value}"
        );
    }
}
