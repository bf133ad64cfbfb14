//! What a host says of the knowledge of the page, for people.

use serde_json::Value;

use crate::commands::plugin::{
    figures::{list, short, text, time},
    table::{Column, lines},
};

/// Everything that `GET /page-hooks` answers.
pub(super) fn all(answer: &Value) -> String {
    let mut said = vec![in_use(&answer["inUse"])];
    said.push(match &answer["lastLook"] {
        Value::Null => "the page was not looked at since the host started".to_owned(),
        look_taken => look(look_taken),
    });
    said.push(match answer["canaryEverySeconds"].as_u64() {
        Some(seconds) => format!("it is looked at every {} minutes", seconds.div_ceil(60)),
        None => "it is looked at only when somebody asks".to_owned(),
    });
    let versions = list(answer, "versions");
    if !versions.is_empty() {
        said.push(String::new());
        said.extend(version_lines(versions));
    }
    let history = list(answer, "history");
    if !history.is_empty() {
        said.push(String::new());
        said.extend(history_lines(history));
    }
    said.join("\n")
}

fn version_lines(versions: &[Value]) -> Vec<String> {
    let columns =
        [Column::Left("VERSION"), Column::Left(""), Column::Left("PUSHED"), Column::Left("TRIAL")];
    let row = |version: &Value| {
        let is_active = version["isActive"] == true;
        [
            short(text(version, "digest")).to_owned(),
            if is_active { "in use" } else { "" }.to_owned(),
            time(version, "pushedAt"),
            trial(&version["report"]),
        ]
    };
    lines(columns, &versions.iter().map(row).collect::<Vec<_>>())
}

fn history_lines(history: &[Value]) -> Vec<String> {
    let columns =
        [Column::Left("CHANGED"), Column::Left("HOW"), Column::Left("TO"), Column::Left("WHO")];
    let row = |change: &Value| {
        let to = change["digest"].as_str().map_or("embedded", short);
        [
            time(change, "at"),
            text(change, "cause").to_owned(),
            to.to_owned(),
            text(change, "actor").to_owned(),
        ]
    };
    lines(columns, &history.iter().map(row).collect::<Vec<_>>())
}

fn trial(report: &Value) -> String {
    let missing = report["missing"].as_object().map_or(0, serde_json::Map::len);
    match report["isGood"] == true {
        true => "good".to_owned(),
        false if missing == 0 => "no code".to_owned(),
        false => format!("{missing} missing"),
    }
}

/// Which file is in use.
pub(super) fn in_use(in_use: &Value) -> String {
    let digest = short(text(in_use, "digest"));
    match (in_use["refused"].as_str(), in_use["isEmbedded"] == true) {
        (Some(why), _) => format!(
            "the host's own file ({digest}) is in use, because it can't use the active one: {why}"
        ),
        (None, true) => format!("the host's own file ({digest}) is in use"),
        (None, false) => format!("version {digest} is in use"),
    }
}

/// A look at the page.
pub(super) fn look(look: &Value) -> String {
    let at = time(look, "at");
    match look["error"].as_str() {
        Some(why) => format!("at {at} the page could not be looked at: {why}"),
        None => format!("at {at} {}", report(&look["report"])),
    }
}

/// What was found.
pub(super) fn report(report: &Value) -> String {
    let version = text(report, "pageVersion");
    let found = report["found"].as_object().map_or(0, serde_json::Map::len);
    if report["isGood"] == true {
        return format!("the page (version {version}) has all its {found} parts and makes codes");
    }
    let mut said = vec![format!("the page (version {version}) is not what the file says:")];
    for (part, why) in report["missing"].as_object().into_iter().flatten() {
        said.push(format!("  {part}: {}", why.as_str().unwrap_or("missing")));
    }
    if report["makesCodes"] != true {
        said.push("  it came to no QR code".to_owned());
    }
    said.join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let report = json!({
            "isGood": false, "pageVersion": "2.3000.1", "makesCodes": false,
            "found": {}, "missing": { "command": "no such module" },
        });
        let look = json!({ "at": "2026-09-21T14:13:20.123Z", "error": null, "report": report });
        assert_eq!(
            super::look(&look),
            "at 2026-09-21 14:13:20Z the page (version 2.3000.1) is not what the file says:\n  command: no such module\n  it came to no QR code"
        );
    }

    #[test]
    fn all_is_said_on_one_screen() {
        let digest = "ab".repeat(32);
        let good = json!({
            "isGood": true, "pageVersion": "2.3000.1", "makesCodes": true,
            "found": { "command": "WAWebCmd#Cmd" }, "missing": {},
        });
        let answer = json!({
            "inUse": { "digest": digest, "isEmbedded": false, "refused": null },
            "lastLook": null,
            "canaryEverySeconds": 21_600,
            "versions": [{ "digest": digest, "isActive": true,
                "pushedAt": "2026-09-21T14:13:20.123Z", "report": good }],
            "history": [{ "generation": 1, "at": "2026-09-21T14:13:21.000Z", "digest": digest,
                "cause": "activate", "actor": "ana" }],
        });
        assert_eq!(
            all(&answer).lines().collect::<Vec<_>>(),
            [
                "version abababababab is in use",
                "the page was not looked at since the host started",
                "it is looked at every 360 minutes",
                "",
                "VERSION               PUSHED                TRIAL",
                "abababababab  in use  2026-09-21 14:13:20Z  good",
                "",
                "CHANGED               HOW       TO            WHO",
                "2026-09-21 14:13:21Z  activate  abababababab  ana",
            ]
        );
    }
}
