//! What people read. One sentence says what is, another what to do.

use crate::contract::{CodeFailure, CodeFailureKind, Refusal, RefusalCode};

pub(crate) const STARTING: &str = "The session is starting; a QR code follows.";
pub(crate) const STARTS_ALREADY: &str = "The session is starting already; a QR code follows.";
pub(crate) const SHOWS_ALREADY: &str =
    "The session is ready already: scan the QR code or ask for a pairing code.";
pub(crate) const LINKS_ALREADY: &str = "A phone is being linked already.";
pub(crate) const RECONNECTING: &str = "The session is linked; its connection is being restored.";
pub(crate) const RECONNECTS_ALREADY: &str = "The session is linked and connecting already.";
pub(crate) const CONNECTED_ALREADY: &str = "The session is linked and connected already.";
pub(crate) const NEW_QR: &str = "A new QR code is being made.";
pub(crate) const UNLINKING_THEN_PAIRING: &str =
    "The phone is being unlinked; a new QR code follows.";
pub(crate) const STOPPED: &str = "The session has been stopped; its link is kept.";
pub(crate) const STOPPED_UNLINKED: &str = "The session has been stopped.";
pub(crate) const STOPPED_ALREADY: &str = "The session is stopped already.";
pub(crate) const LOGGED_OUT: &str = "The phone has been unlinked.";
pub(crate) const NOTHING_LINKED: &str = "No phone is linked, so there is nothing to log out.";
pub(crate) const DELETED: &str = "The session has been removed.";
pub(crate) const DELETED_UNTOLD: &str = "The session has been removed, but the phone could not be told: remove the device there, under Settings, Linked Devices.";

pub(crate) const PARKED: &str =
    "Nobody used a code in time. Start the session again for a new one.";
pub(crate) const PARKED_UNSEEN: &str = "Nobody is looking at this session any more, so no further codes are made. Start it again for a new one.";
pub(crate) const UNLINKED: &str = "The linked device was removed on the phone. Link it again.";
pub(crate) const LINK_GONE: &str =
    "WhatsApp does not know this link any more. Link the phone again.";
pub(crate) const CONFLICT: &str =
    "WhatsApp Web is open elsewhere with the same link. Close it there, then reconnect.";
pub(crate) const CONFLICT_WAITS: &str = "WhatsApp Web is open elsewhere with the same link. It is taken back after a while; close it there, or reconnect now.";
pub(crate) const OUTDATED: &str = "WhatsApp refuses this browser or page as outdated. Update Chromium and the host, then reconnect.";
pub(crate) const PASSKEY: &str = "WhatsApp demands the account's passkey, which no browser without a person in front of it can give. Remove the passkey on the phone (Settings, Account, Passkeys), then start the session again; it can be made anew once the phone is linked.";
pub(crate) const NOT_BY_ITSELF: &str =
    "Automatic reconnection is turned off on this host: reconnect the session.";
pub(crate) const UNLINKING: &str = "The phone is being unlinked.";
pub(crate) const STOPPED_BY_ITSELF: &str = "the engine stopped by itself";
pub(crate) const NO_CODE_IN_TIME: &str = "the page showed no code in time";
pub(crate) const NO_CONNECTION_IN_TIME: &str = "the page did not connect in time";
pub(crate) const NO_SYNC_IN_TIME: &str = "the page did not synchronise in time";
pub(crate) const NO_LOGOUT_IN_TIME: &str = "the page did not confirm the logout in time";

pub(crate) fn banned(word: &str) -> String {
    format!(
        "WhatsApp refuses the account or the network ({word}). Look at the phone for its reason."
    )
}

/// What failed, of a session that is not connected again by itself.
pub(crate) fn rests_after(failure: &str) -> String {
    format!("The browser failed: {failure}. {NOT_BY_ITSELF}")
}

pub(crate) fn wrong_number_alert(expected_tail: &str, tail: &str) -> String {
    format!(
        "A phone with the number …{tail} was linked where …{expected_tail} was expected. It is being unlinked, without end until that is done."
    )
}

pub(crate) fn wrong_number(expected_tail: &str, tail: &str) -> String {
    format!(
        "The phone that was linked has the number …{tail}, but …{expected_tail} was expected; it has been unlinked again."
    )
}

fn refusal(code: RefusalCode, message: impl Into<String>) -> Refusal {
    Refusal { code, message: message.into() }
}

/// A link is at stake.
pub(crate) fn needs_confirmation(what: &str) -> Refusal {
    refusal(
        RefusalCode::AlreadyLinked,
        format!(
            "The session is linked, and {what} would unlink the phone; repeat it with confirm if that is wanted."
        ),
    )
}

pub(crate) fn linked_to_another() -> Refusal {
    refusal(
        RefusalCode::AlreadyLinked,
        "The session is linked to another number; repeat it with confirm to unlink that phone first.",
    )
}

pub(crate) fn not_qr_ready() -> Refusal {
    refusal(
        RefusalCode::SessionNotReady,
        "A pairing code can be made only while the session is QR_READY; init it and wait for that.",
    )
}

pub(crate) fn unlinking() -> Refusal {
    refusal(RefusalCode::SessionNotReady, "The phone is being unlinked; try again in a moment.")
}

pub(crate) fn code_for_another() -> Refusal {
    refusal(
        RefusalCode::SessionNotReady,
        "A pairing code for another number is being made; wait for it, or refresh the QR code first.",
    )
}

pub(crate) fn too_many_wait() -> Refusal {
    refusal(
        RefusalCode::SessionNotReady,
        "Too many wait for the same already; try again in a moment.",
    )
}

/// Something else happened while the caller waited.
pub(crate) fn overtaken(by: &str) -> Refusal {
    refusal(RefusalCode::SessionNotReady, format!("This was given up because {by}."))
}

pub(crate) fn engine_unavailable(why: &str) -> Refusal {
    refusal(
        RefusalCode::EngineUnavailable,
        format!("The browser could not do it: {why}. Try again."),
    )
}

pub(crate) fn not_unlinked(why: &str) -> Refusal {
    refusal(
        RefusalCode::EngineUnavailable,
        format!(
            "The phone could not be unlinked: {why}. The link is kept; try again, or remove the device on the phone under Linked Devices."
        ),
    )
}

pub(crate) fn passkey_required() -> Refusal {
    refusal(RefusalCode::PasskeyRequired, PASSKEY)
}

pub(crate) fn client_outdated() -> Refusal {
    refusal(RefusalCode::ClientOutdated, OUTDATED)
}

pub(crate) fn no_code_in_time() -> Refusal {
    refusal(
        RefusalCode::CodeTimeout,
        "WhatsApp gave no pairing code in time. Scan the QR code, or try again in a minute.",
    )
}

pub(crate) fn code_failed(failure: &CodeFailure) -> Refusal {
    let said = &failure.message;
    match failure.kind {
        CodeFailureKind::RateLimited => refusal(
            RefusalCode::RateLimited,
            "WhatsApp takes no more requests for this number for now. Scan the QR code, or wait before you try again.",
        ),
        CodeFailureKind::PhoneRefused => refusal(
            RefusalCode::PhoneInvalid,
            "WhatsApp does not accept this phone number. Check country code and number; it must be registered with WhatsApp.",
        ),
        CodeFailureKind::Refused => refusal(
            RefusalCode::CodeRefused,
            format!(
                "WhatsApp refused to make a pairing code ({said}). Scan the QR code, or try again later."
            ),
        ),
        CodeFailureKind::Timeout => no_code_in_time(),
        CodeFailureKind::PasskeyRequired => passkey_required(),
        CodeFailureKind::Interrupted => engine_unavailable("the page was loaded anew meanwhile"),
        CodeFailureKind::Other => engine_unavailable(said),
    }
}
