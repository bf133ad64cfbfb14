//! Every situation that a session can be in, reached as it is reached in life.

use super::world::{PHONE, World, account, code_for, crash, init, init_expecting};
use crate::contract::{Command, EngineEvent};

impl World {
    pub(crate) fn starting() -> Self {
        let mut world = Self::new();
        world.command(init());
        world
    }

    pub(crate) fn qr_ready() -> Self {
        let mut world = Self::starting();
        world.engine(EngineEvent::Started);
        world.engine(EngineEvent::QrMade(true));
        world
    }

    /// The page makes no QR code for now.
    pub(crate) fn qr_renewing() -> Self {
        let mut world = Self::qr_ready();
        world.engine(EngineEvent::QrExpired);
        world
    }

    pub(crate) fn code_asked() -> Self {
        let mut world = Self::qr_ready();
        world.command(code_for(PHONE, false));
        world
    }

    pub(crate) fn code_shown() -> Self {
        let mut world = Self::code_asked();
        world.engine(EngineEvent::CodeMade);
        world
    }

    pub(crate) fn pairing_waits() -> Self {
        let mut world = Self::qr_ready();
        world.engine(crash());
        world
    }

    pub(crate) fn parked() -> Self {
        let mut world = Self::qr_ready();
        for _ in 0..world.settings.max_qr_rounds {
            world.engine(EngineEvent::QrExpired);
        }
        world
    }

    pub(crate) fn linking() -> Self {
        let mut world = Self::qr_ready();
        world.engine(EngineEvent::Authenticated);
        world
    }

    pub(crate) fn online() -> Self {
        let mut world = Self::linking();
        world.engine(EngineEvent::Ready(account()));
        world
    }

    pub(crate) fn degraded() -> Self {
        let mut world = Self::online();
        world.engine(EngineEvent::Probe(false));
        world
    }

    pub(crate) fn lost() -> Self {
        let mut world = Self::online();
        world.engine(EngineEvent::ConnectionLost);
        world
    }

    pub(crate) fn link_waits() -> Self {
        let mut world = Self::online();
        world.engine(crash());
        world
    }

    pub(crate) fn link_starts() -> Self {
        let mut world = Self::link_waits();
        world.wake();
        world
    }

    pub(crate) fn used_elsewhere() -> Self {
        let mut world = Self::online();
        world.engine(EngineEvent::Conflict);
        world
    }

    pub(crate) fn stopped_linked() -> Self {
        let mut world = Self::online();
        world.command(Command::Disconnect);
        world
    }

    pub(crate) fn logging_out() -> Self {
        let mut world = Self::online();
        world.command(Command::Logout(true));
        world
    }

    pub(crate) fn connecting_to_log_out() -> Self {
        let mut world = Self::stopped_linked();
        world.command(Command::Logout(true));
        world
    }

    pub(crate) fn deleting() -> Self {
        let mut world = Self::online();
        world.command(Command::Delete(true));
        world
    }

    pub(crate) fn unlinking_to_pair() -> Self {
        let mut world = Self::online();
        world.command(code_for(PHONE, true));
        world
    }

    pub(crate) fn refusing_number() -> Self {
        let mut world = Self::new();
        world.command(init_expecting("5511999990002", false));
        world.engine(EngineEvent::QrMade(true));
        world.engine(EngineEvent::Ready(account()));
        world
    }

    /// All of them with their names.
    pub(crate) fn all() -> Vec<(&'static str, Self)> {
        vec![
            ("never used", Self::new()),
            ("starting", Self::starting()),
            ("QR shown", Self::qr_ready()),
            ("QR renewing", Self::qr_renewing()),
            ("code asked for", Self::code_asked()),
            ("code shown", Self::code_shown()),
            ("pairing waits to retry", Self::pairing_waits()),
            ("parked", Self::parked()),
            ("linking", Self::linking()),
            ("online", Self::online()),
            ("degraded", Self::degraded()),
            ("connection lost", Self::lost()),
            ("link waits to retry", Self::link_waits()),
            ("link starts again", Self::link_starts()),
            ("used elsewhere", Self::used_elsewhere()),
            ("stopped, linked", Self::stopped_linked()),
            ("logging out", Self::logging_out()),
            ("connecting to log out", Self::connecting_to_log_out()),
            ("deleting", Self::deleting()),
            ("unlinking, then pairing by code", Self::unlinking_to_pair()),
            ("refusing a wrong number", Self::refusing_number()),
        ]
    }
}
