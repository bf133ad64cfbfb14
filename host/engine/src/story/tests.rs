//! Sequences of messages, and what the session hears of each.

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;

/// Messages as the agent sends them, shortened: each gets its document and number.
struct Page {
    story: Story,
    doc: u32,
    seq: u64,
}

impl Page {
    fn new() -> Self {
        let mut page = Self { story: Story::new(Arc::new(PageHooks::embedded())), doc: 0, seq: 0 };
        assert_eq!(page.reload(false), "");
        page
    }

    fn reload(&mut self, logged_out: bool) -> String {
        self.doc += 1;
        self.seq = 0;
        let hello = self.say(json!({"kind": "hello", "loggedOut": logged_out}));
        [hello, self.say(json!({"kind": "begun"}))].concat()
    }

    fn say(&mut self, mut message: Value) -> String {
        self.seq += 1;
        message["doc"] = json!(self.doc.to_string());
        message["seq"] = json!(self.seq);
        self.hear(message)
    }

    fn hear(&mut self, message: Value) -> String {
        let said = self.story.hear(serde_json::from_value(message).unwrap());
        said.iter().map(in_short).collect::<Vec<_>>().join(" ")
    }

    /// `STATE`, then any of `ref`, `code`, `synced`, `account`.
    fn state(&mut self, words: &str) -> String {
        let mut words = words.split(' ');
        let state = words.next().unwrap();
        let rest: Vec<_> = words.collect();
        let account = rest
            .contains(&"account")
            .then(|| json!({"phoneNumber": "491511234567", "name": "Ada"}));
        self.say(json!({"kind": "state", "state": state, "ref": rest.contains(&"ref"), "byCode": rest.contains(&"code"),
            "synced": rest.contains(&"synced"), "account": account}))
    }

    fn qr(&mut self, payload: &str) -> String {
        self.say(json!({"kind": "qr", "payload": payload}))
    }

    fn ready() -> Self {
        let mut page = Self::new();
        page.state("CONNECTED synced account");
        page
    }
}

fn in_short(said: &Said) -> String {
    use EngineReport::*;
    match said {
        Said::Qr { payload, begins_round } => {
            format!("qr:{}{}", payload.expose_secret(), if *begins_round { "!" } else { "" })
        }
        Said::Report(Ready(account)) => format!("ready:{}", account.phone_number),
        Said::Report(Loading { percent }) => format!("{percent}%"),
        Said::Report(LoggedOut { by_us }) => format!("logged-out:{by_us}"),
        Said::Report(Banned { word }) => format!("banned:{word}"),
        Said::Report(report) => format!("{report:?}"),
    }
}

#[test]
fn a_scan_from_the_first_ref_to_ready() {
    let mut page = Page::new();
    assert_eq!(page.story.expected(), Expected::Boot);
    assert_eq!(page.state("OPENING"), "");
    assert_eq!(page.state("PAIRING"), "", "a step of opening is no scan");
    assert_eq!(page.state("UNPAIRED ref"), "");
    assert_eq!(page.qr("a"), "qr:a!");
    assert_eq!(page.story.expected(), Expected::Nothing);
    assert_eq!(page.qr("b"), "qr:b");
    assert_eq!(page.state("UNPAIRED"), "");
    assert_eq!(page.state("PAIRING"), "Authenticated");
    assert_eq!(page.state("OPENING"), "");
    assert_eq!(page.state("CONNECTED"), "");
    assert_eq!(page.story.expected(), Expected::Sync);
    assert_eq!(page.say(json!({"kind": "progress", "percent": 25})), "25%");
    assert_eq!(page.say(json!({"kind": "progress", "percent": 25.4})), "");
    assert_eq!(page.state("CONNECTED synced"), "", "not ready before the account is known");
    assert_eq!(page.state("CONNECTED synced account"), "ready:491511234567");
    assert_eq!(page.story.expected(), Expected::Nothing);
}

#[test]
fn a_restart_on_a_linked_profile_needs_no_scan() {
    let mut page = Page::new();
    assert_eq!(page.state("OPENING"), "");
    assert_eq!(page.state("CONNECTED"), "Authenticated");
    assert_eq!(page.state("CONNECTED synced account"), "ready:491511234567");
}

#[test]
fn refs_that_run_out_expire_and_a_refresh_begins_a_round() {
    for idle in ["UNPAIRED_IDLE", "UNPAIRED_IDLE ref"] {
        let mut page = Page::new();
        page.state("UNPAIRED ref");
        page.qr("a");
        assert_eq!(page.state(idle), "QrExpired");
        assert_eq!(page.state("UNPAIRED_IDLE synced"), "", "once");
        page.state("OPENING");
        page.state("UNPAIRED ref");
        assert_eq!(page.qr("b"), "qr:b!");
        assert_eq!(page.state(idle), "QrExpired");
    }
}

#[test]
fn a_reload_while_unpaired_begins_a_round_and_is_no_failure() {
    let mut page = Page::new();
    page.state("UNPAIRED ref");
    page.qr("a");
    assert_eq!(page.reload(false), "");
    assert_eq!(page.story.expected(), Expected::Boot);
    page.state("UNPAIRED ref");
    assert_eq!(page.qr("b"), "qr:b!");
}

#[test]
fn by_code_no_qr_is_shown_and_none_expires() {
    let mut page = Page::new();
    page.state("UNPAIRED ref");
    page.qr("a");
    assert_eq!(page.state("UNPAIRED ref code"), "");
    assert_eq!(page.qr("void"), "");
    assert_eq!(page.story.expected(), Expected::Nothing);
    assert_eq!(page.state("UNPAIRED_IDLE code"), "");
    assert_eq!(page.state("UNPAIRED ref"), "");
    assert_eq!(page.qr("b"), "qr:b!", "leaving the code begins a round");
}

#[test]
fn a_lost_connection_is_told_once_and_so_is_its_return() {
    let mut page = Page::ready();
    assert_eq!(page.state("TIMEOUT"), "ConnectionLost");
    assert_eq!(page.state("OPENING"), "");
    assert_eq!(page.story.expected(), Expected::Nothing, "a linked page heals itself");
    assert_eq!(page.state("CONNECTED"), "");
    assert_eq!(page.state("CONNECTED synced account"), "ready:491511234567");
    assert_eq!(page.reload(false), "ConnectionLost");
    assert_eq!(page.state("CONNECTED synced account"), "ready:491511234567");
}

#[test]
fn the_link_s_end_in_each_of_its_forms() {
    let by_event = |event: &str| Page::ready().say(json!({"kind": "logout", "event": event}));
    assert_eq!(by_event("logout"), "logged-out:false");
    assert_eq!(by_event("logout_from_bridge"), "logged-out:false");
    assert_eq!(Page::ready().state("UNPAIRED"), "logged-out:false");
    assert_eq!(Page::ready().state("UNPAIRED_IDLE"), "logged-out:false");
    assert_eq!(Page::ready().reload(true), "logged-out:false");
}

#[test]
fn after_the_link_s_end_nothing_is_said() {
    let mut page = Page::ready();
    page.say(json!({"kind": "logout", "event": "logout"}));
    assert_eq!(page.reload(true), "");
    assert_eq!(page.state("UNPAIRED ref"), "");
    assert_eq!(page.qr("a"), "");
    assert_eq!(page.story.expected(), Expected::Nothing);
}

#[test]
fn our_logout_counts_only_once_the_page_is_unlinked() {
    for confirmation in ["state", "reload"] {
        let mut page = Page::ready();
        assert!(page.story.begin_log_out().is_none());
        assert_eq!(page.story.expected(), Expected::LogOut);
        assert_eq!(page.say(json!({"kind": "logout", "event": "logout"})), "");
        let said = if confirmation == "state" { page.state("UNPAIRED") } else { page.reload(true) };
        assert!(said.ends_with("logged-out:true"), "{said}");
    }
    let mut page = Page::new();
    page.state("UNPAIRED ref");
    assert_eq!(
        page.story.begin_log_out(),
        Some(EngineReport::LoggedOut { by_us: true }),
        "nothing to unlink"
    );
}

#[test]
fn refusals_are_told_once_with_their_word() {
    for (state, said) in [
        ("CONFLICT", "Conflict"),
        ("PROXYBLOCK", "banned:PROXYBLOCK"),
        ("TOS_BLOCK", "banned:TOS_BLOCK"),
        ("SMB_TOS_BLOCK", "banned:SMB_TOS_BLOCK"),
        ("DEPRECATED_VERSION", "ClientOutdated"),
    ] {
        let mut page = Page::new();
        assert_eq!(page.state(state), said);
        assert_eq!(page.state(&format!("{state} ref")), "");
        assert_eq!(page.story.expected(), Expected::Nothing);
    }
    let mut page = Page::new();
    assert_eq!(page.say(json!({"kind": "unsupported"})), "ClientOutdated");
    assert_eq!(page.say(json!({"kind": "passkey"})), "PasskeyRequired");
    assert_eq!(page.say(json!({"kind": "passkey"})), "");
}

#[test]
fn what_was_heard_before_or_comes_from_an_older_document_is_dropped() {
    let mut page = Page::new();
    page.state("UNPAIRED ref");
    let again = json!({"kind": "qr", "payload": "a", "doc": "1", "seq": 4});
    assert_eq!(page.hear(again.clone()), "qr:a!");
    assert_eq!(page.hear(again), "");
    page.reload(false);
    assert_eq!(page.hear(json!({"kind": "state", "state": "CONFLICT", "ref": false, "byCode": false, "synced": false, "doc": "1", "seq": 99})), "");
}

#[test]
fn linking_that_fails_shows_codes_again() {
    let mut page = Page::new();
    page.state("UNPAIRED ref");
    page.qr("a");
    assert_eq!(page.state("PAIRING"), "Authenticated");
    page.state("OPENING");
    page.state("UNPAIRED ref");
    assert_eq!(page.qr("b"), "qr:b!");
    assert_eq!(page.state("PAIRING"), "Authenticated");
}

#[test]
fn what_is_overdue_is_named() {
    let mut page = Page::new();
    page.story.has_begun = false;
    page.say(json!({"kind": "waiting", "missing": "WAWebConnModel#Conn"}));
    let (kind, why) = page.story.overdue();
    assert_eq!(
        (kind, why.as_str()),
        (EngineFailureKind::PageChanged, "the page lacks WAWebConnModel#Conn")
    );
    page.say(json!({"kind": "begun"}));
    page.state("OPENING");
    assert_eq!(page.story.step(), "page OPENING");
    assert!(page.story.overdue().1.contains("stayed OPENING"));
    page.state("CONNECTED");
    page.say(json!({"kind": "progress", "percent": 40}));
    assert_eq!(page.story.step(), "synchronising (page CONNECTED, 40 %)");
    page.state("UNPAIRED_NEW");
    assert_eq!(page.story.overdue().0, EngineFailureKind::PageChanged);
}
