//! What tests and the demo page may see of the server's state. No code is
//! shown: a test has to read it where a person would.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Inner;
use crate::faults::Fault;

/// The state of the stand-in at one moment.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StateView {
    /// Pages with an open socket, oldest first.
    pub pages: Vec<PageView>,
    /// Linked devices of all accounts.
    pub devices: Vec<DeviceView>,
    /// Faults that have not struck yet, by id.
    pub faults: BTreeMap<u64, Fault>,
    /// How often a page has loaded its scripts.
    pub boots: u64,
    /// Counts of `pageRequests`, `hellos`, `refsShown`, `codesAsked`,
    /// `codesEntered`, `scans`, `links`, `logins`, `pageLogouts`; absent when 0.
    pub counters: BTreeMap<&'static str, u64>,
}

/// One open socket of one page.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PageView {
    /// Number of the socket, growing.
    pub connection: u64,
    /// Id of the browser profile (a cookie).
    pub browser: String,
    /// Which loading of a page this is, growing.
    pub boot: u64,
    /// `navigator.userAgent` of the page.
    pub user_agent: String,
    /// What else the page's script sees of the browser: `hints` (client
    /// hints), `webdriver`, `chrome`, `plugins`, `languages`.
    pub browser_signs: serde_json::Value,
    /// The user agent and client hints in the headers of the last request for
    /// the page, by lower-case name.
    pub request_signs: BTreeMap<String, String>,
    /// `Socket.state` as the page last said.
    pub state: String,
    /// `Socket.hasSynced` as the page last said.
    pub has_synced: bool,
    /// The account that this page is logged in to.
    pub phone_number: Option<String>,
    /// The ref that it shows.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The number for which it shows a code.
    pub code_for: Option<String>,
}

/// A linked device.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceView {
    /// Id for `unlink`.
    pub device_id: String,
    /// Number of the account, digits only.
    pub phone_number: String,
    /// Name of the account.
    pub name: String,
    /// Browser profile that holds the link.
    pub browser: String,
    /// Whether a page is logged in with it now.
    pub online: bool,
}

impl StateView {
    /// How often something was counted.
    #[must_use]
    pub fn counter(&self, name: &str) -> u64 {
        self.counters.get(name).copied().unwrap_or_default()
    }
}

impl Inner {
    pub(crate) fn view(&self) -> StateView {
        let pages = self.pages.iter().map(|(connection, page)| PageView {
            connection: *connection,
            browser: page.browser.clone(),
            boot: page.boot,
            user_agent: page.user_agent.clone(),
            browser_signs: page.browser_signs.clone(),
            request_signs: self.request_signs.get(&page.browser).cloned().unwrap_or_default(),
            state: page.state.clone(),
            has_synced: page.has_synced,
            phone_number: page.linked.as_ref().map(|(_, account)| account.phone_number.clone()),
            reference: page.shown.as_ref().map(|shown| shown.r#ref.clone()),
            code_for: page.code.as_ref().map(|code| code.phone_number.clone()),
        });
        let online = |device_id: &str| {
            self.pages
                .values()
                .any(|page| page.linked.as_ref().is_some_and(|(id, _)| id == device_id))
        };
        let devices = self.links.devices.iter().map(|(device_id, device)| DeviceView {
            device_id: device_id.clone(),
            phone_number: device.account.phone_number.clone(),
            name: device.account.name.clone(),
            browser: device.browser.clone(),
            online: online(device_id),
        });
        StateView {
            pages: pages.collect(),
            devices: devices.collect(),
            faults: self.faults.list().into_iter().collect(),
            boots: self.boots,
            counters: self.counters.clone(),
        }
    }
}
