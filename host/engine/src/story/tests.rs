//! Sequences of messages, and what the session hears of each.

use std::sync::Arc;

use proptest::prelude::*;
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
fn an_idle_page_is_left_in_peace_until_asked_for_a_code() {
    let mut page = Page::new();
    page.state("UNPAIRED_IDLE");
    assert_eq!(page.story.expected(), Expected::Nothing);
    page.story.expect_qr();
    assert_eq!(page.story.expected(), Expected::Boot);
    page.state("UNPAIRED ref");
    page.qr("a");
    page.state("UNPAIRED_IDLE");
    assert_eq!(page.story.expected(), Expected::Nothing, "it has come");
    page.story.expect_qr();
    page.state("UNPAIRED ref code");
    page.state("UNPAIRED_IDLE code");
    assert_eq!(page.story.expected(), Expected::Nothing, "a pairing code took its place");
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
fn a_link_that_ended_for_the_page_s_age_is_told_as_outdated_unless_it_was_our_logout() {
    let reason = "[\"client_version_outdated\"]";
    let logout = json!({"kind": "logout", "event": "logout", "reason": reason});
    let mut page = Page::ready();
    assert_eq!(page.say(logout.clone()), "ClientOutdated");
    assert_eq!(page.reload(true), "", "told once");
    let mut page = Page::ready();
    page.doc += 1;
    page.seq = 0;
    let address = "?post_logout=1&logout_reason=client_version_outdated";
    let hello = json!({"kind": "hello", "loggedOut": true, "reason": address});
    assert_eq!(page.say(hello), "ClientOutdated");
    let mut page = Page::ready();
    page.story.begin_log_out();
    assert_eq!(page.say(logout), "");
    assert_eq!(page.state("UNPAIRED"), "logged-out:true");
}

#[test]
fn an_agent_that_took_another_s_place_goes_on_with_its_story() {
    let mut page = Page::ready();
    page.doc += 1;
    page.seq = 0;
    assert_eq!(page.say(json!({"kind": "hello", "again": true, "loggedOut": false})), "");
    assert!(!page.story.has_begun() && page.story.has_link());
    assert_eq!(page.say(json!({"kind": "begun"})), "");
    assert_eq!(page.state("CONNECTED synced account"), "");
    assert_eq!(page.state("TIMEOUT"), "ConnectionLost");
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

/// Any message of a page that does what it likes.
fn any_message() -> impl Strategy<Value = Value> {
    let states = [
        "UNLAUNCHED",
        "OPENING",
        "PAIRING",
        "UNPAIRED",
        "UNPAIRED_IDLE",
        "CONNECTED",
        "TIMEOUT",
        "CONFLICT",
        "TOS_BLOCK",
        "DEPRECATED_VERSION",
        "NEW_WORD",
    ];
    let state = (proptest::sample::select(states.to_vec()), any::<[bool; 4]>()).prop_map(
        |(state, [r#ref, code, synced, account])| {
            let account = account.then(|| json!({"phoneNumber": "491511234567", "name": null}));
            json!({"kind": "state", "state": state, "ref": r#ref, "byCode": code, "synced": synced, "account": account})
        },
    );
    prop_oneof![
        8 => state,
        4 => Just(json!({"kind": "qr", "payload": "a"})),
        1 => any::<[bool; 2]>().prop_map(|[out, again]| json!({"kind": "hello", "loggedOut": out, "again": again})),
        1 => Just(json!({"kind": "begun"})),
        1 => (0.0..120.0).prop_map(|percent| json!({"kind": "progress", "percent": percent})),
        1 => Just(json!({"kind": "logout", "event": "logout"})),
        1 => Just(json!({"kind": "waiting", "missing": "x"})),
        1 => Just(json!({"kind": "expect-qr"})),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_page_tells_the_session_hears_a_story_that_makes_sense(
        messages in proptest::collection::vec(any_message(), 0..40),
    ) {
        let mut page = Page::new();
        let mut heard: Vec<String> = Vec::new();
        for message in messages {
            let (kind, before) = (message["kind"].clone(), page.story.now.clone());
            let said = match kind.as_str().unwrap() {
                "hello" => page.reload(message["loggedOut"] == true),
                "expect-qr" => { page.story.expect_qr(); String::new() }
                _ => page.say(message),
            };
            if said.contains("qr:") {
                prop_assert!(before.state == "UNPAIRED" && !before.by_code, "a code is valid only there");
            }
            heard.extend(said.split_whitespace().map(str::to_owned));
            // Naming what is waited for never fails.
            let _ = (page.story.expected(), page.story.step(), page.story.overdue());
        }
        let place = |word: &str| heard.iter().position(|heard| heard.starts_with(word));
        if let Some(end) = place("logged-out") {
            prop_assert_eq!(end, heard.len() - 1, "nothing follows the link's end: {:?}", heard);
        }
        if let Some(first) = place("qr:") {
            prop_assert!(heard[first].ends_with('!'), "the first code begins a round: {:?}", heard);
        }
        let mut is_ready = false;
        for word in &heard {
            if word.starts_with("ready") {
                prop_assert!(!is_ready, "ready twice: {:?}", heard);
                is_ready = true;
            }
            if ["ConnectionLost", "Conflict"].contains(&word.as_str()) {
                is_ready = false;
            }
            prop_assert!(!(is_ready && word.ends_with('%')), "progress after the end: {:?}", heard);
        }
    }
}
