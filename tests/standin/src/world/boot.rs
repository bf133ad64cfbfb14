//! A page loads: which browser profile it is in, and what its `boot.js` says.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::Inner;
use crate::faults::{FaultKind, Stage};

/// How the page's address answers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PageAnswer {
    pub(crate) status: u16,
    pub(crate) delay_ms: u64,
}

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct ModuleFaults {
    missing: Vec<String>,
    late: serde_json::Map<String, serde_json::Value>,
    functions_missing: Vec<serde_json::Value>,
}

impl Inner {
    pub(crate) fn new_browser_id() -> String {
        format!("b{:06x}", rand::random::<u32>() & 0x00ff_ffff)
    }

    /// The answer to a request for the page itself.
    pub(crate) fn answer_page_request(
        &mut self,
        browser: &str,
        signs: BTreeMap<String, String>,
    ) -> PageAnswer {
        self.count("pageRequests");
        self.request_signs.insert(browser.to_owned(), signs);
        let subject = self.subject(browser, None);
        let own = |kind: &FaultKind| {
            matches!(kind, FaultKind::PageStatus { .. } | FaultKind::PageSlow { .. })
        };
        let mut answer = PageAnswer { status: 200, delay_ms: 0 };
        for fault in self.faults.strike(Stage::Load, &subject, own) {
            match fault {
                FaultKind::PageStatus { status } => answer.status = status,
                FaultKind::PageSlow { ms } => answer.delay_ms = ms,
                _ => {}
            }
        }
        answer
    }

    /// The script that tells a loading page its settings and faults.
    pub(crate) fn boot_script(&mut self, browser: &str) -> String {
        self.boots += 1;
        let subject = self.subject(browser, None);
        let own = |kind: &FaultKind| {
            !matches!(kind, FaultKind::PageStatus { .. } | FaultKind::PageSlow { .. })
        };
        let mut modules = ModuleFaults::default();
        let mut flags = serde_json::Map::new();
        flags.insert("reloadAfterMs".to_owned(), json!(null));
        for fault in self.faults.strike(Stage::Load, &subject, own) {
            match fault {
                FaultKind::ModuleMissing { module } => modules.missing.push(module),
                FaultKind::ModuleLate { module, ms } => {
                    drop(modules.late.insert(module, json!(ms)))
                }
                FaultKind::FunctionMissing { module, function } => {
                    modules.functions_missing.push(json!({"module": module, "function": function}))
                }
                FaultKind::DebugMissing => {
                    drop(flags.insert("debugMissing".to_owned(), json!(true)))
                }
                FaultKind::NeverBoots => drop(flags.insert("neverBoots".to_owned(), json!(true))),
                FaultKind::UnsupportedBrowser => {
                    drop(flags.insert("unsupportedBrowser".to_owned(), json!(true)))
                }
                FaultKind::MinifiedIds => drop(flags.insert("minifiedIds".to_owned(), json!(true))),
                FaultKind::RestlessFrames => {
                    drop(flags.insert("restlessFrames".to_owned(), json!(true)))
                }
                FaultKind::ReloadDuringInjection { ms } => {
                    drop(flags.insert("reloadAfterMs".to_owned(), json!(ms)))
                }
                _ => {}
            }
        }
        flags.insert("number".to_owned(), json!(self.boots));
        flags.insert("browser".to_owned(), json!(browser));
        flags.insert("settings".to_owned(), json!(self.settings));
        flags.insert("modules".to_owned(), json!(modules));
        format!("window.__standinBoot = {};\n", serde_json::Value::Object(flags))
    }
}
