//! The comparison sees every kind of change, and nothing else. Each case changes
//! one place of what was released.

use crate::{
    compare::changes,
    sources::{frozen_texts, parse},
};

/// What the comparison says of the released texts after one change.
fn changed(file: &str, from: &str, to: &str) -> Vec<String> {
    let released = frozen_texts();
    let mut now = released.clone();
    let ending = format!("0.1.0/{file}.wit");
    let (_, text) = now.iter_mut().find(|(path, _)| path.ends_with(&ending)).unwrap();
    assert!(text.contains(from), "{file} has no `{from}`");
    *text = text.replacen(from, to, 1);
    changes(&parse(&released), &parse(&now))
}

#[test]
fn a_change_is_told_with_package_item_and_what_to_do() {
    assert_eq!(
        changed("types", "    connected,", "    connected,\n    paused,"),
        [
            "`pairing-console:types@0.1.0` is released: interface `types`: enum `status` had 5 cases \
             and has 6 (`paused` is new). Released packages never change; make the change in 0.2.0 \
             beside it, see wit/README.md"
        ]
    );
}

#[test]
fn every_kind_of_change_is_seen() {
    for (file, from, to, told) in [
        (
            "types",
            "    connecting,\n",
            "",
            "enum `status` had 5 cases and has 4 (`connecting` is gone)",
        ),
        (
            "types",
            "    connecting,\n    qr-ready,",
            "    qr-ready,\n    connecting,",
            "enum `status` has its cases in another order",
        ),
        (
            "types",
            "phone-number: string,",
            "phone-number: string, device: string,",
            "record `account` had 2 fields and has 3 (`device` is new)",
        ),
        (
            "types",
            "phone-number: string,",
            "phone: string,",
            "record `account` has other fields (`phone-number` is gone, `phone` is new)",
        ),
        (
            "types",
            "sequence: u32,",
            "sequence: u64,",
            "record `code-notice` has `sequence`, which was `u32` and is `u64`",
        ),
        (
            "types",
            "type timestamp = u64",
            "type timestamp = s64",
            "type `timestamp` was `u64` and is `s64`",
        ),
        (
            "types",
            "type extras = list<tuple<string, string>>",
            "type extras = list<tuple<string, list<u8>>>",
            "type `extras` was `list<tuple<string, string>>` and is `list<tuple<string, list<u8>>>`",
        ),
        (
            "types",
            "loading(u8)",
            "loading",
            "variant `event-data` has `loading`, which was `u8` and is nothing",
        ),
        (
            "qr",
            "enum format {",
            "record quality { dots: u32 }\n  @since(version = 0.1.0)\n  enum format {",
            "record `quality` is new",
        ),
        (
            "qr",
            "describe: func() -> description;",
            "describe: func(full: bool) -> description;",
            "function `describe` was `func() -> description` and is `func(full: bool) -> description`",
        ),
        (
            "qr",
            "describe: func() -> description;",
            "describe: async func() -> description;",
            "function `describe` was `func() -> description` and is `async func() -> description`",
        ),
        (
            "qr",
            "@since(version = 0.1.0)\n  describe: func() -> description;",
            "",
            "function `describe` is gone",
        ),
        (
            "qr",
            "describe: func() -> description;",
            "describe: func() -> description;\n  @since(version = 0.1.0)\n  health: func() -> bool;",
            "function `health` is new",
        ),
        (
            "qr",
            "@since(version = 0.1.0)\n  export renderer;",
            "",
            "world `qr-renderer`: export `pairing-console:qr/renderer@0.1.0` is gone",
        ),
        (
            "qr",
            "export renderer;",
            "export renderer;\n  import log: func(text: string);",
            "world `qr-renderer`: import `log` is new",
        ),
        ("workflow", "world workflow {", "world pairing {", "world `workflow` is gone"),
        (
            "types",
            "timestamp, status, reason, detail, account, code-notice, extras};",
            "timestamp, status, reason, detail, account, code-notice, duration as extras};",
            "interface `events`: type `extras` was `pairing-console:types/types@0.1.0.extras` and is \
             `pairing-console:types/types@0.1.0.duration`",
        ),
    ] {
        let changes = changed(file, from, to);
        assert!(changes.iter().any(|change| change.contains(told)), "{told}\n{changes:#?}");
    }
}

#[test]
fn what_is_renamed_is_gone_and_new() {
    let changes = changed("qr", "render: func(", "draw: func(");
    assert_eq!(changes.len(), 2, "{changes:#?}");
    assert!(changes[0].contains("interface `renderer`: function `render` is gone"), "{changes:#?}");
    assert!(changes[1].contains("interface `renderer`: function `draw` is new"), "{changes:#?}");
}

#[test]
fn a_package_that_goes_or_becomes_another_version_is_missed() {
    let package = "package pairing-console:workflow@0.1.0;";
    let changes = changed("workflow", package, "package pairing-console:workflow@0.2.0;");
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert!(
        changes[0].contains("`pairing-console:workflow@0.1.0` is released: the package is gone")
    );
}

#[test]
fn words_about_it_may_change() {
    let unchanged: [String; 0] = [];
    for (file, from, to) in [
        ("types", "    connected,", "    /// Linked, and ready for anything.\n    connected,"),
        ("qr", "interface renderer {", "// No way out.\ninterface renderer {"),
        ("qr", "  size: u32,", "size:\n u32,"),
    ] {
        assert_eq!(changed(file, from, to), unchanged, "{file}");
    }
}

#[test]
fn what_stands_beside_it_may_be_new() {
    let unchanged: [String; 0] = [];
    let beside = "}\ninterface previews { preview: func() -> list<u8>; }\nworld previewer { export previews; }";
    let mut now = frozen_texts();
    let released = parse(&now);
    let (_, text) = now.iter_mut().find(|(path, _)| path.ends_with("0.1.0/qr.wit")).unwrap();
    *text = text.trim_end().strip_suffix('}').unwrap().to_owned() + beside;
    let later = "package pairing-console:qr@0.2.0;
        interface renderer { use pairing-console:types/types@0.1.0.{status}; draw: func(status: status); }
        world qr-renderer { export renderer; }";
    now.push(("later.wit".into(), later.into()));
    assert_eq!(changes(&released, &parse(&now)), unchanged);
}
