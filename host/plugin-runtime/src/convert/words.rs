//! Words that several worlds use.

use pairing_core::{
    clock::Timestamp,
    event::CodeNotice,
    session::{Account, CodeKind, Detail, Reason, Status},
};

use super::same_cases;
use crate::bindings::types as wit;

same_cases!(Status => wit::Status: Disconnected Connecting QrReady Authenticated Connected);
same_cases!(wit::Status => Status: Disconnected Connecting QrReady Authenticated Connected);
same_cases!(Reason => wit::Reason: NotStarted Starting Loading Reconnecting Parked Stopped
    LoggedOut UnlinkedFromPhone Conflict ClientOutdated Banned PasskeyRequired EngineCrashed
    PageChanged Degraded Other);
same_cases!(wit::Reason => Reason: NotStarted Starting Loading Reconnecting Parked Stopped
    LoggedOut UnlinkedFromPhone Conflict ClientOutdated Banned PasskeyRequired EngineCrashed
    PageChanged Degraded Other);
same_cases!(wit::CodeKind => CodeKind: Qr PairingCode);

impl From<&Detail> for wit::Detail {
    fn from(detail: &Detail) -> Self {
        Self {
            percent: detail.percent,
            attempt: detail.attempt,
            next_try_at: detail.next_try_at.map(|time| time.0),
            message: detail.message.clone(),
            step: detail.step.clone(),
        }
    }
}

impl From<wit::Detail> for Detail {
    fn from(detail: wit::Detail) -> Self {
        Self {
            percent: detail.percent,
            attempt: detail.attempt,
            next_try_at: detail.next_try_at.map(Timestamp),
            message: detail.message,
            step: detail.step,
        }
    }
}

impl From<&Account> for wit::Account {
    fn from(account: &Account) -> Self {
        Self { phone_number: account.phone_number.clone(), name: account.name.clone() }
    }
}

impl From<wit::Account> for Account {
    fn from(account: wit::Account) -> Self {
        Self { phone_number: account.phone_number, name: account.name }
    }
}

impl From<CodeNotice> for wit::CodeNotice {
    fn from(notice: CodeNotice) -> Self {
        Self { sequence: notice.sequence, expires_at: notice.expires_at.0 }
    }
}

impl From<wit::CodeNotice> for CodeNotice {
    fn from(notice: wit::CodeNotice) -> Self {
        Self { sequence: notice.sequence, expires_at: Timestamp(notice.expires_at) }
    }
}
