//! Events, both ways: the workflow makes some, the fan-out is given all.

use pairing_core::{
    event::{EventData, JournalEvent},
    handler::HandlerEvent,
};

use crate::bindings::events as wit;

impl From<&JournalEvent> for wit::Event {
    fn from(event: &JournalEvent) -> Self {
        Self {
            id: event.id.to_string(),
            session_name: event.session.as_str().into(),
            at: event.at.0,
            data: (&event.data).into(),
        }
    }
}

impl From<&HandlerEvent> for wit::Event {
    fn from(event: &HandlerEvent) -> Self {
        Self {
            id: event.id.clone(),
            session_name: event.session.as_str().into(),
            at: event.at.0,
            data: (&event.data).into(),
        }
    }
}

impl From<&EventData> for wit::EventData {
    fn from(data: &EventData) -> Self {
        match data {
            EventData::StatusUpdate { status, reason, detail, account } => {
                Self::StatusUpdate(wit::StatusUpdate {
                    status: (*status).into(),
                    reason: reason.map(Into::into),
                    detail: detail.as_ref().map(Into::into),
                    account: account.as_ref().map(Into::into),
                })
            }
            EventData::QrCode(notice) => Self::QrCode((*notice).into()),
            EventData::PairingCode(notice) => Self::PairingCode((*notice).into()),
            EventData::Loading { percent } => Self::Loading(*percent),
            EventData::SessionConnected { account } => Self::SessionConnected(account.into()),
            EventData::SessionDisconnected { reason } => {
                Self::SessionDisconnected((*reason).into())
            }
            EventData::SessionDeleted => Self::SessionDeleted,
            EventData::Other { kind, fields } => {
                Self::Other(wit::OtherEvent { kind: kind.clone(), fields: fields.clone() })
            }
        }
    }
}

impl From<wit::EventData> for EventData {
    fn from(data: wit::EventData) -> Self {
        match data {
            wit::EventData::StatusUpdate(update) => Self::StatusUpdate {
                status: update.status.into(),
                reason: update.reason.map(Into::into),
                detail: update.detail.map(Into::into),
                account: update.account.map(Into::into),
            },
            wit::EventData::QrCode(notice) => Self::QrCode(notice.into()),
            wit::EventData::PairingCode(notice) => Self::PairingCode(notice.into()),
            wit::EventData::Loading(percent) => Self::Loading { percent },
            wit::EventData::SessionConnected(account) => {
                Self::SessionConnected { account: account.into() }
            }
            wit::EventData::SessionDisconnected(reason) => {
                Self::SessionDisconnected { reason: reason.into() }
            }
            wit::EventData::SessionDeleted => Self::SessionDeleted,
            wit::EventData::Other(other) => Self::Other { kind: other.kind, fields: other.fields },
        }
    }
}
