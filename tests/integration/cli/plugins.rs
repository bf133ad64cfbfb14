//! `pairing-host plugin …` against a host that runs.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, prelude::BASE64_STANDARD};
use pairing_core::plugin::Slot;
use pairing_plugin_runtime::embedded;
use pairing_tests::{
    TestHost, admin_token, host_binary, marked, probe_handler, released, reworded_workflow, until,
};
use serde_json::{Value, json};

use super::told;

/// The command line against a host that runs.
struct Operator<'a> {
    host: &'a TestHost,
    folder: tempfile::TempDir,
}

impl<'a> Operator<'a> {
    fn of(host: &'a TestHost) -> Self {
        Self { host, folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn plugin(&self, args: &[&str]) -> Output {
        self.plugin_fed(args, &[])
    }

    fn plugin_fed(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new(host_binary())
            .arg("plugin")
            .args(args)
            .env_clear()
            .env("PAIRING_URL", self.host.url())
            .env("PAIRING_TOKEN", admin_token())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// What it prints for people.
    fn reads(&self, args: &[&str]) -> String {
        let output = self.plugin(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it prints for programs.
    fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.reads(&[args, &["--json"]].concat())).unwrap()
    }

    /// Sends a component in; gives its digest.
    fn pushes(&self, slot: &str, file: &Path) -> String {
        let pushed = self.json(&["push", slot, file.to_str().unwrap()]);
        pushed["digest"].as_str().unwrap().to_owned()
    }

    fn refused(&self, args: &[&str], says: &[&str]) {
        let output = self.plugin(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(output.stdout.is_empty(), "{args:?}: nothing for a pipe to take for an answer");
        let told = told(&output);
        assert!(says.iter().all(|says| told.contains(says)), "{args:?}: {told}");
    }
}

/// A host whose browser does not start: sessions are decided on all the same.
async fn host(mode: &str) -> TestHost {
    TestHost::on("http://127.0.0.1:9/")
        .set("PAIRING_MODE", mode)
        .set("PAIRING_CHROMIUM", "/bin/false")
        .start()
        .await
}

#[tokio::test]
async fn a_plugin_is_pushed_inspected_activated_and_rolled_back() {
    let host = host("development").await;
    let operator = Operator::of(&host);
    let component = reworded_workflow();
    let file = operator.file("next.wasm", &component);
    let file = file.to_str().unwrap();

    let pushed = operator.reads(&["push", "workflow", file]);
    let digest = operator.json(&["list", "workflow"])["versions"][0]["digest"].clone();
    let (digest, short) = (digest.as_str().unwrap(), &digest.as_str().unwrap()[..12]);
    let first_line = pushed.lines().next().unwrap();
    assert!(first_line.contains(short) && first_line.contains("is in"), "{pushed}");
    assert!(pushed.contains(digest) && pushed.contains("what the gates said"), "{pushed}");
    let again = operator.plugin_fed(&["push", "workflow", "-"], &component);
    let again = String::from_utf8(again.stdout).unwrap();
    assert!(again.lines().next().unwrap().contains("was in already"), "{again}");

    let text = operator.reads(&["inspect", "workflow", short]);
    for part in ["pairing-workflow 0.2.0", "imports    none", "KiB", "probe", "states     writes"] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let version = operator.json(&["inspect", "workflow", &digest[..6]]);
    assert_eq!((&version["digest"], &version["isActive"]), (&json!(digest), &json!(false)));
    assert_eq!(version["size"], component.len());

    let activated = operator.json(&["activate", "workflow", short, "--why", "clearer words"]);
    assert_eq!(activated["active"], digest);
    assert_eq!(operator.json(&["list"])["slots"][0]["digest"], digest);
    let list = operator.reads(&["list"]);
    assert!(list.starts_with("SLOT") && list.contains(short) && list.contains("closed"), "{list}");

    let back = operator.reads(&["rollback", "workflow", "--why", "enough"]);
    assert!(back.contains(&format!("was {short}")), "{back}");
    let answer = operator.json(&["rollback", "workflow", "--to", short]);
    assert_eq!(answer["active"], digest);

    let changes = operator.json(&["history", "workflow"]);
    let actions: Vec<_> = changes["changes"].as_array().unwrap().iter().collect();
    let done = |action: &str, why: &str| {
        actions.iter().any(|change| change["action"] == action && change["why"] == why)
    };
    assert!(done("activate", "clearer words") && done("rollback", "enough"), "{changes}");
    let text = operator.reads(&["history", "workflow", "--limit", "2"]);
    assert!(text.contains("rollback") && text.contains("older ones: --before"), "{text}");
    assert_eq!(operator.json(&["parked", "workflow"]), json!({ "parked": [] }));
    assert!(operator.reads(&["parked", "fan-out"]).contains("nothing is parked"));
}

#[tokio::test]
async fn a_trial_is_begun_and_ended() {
    let host = host("development").await;
    let operator = Operator::of(&host);
    let digest =
        operator.pushes("qr-renderer", &operator.file("r", &marked(&released("qr-renderer"), 1)));
    let text = operator.reads(&["activate", "qr-renderer", &digest[..8], "--canary", "10"]);
    assert!(text.contains("10 % of the sessions"), "{text}");
    let slots = operator.reads(&["list"]);
    assert!(slots.contains("10 % trial"), "{slots}");
    let answer = operator.json(&["rollback", "qr-renderer"]);
    assert_eq!(answer["canary"], Value::Null);
    for wrong in ["0", "100", "many"] {
        let output = operator.plugin(&["activate", "qr-renderer", &digest[..8], "--canary", wrong]);
        assert_eq!(output.status.code(), Some(64), "{wrong}");
    }
}

#[tokio::test]
async fn the_exit_code_of_a_replay_says_whether_anything_differs() {
    let host = host("development").await;
    let operator = Operator::of(&host);
    host.init("one").await;
    let recorded = embedded(Slot::Workflow).expect("the host brings one along");
    let same = operator.pushes("workflow", &operator.file("same", &marked(recorded, 1)));
    let other = operator.pushes("workflow", &operator.file("other", &reworded_workflow()));
    let text = operator.reads(&["replay", "workflow", &same]);
    assert!(text.contains("1 history") && text.contains("decides as was recorded"), "{text}");
    let output = operator.plugin(&["replay", "workflow", &other]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    for part in ["one: differs at input 1 (command:init)", "recorded: ", "now:      "] {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
    let output = operator.plugin(&["replay", "workflow", &other, "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["results"], json!({ "differs": 1 }));
    operator
        .refused(&["replay", "workflow", "0123456789ab"], &["knows no version", "0123456789ab"]);
    let help = String::from_utf8(operator.plugin(&["replay", "--help"]).stdout).unwrap();
    assert!(help.contains("Exit codes:"), "{help}");
    let wrong = operator.plugin(&["replay", "workflow", "abc"]);
    assert_eq!(wrong.status.code(), Some(64), "not to be taken for a difference");
}

#[tokio::test]
async fn what_is_refused_is_told_whole_on_standard_error() {
    let host = host("production").await;
    let operator = Operator::of(&host);
    let component = marked(&released("fan-out"), 1);
    let file = operator.file("f.wasm", &component);
    let file = file.to_str().unwrap();
    // No key is listed, so the host names the digest to accept.
    let output = operator.plugin(&["push", "fan-out", file]);
    assert_eq!(output.status.code(), Some(1));
    let told = told(&output);
    assert!(told.starts_with("pairing-host: refused at the signature: "), "{told}");
    let digest = told.split_once("--accept-unsigned ").unwrap().1.get(..64).unwrap();
    operator.refused(&["push", "fan-out", file, "--accept-unsigned", &"ab".repeat(32)], &[digest]);
    let version = operator.json(&["push", "fan-out", file, "--accept-unsigned", digest]);
    assert_eq!(version["acceptedBy"], "external:42");
    let history = operator.reads(&["history", "fan-out"]);
    assert!(
        history.contains("REFUSED: at the signature: ") && history.contains("accept-unsigned"),
        "{history}"
    );

    let no_component = operator.file("text.wasm", b"not a component");
    let no_component = no_component.to_str().unwrap();
    operator.refused(&["push", "fan-out", no_component], &["refused at the "]);
    let empty = operator.file("empty.wasm", b"");
    operator.refused(&["push", "fan-out", empty.to_str().unwrap()], &["empty"]);
    let large = operator.file("large.wasm", &vec![0; 11 * 1024 * 1024]);
    operator.refused(&["push", "fan-out", large.to_str().unwrap()], &["11534336", "10485760"]);
    operator.refused(&["push", "fan-out", "/nonexistent.wasm"], &["/nonexistent.wasm"]);
    operator.file("f.wasm.sig", b"not a signature");
    operator.refused(&["push", "fan-out", file], &["f.wasm.sig", "64 bytes"]);
    operator.refused(&["rollback", "fan-out"], &["409"]);
    operator.refused(&["list", "crm"], &["404", "`workflow`, `qr-renderer`, `fan-out`, `webhook`"]);
    let output = operator.plugin(&["list", "No_Name"]);
    assert_eq!(output.status.code(), Some(64));
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.contains("can't name a handler"), "{output}");
}

#[tokio::test]
async fn a_handler_is_granted_heard_switched_and_unsubscribed() {
    let host = host("development").await;
    let operator = Operator::of(&host);
    let file = operator.file("crm.wasm", &probe_handler());
    let digest = operator.pushes("crm", &file);
    assert!(operator.reads(&["subscriptions", "crm"]).contains("plugin grant crm"));

    let secret = operator.file("token", b"never-to-be-told\n");
    let secret = format!("token=@{}", secret.display());
    let granted = operator.reads(&["grant", "crm", "--log", "--secret", &secret]);
    assert!(granted.contains("crm/default") && granted.contains("secrets      token"), "{granted}");
    operator.refused(&["activate", "crm", &digest], &["--kv", "plugin grant crm --as default"]);
    let rest = ["--config-access", "--kv", "--clock", "--random", "--sign", "--session", "park"];
    let more = ["--http", "POST http://127.0.0.1:9/", "--set", "a=b", "--secret", "two=-"];
    let output = operator.plugin_fed(&[&["grant", "crm"], &rest[..], &more[..]].concat(), b"2nd");
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let all = operator.json(&["subscriptions", "crm"]);
    let default = &all["subscriptions"][0];
    assert_eq!(default["secrets"], json!(["token", "two"]), "what was there stays");
    assert_eq!((&default["grants"]["log"], &default["config"]["a"]), (&json!(true), &json!("b")));
    let argued = operator.plugin(&["grant", "crm", "--secret", "token=never-to-be-told"]);
    assert_eq!(argued.status.code(), Some(1));
    assert!(told(&argued).contains("token=@FILE"), "{}", told(&argued));

    operator.reads(&["activate", "crm", &digest]);
    host.init("one").await;
    until("its first line", async || {
        operator.reads(&["logs", "crm"]).contains("default/one").then_some(())
    })
    .await;
    let off = operator.reads(&["disable", "crm", "--why", "it rains"]);
    assert!(off.contains("default is off: ") && off.contains("it rains"), "{off}");
    assert!(operator.reads(&["seek", "crm", "--to", "0"]).contains("after 0"));
    operator.reads(&["enable", "crm"]);
    assert_eq!(operator.reads(&["dead-letters", "crm"]).trim(), "nothing was given up");
    assert!(operator.reads(&["requeue", "crm", "--all"]).contains("nothing to try once more"));
    operator.refused(&["dead-letters", "crm", "--event", "7"], &["404", "event 7"]);
    assert!(operator.reads(&["unsubscribe", "crm"]).contains("`crm/default` is gone"));
    operator.refused(&["unsubscribe", "crm"], &["404", "`default`"]);
    let history = operator.reads(&["history", "crm"]);
    for action in ["grant", "disable", "seek", "enable", "unsubscribe"] {
        assert!(history.contains(action), "{action}: {history}");
    }
    let told = [told(&argued), granted, history, host.log()].join("\n");
    assert!(!told.contains("never-to-be-told"), "{told}");
}

#[tokio::test]
async fn a_signature_beside_the_component_is_sent_with_it() {
    let key = Ed25519KeyPair::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pem = folder.path().join("release.pem");
    let head = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
    let der = BASE64_STANDARD.encode([head, key.public_key().as_ref()].concat());
    let text = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
    std::fs::write(&pem, text).unwrap();
    let host = TestHost::on("http://127.0.0.1:9/")
        .set("PAIRING_PLUGINS_KEYS", pem.display())
        .start()
        .await;
    let operator = Operator::of(&host);
    let component = marked(&released("fan-out"), 1);
    let file = operator.file("f.wasm", &component);
    operator.file("f.wasm.sig", key.sign(&component).as_ref());
    let digest = operator.pushes("fan-out", &file);
    assert_eq!(operator.json(&["inspect", "fan-out", &digest])["signedBy"], "release");
    let elsewhere = operator.file("elsewhere", BASE64_STANDARD.encode(key.sign(b"x")).as_bytes());
    let args =
        ["push", "fan-out", file.to_str().unwrap(), "--signature", elsewhere.to_str().unwrap()];
    operator.refused(&args, &["refused at the signature", "`release`"]);
}
