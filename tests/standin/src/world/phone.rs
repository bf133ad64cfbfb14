//! The phone: it scans the QR, types the code, removes linked devices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::{Inner, World, random_base64};
use crate::faults::{FaultKind, LogoutEvent, Stage, Target};
use crate::links::hmac_sha256;
use crate::protocol::{Account, ToPage};

/// How long a phone waits for the word that a page shows the ref that it has read.
const WORD_DEADLINE: Duration = Duration::from_millis(500);
/// How long a phone waits for the page to accept its answer.
const PAGE_DEADLINE: Duration = Duration::from_secs(20);

/// What linked a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Via {
    /// The phone scanned the QR.
    Qr,
    /// The phone's owner typed the code.
    Code,
}

/// A device that was linked just now.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Linked {
    /// The new device.
    pub device_id: String,
    /// Number of the account, digits only.
    pub phone_number: String,
    /// The browser profile that holds the link.
    pub browser: String,
    /// By QR or by code.
    pub via: Via,
}

/// Why the phone could not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhoneError {
    /// The image holds no QR that can be read.
    QrUnreadable,
    /// The text of the QR has not five fields, or its keys are not the page's.
    QrNotValid,
    /// No page shows this ref now: it was rotated, has expired, or the page is gone.
    QrExpired,
    /// No page has asked for a code for this number.
    CodeNotAsked,
    /// A code was asked for, but it is not this one.
    CodeWrong,
    /// The code's time is over.
    CodeExpired,
    /// The account wants a passkey.
    PasskeyRequired,
    /// The account has as many devices as it can have.
    TooManyDevices,
    /// The page did not accept the phone's answer.
    PageRefused,
    /// The page went away or did not answer in time.
    PageSilent,
}

impl PhoneError {
    /// What a person at the phone would be told.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::QrUnreadable => "no readable QR code is in the image",
            Self::QrNotValid => "this QR code is not one for linking a device",
            Self::QrExpired => "this QR code is no longer shown: scan the current one",
            Self::CodeNotAsked => "no code was asked for this phone number",
            Self::CodeWrong => "wrong code",
            Self::CodeExpired => "the code has expired: ask for a new one",
            Self::PasskeyRequired => "this account asks for a passkey to link a device",
            Self::TooManyDevices => "this account has as many linked devices as it can have",
            Self::PageRefused => "couldn't link device: the page did not accept the answer",
            Self::PageSilent => "couldn't link device: the page did not answer",
        }
    }
}

impl std::fmt::Display for PhoneError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for PhoneError {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageAnswerToPhone {
    Accepted,
    Rejected,
}

/// What the phone sent to a page, and where the page's answer will come.
struct Offer {
    linked: Linked,
    answer: oneshot::Receiver<PageAnswerToPhone>,
}

impl World {
    /// The phone of this account scans the text of a QR.
    pub(crate) async fn scan(
        self: &Arc<Self>,
        payload: &str,
        phone_number: &str,
        name: &str,
    ) -> Result<Linked, PhoneError> {
        self.hear_that_it_is_shown(payload).await;
        let offer = self.change(|inner| {
            inner.count("scans");
            inner.offer_by_qr(payload, account(phone_number, name))
        })?;
        self.wait_for_page(offer).await
    }

    /// A ref can be read off the page before the page's word that it shows it is here.
    async fn hear_that_it_is_shown(&self, payload: &str) {
        let r#ref = payload.split(',').next().unwrap_or_default();
        let is_to_come = |inner: &Inner| {
            inner.pages.values().any(|page| page.refs.iter().any(|one| one == r#ref))
        };
        let mut changes = self.watch();
        let heard = async { while self.read(is_to_come) && changes.changed().await.is_ok() {} };
        // What does not come in time is refused as not shown.
        let _ = tokio::time::timeout(WORD_DEADLINE, heard).await;
    }

    /// The owner of this account types a code into the phone.
    pub(crate) async fn enter_code(
        self: &Arc<Self>,
        phone_number: &str,
        code: &str,
        name: &str,
    ) -> Result<Linked, PhoneError> {
        let offer = self.change(|inner| {
            inner.count("codesEntered");
            inner.offer_by_code(code, account(phone_number, name))
        })?;
        self.wait_for_page(offer).await
    }

    async fn wait_for_page(&self, Offer { linked, answer }: Offer) -> Result<Linked, PhoneError> {
        match tokio::time::timeout(PAGE_DEADLINE, answer).await {
            Ok(Ok(PageAnswerToPhone::Accepted)) => Ok(linked),
            Ok(Ok(PageAnswerToPhone::Rejected)) => Err(PhoneError::PageRefused),
            Ok(Err(_)) | Err(_) => Err(PhoneError::PageSilent),
        }
    }
}

impl Inner {
    fn offer_by_qr(&mut self, payload: &str, account: Account) -> Result<Offer, PhoneError> {
        let fields: Vec<&str> = payload.split(',').collect();
        let [r#ref, noise, identity, adv_secret, _platform] = fields[..] else {
            return Err(PhoneError::QrNotValid);
        };
        let now = Instant::now();
        let shown = |page: &super::Page| {
            page.shown.as_ref().is_some_and(|shown| shown.r#ref == r#ref && now < shown.until)
        };
        let (connection, page) =
            self.pages.iter().find(|(_, page)| shown(page)).ok_or(PhoneError::QrExpired)?;
        if page.noise != noise || page.identity != identity {
            return Err(PhoneError::QrNotValid);
        }
        // Another secret than the page's is found out by the page.
        let secret = STANDARD.decode(adv_secret).unwrap_or_default();
        self.offer(*connection, account, &secret, Via::Qr)
    }

    fn offer_by_code(&mut self, code: &str, account: Account) -> Result<Offer, PhoneError> {
        let typed: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_uppercase();
        let asked: Vec<(u64, bool, bool)> = self
            .pages
            .iter()
            .filter_map(|(number, page)| page.code.as_ref().map(|code| (*number, code)))
            .filter(|(_, code)| code.phone_number == account.phone_number)
            .map(|(number, code)| (number, code.text == typed, Instant::now() < code.until))
            .collect();
        let (connection, _, fresh) = match asked.iter().find(|(_, same, _)| *same) {
            Some(found) => *found,
            None if asked.is_empty() => return Err(PhoneError::CodeNotAsked),
            None => return Err(PhoneError::CodeWrong),
        };
        if !fresh {
            return Err(PhoneError::CodeExpired);
        }
        self.send(connection, ToPage::PrimaryHello);
        self.offer(connection, account, typed.as_bytes(), Via::Code)
    }

    fn offer(
        &mut self,
        connection: u64,
        account: Account,
        secret: &[u8],
        via: Via,
    ) -> Result<Offer, PhoneError> {
        let browser =
            self.pages.get(&connection).map(|page| page.browser.clone()).unwrap_or_default();
        let subject = Target {
            browser: Some(browser.clone()),
            phone_number: Some(account.phone_number.clone()),
            connection: Some(connection),
        };
        let mut reload_after_ms = None;
        for fault in self.faults.strike(Stage::Phone, &subject, |_| true) {
            match fault {
                FaultKind::PasskeyRequired => {
                    self.send(connection, ToPage::PasskeyRequired);
                    return Err(PhoneError::PasskeyRequired);
                }
                FaultKind::ReloadAfterLink { ms } => reload_after_ms = Some(ms),
                _ => {}
            }
        }
        if self.links.of_account(&account.phone_number).count() >= self.settings.devices_per_account
        {
            return Err(PhoneError::TooManyDevices);
        }
        let (device_id, device_secret) = self.links.issue(&account, &random_base64(9));
        let (tell, answer) = oneshot::channel();
        self.pairing.insert(device_id.clone(), tell);
        let proof = format!("{device_id}|{}", account.phone_number);
        let mac = STANDARD.encode(hmac_sha256(secret, proof.as_bytes()));
        let linked = Linked {
            device_id: device_id.clone(),
            phone_number: account.phone_number.clone(),
            browser,
            via,
        };
        if let Some(page) = self.pages.get_mut(&connection) {
            page.offered = Some((device_id.clone(), account.clone()));
            let via = if via == Via::Qr { "qr" } else { "code" };
            page.send(ToPage::PairSuccess {
                device_id,
                account,
                secret: STANDARD.encode(device_secret),
                proof,
                mac,
                via,
                reload_after_ms,
            });
        }
        Ok(Offer { linked, answer })
    }

    /// The phone removes every device of its account; gives how many.
    pub(crate) fn unlink_account(&mut self, phone_number: &str) -> usize {
        let devices: Vec<String> = self.links.of_account(phone_number).cloned().collect();
        devices.iter().filter(|device_id| self.unlink_device(device_id)).count()
    }

    /// The phone removes one device; false when there was none.
    pub(crate) fn unlink_device(&mut self, device_id: &str) -> bool {
        let known = self.links.remove(device_id);
        for page in self.pages.values_mut() {
            if page.linked.as_ref().is_some_and(|(id, _)| id == device_id) {
                page.linked = None;
                page.send(ToPage::Logout {
                    event: LogoutEvent::LogoutFromBridge,
                    navigate: true,
                    reason: None,
                });
            }
        }
        known
    }
}

fn account(phone_number: &str, name: &str) -> Account {
    let digits: String = phone_number.chars().filter(char::is_ascii_digit).collect();
    let lid = Sha256::digest(digits.as_bytes())
        .iter()
        .take(15)
        .map(|byte| char::from(b'0' + byte % 10))
        .collect();
    Account { phone_number: digits, lid, name: name.to_owned() }
}
