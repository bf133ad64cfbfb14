//! The pages that are connected: opening of a socket, refs, codes, login and
//! the page's own logout.

use std::time::{Duration, Instant};

use super::{Inner, Outbox, Outgoing, random_base64};
use crate::faults::{FaultKind, Stage, Target};
use crate::links::Device;
use crate::protocol::{Account, CodeRefusal, FromPage, LinkClaim, ToPage};

use super::phone::PageAnswerToPhone;

/// One open socket of one page.
pub(super) struct Page {
    outbox: Outbox,
    nonce: String,
    pub(super) browser: String,
    pub(super) boot: u64,
    pub(super) user_agent: String,
    pub(super) browser_signs: serde_json::Value,
    pub(super) noise: String,
    pub(super) identity: String,
    pub(super) linked: Option<(String, Account)>,
    /// The refs that it was given and has not yet said to show.
    pub(super) refs: Vec<String>,
    pub(super) shown: Option<Shown>,
    pub(super) code: Option<Code>,
    pub(super) state: String,
    pub(super) has_synced: bool,
    /// The device that a phone offers and the page has not yet accepted.
    pub(super) offered: Option<(String, Account)>,
}

/// The ref that the page shows.
pub(super) struct Shown {
    pub(super) r#ref: String,
    pub(super) until: Instant,
}

/// The code that the page shows.
pub(super) struct Code {
    pub(super) phone_number: String,
    pub(super) text: String,
    pub(super) until: Instant,
}

impl Page {
    pub(super) fn send(&self, frame: ToPage) {
        // A page that is gone is removed by its own task.
        let _ = self.outbox.send(Outgoing::Frame(frame));
    }

    fn close(&self) {
        let _ = self.outbox.send(Outgoing::Close);
    }
}

impl Inner {
    /// A socket opened; gives its number.
    pub(crate) fn page_connected(&mut self, outbox: Outbox) -> u64 {
        self.connections += 1;
        let page = Page {
            outbox,
            nonce: random_base64(16),
            browser: String::new(),
            boot: 0,
            user_agent: String::new(),
            browser_signs: serde_json::Value::Null,
            noise: String::new(),
            identity: String::new(),
            linked: None,
            refs: Vec::new(),
            shown: None,
            code: None,
            state: "OPENING".to_owned(),
            has_synced: false,
            offered: None,
        };
        page.send(ToPage::Challenge { nonce: page.nonce.clone() });
        self.pages.insert(self.connections, page);
        self.connections
    }

    pub(crate) fn page_gone(&mut self, connection: u64) {
        if let Some((device_id, _)) = self.pages.remove(&connection).and_then(|page| page.offered) {
            self.pairing.remove(&device_id);
        }
    }

    /// Ends every page's socket, when the stand-in stops.
    pub(crate) fn close_pages(&mut self) {
        self.pages.values().for_each(Page::close);
    }

    pub(crate) fn page_says(&mut self, connection: u64, frame: FromPage) {
        match frame {
            FromPage::Hello { boot, browser, noise, identity, user_agent, browser_signs, link } => {
                if let Some(page) = self.pages.get_mut(&connection) {
                    (page.boot, page.browser, page.noise, page.identity) =
                        (boot, browser, noise, identity);
                    (page.user_agent, page.browser_signs) = (user_agent, browser_signs);
                }
                self.hello(connection, link);
            }
            FromPage::RefShown { r#ref, life_ms } => self.ref_shown(connection, r#ref, life_ms),
            FromPage::State { state, has_synced } => {
                if let Some(page) = self.pages.get_mut(&connection) {
                    (page.state, page.has_synced) = (state, has_synced);
                }
            }
            FromPage::CompanionHello { id, phone_number, code } => {
                self.code_asked(connection, id, phone_number, code)
            }
            FromPage::CodeDropped => {
                if let Some(page) = self.pages.get_mut(&connection) {
                    page.code = None;
                }
            }
            FromPage::PairAccepted { device_id } => self.pair_accepted(connection, &device_id),
            FromPage::PairRejected { device_id } => {
                if let Some(page) = self.pages.get_mut(&connection) {
                    page.offered = None;
                }
                self.answer_phone(&device_id, PageAnswerToPhone::Rejected);
            }
            FromPage::Logout => self.page_logs_out(connection),
        }
    }

    fn hello(&mut self, connection: u64, claim: Option<LinkClaim>) {
        self.count("hellos");
        let Some((browser, nonce)) =
            self.pages.get(&connection).map(|page| (page.browser.clone(), page.nonce.clone()))
        else {
            return;
        };
        let account = claim
            .as_ref()
            .map(|claim| self.links.check(&claim.device_id, &nonce, &claim.proof, &browser));
        let subject = Target {
            phone_number: account.clone().flatten().map(|account| account.phone_number),
            ..self.subject(&browser, Some(connection))
        };
        let claims_link = claim.is_some();
        let faults = self.faults.strike(Stage::Connect, &subject, |kind| match kind {
            FaultKind::ShortRefs { .. } | FaultKind::ReloadWhileUnpaired { .. } => !claims_link,
            FaultKind::NeverReady | FaultKind::SlowSync { .. } => claims_link,
            _ => true,
        });
        for fault in &faults {
            match fault {
                FaultKind::NeverOpens => return,
                FaultKind::Blocked { state } => {
                    return self.send(connection, ToPage::SetState { state: state.clone() });
                }
                _ => {}
            }
        }
        match (claim, account) {
            (Some(claim), Some(Some(account))) => {
                self.log_in(connection, claim.device_id, account, &faults)
            }
            (Some(_), _) => self.send(connection, ToPage::LoginRefused),
            (None, _) => self.hand_out_refs(connection, &faults),
        }
        self.strike_live_faults(connection, &subject);
    }

    fn hand_out_refs(&mut self, connection: u64, faults: &[FaultKind]) {
        let refs: Vec<String> =
            (0..self.settings.ref_count).map(|_| format!("2@{}", random_base64(72))).collect();
        let (mut first_ms, mut next_ms) = (self.settings.first_ref_ms, self.settings.next_ref_ms);
        let mut reload = self.settings.reload_unlinked_after_ms;
        for fault in faults {
            match fault {
                FaultKind::ShortRefs { ms } => (first_ms, next_ms) = (*ms, *ms),
                FaultKind::ReloadWhileUnpaired { ms } => reload = Some(*ms),
                _ => {}
            }
        }
        let Some(page) = self.pages.get_mut(&connection) else { return };
        page.refs.clone_from(&refs);
        page.send(ToPage::PairDevice { refs, first_ms, next_ms });
        if let Some(ms) = reload {
            page.send(ToPage::Reload { ms });
        }
    }

    fn ref_shown(&mut self, connection: u64, r#ref: Option<String>, life_ms: u64) {
        self.count("refsShown");
        if let Some(page) = self.pages.get_mut(&connection) {
            let place = page.refs.iter().position(|one| Some(one) == r#ref.as_ref());
            // Those before it were passed over; no ref at all: they have run out.
            let passed = place.map_or(page.refs.len(), |place| place + 1);
            let shown = page.refs.drain(..passed).next_back().filter(|_| place.is_some());
            page.shown = shown.map(|r#ref| Shown {
                r#ref,
                until: Instant::now() + Duration::from_millis(life_ms),
            });
        }
    }

    fn log_in(
        &mut self,
        connection: u64,
        device_id: String,
        account: Account,
        faults: &[FaultKind],
    ) {
        self.count("logins");
        let before: Vec<u64> = self
            .pages
            .iter()
            .filter(|(number, page)| {
                **number != connection
                    && page.linked.as_ref().is_some_and(|(id, _)| *id == device_id)
            })
            .map(|(number, _)| *number)
            .collect();
        for number in before {
            self.send(number, ToPage::Conflict);
        }
        let mut sync_ms = Some(self.settings.sync_ms);
        for fault in faults {
            match fault {
                FaultKind::NeverReady => sync_ms = None,
                FaultKind::SlowSync { ms } => sync_ms = Some(*ms),
                _ => {}
            }
        }
        if let Some(page) = self.pages.get_mut(&connection) {
            page.linked = Some((device_id, account.clone()));
            page.send(ToPage::LoginOk { account, sync_ms });
        }
    }

    fn code_asked(&mut self, connection: u64, id: u64, phone_number: String, code: String) {
        self.count("codesAsked");
        let Some(browser) = self.pages.get(&connection).map(|page| page.browser.clone()) else {
            return;
        };
        let subject = Target {
            browser: Some(browser),
            phone_number: Some(phone_number.clone()),
            connection: Some(connection),
        };
        let mut refusal = (!is_international(&phone_number)).then(|| CodeRefusal::with_status(400));
        for fault in self.faults.strike(Stage::Code, &subject, |_| true) {
            match fault {
                FaultKind::CodeHangs => return,
                FaultKind::CodeRefused { status } => {
                    refusal = Some(CodeRefusal::with_status(status))
                }
                FaultKind::CodeRevokesLink => drop(self.unlink_account(&phone_number)),
                _ => {}
            }
        }
        let until = Instant::now() + Duration::from_millis(self.settings.code_life_ms);
        if let Some(page) = self.pages.get_mut(&connection) {
            if refusal.is_none() {
                page.code = Some(Code { phone_number, text: code, until });
            }
            page.send(ToPage::CompanionHelloAnswer { id, refusal });
        }
    }

    fn pair_accepted(&mut self, connection: u64, device_id: &str) {
        let Some(page) = self.pages.get_mut(&connection) else { return };
        let Some((offered, account)) =
            page.offered.take().filter(|(offered, _)| offered == device_id)
        else {
            return;
        };
        (page.shown, page.code) = (None, None);
        page.refs.clear();
        let browser = page.browser.clone();
        // As the real server, end the stream: the page comes back logging in.
        page.close();
        self.links.add(offered, Device { account, browser });
        self.count("links");
        self.answer_phone(device_id, PageAnswerToPhone::Accepted);
    }

    fn answer_phone(&mut self, device_id: &str, answer: PageAnswerToPhone) {
        if let Some(phone) = self.pairing.remove(device_id) {
            // A phone that no longer waits has given up.
            let _ = phone.send(answer);
        }
    }

    fn page_logs_out(&mut self, connection: u64) {
        self.count("pageLogouts");
        let Some(page) = self.pages.get_mut(&connection) else { return };
        let linked = page.linked.take();
        page.send(ToPage::LogoutDone);
        if let Some((device_id, _)) = linked {
            self.links.remove(&device_id);
        }
    }

    pub(super) fn send(&self, connection: u64, frame: ToPage) {
        if let Some(page) = self.pages.get(&connection) {
            page.send(frame);
        }
    }
}

/// International form: digits alone, no leading zero, 8 to 15 of them.
fn is_international(phone_number: &str) -> bool {
    (8..=15).contains(&phone_number.len())
        && phone_number.bytes().all(|byte| byte.is_ascii_digit())
        && !phone_number.starts_with('0')
}
