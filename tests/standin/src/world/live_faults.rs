//! Faults that strike a connected page at once.

use super::Inner;
use crate::faults::{Fault, FaultKind, LogoutEvent, Stage, Target};
use crate::protocol::ToPage;

impl Inner {
    /// Takes a fault in: a live one strikes the newest page that it meets (all
    /// of them when it is without a count), else it waits for its moment.
    pub(crate) fn add_fault(&mut self, fault: Fault) -> u64 {
        let live = fault.kind.stage() == Stage::Live;
        let id = self.faults.add(fault);
        if live {
            let connections: Vec<u64> = self
                .pages
                .iter()
                .filter(|(_, page)| page.boot > 0)
                .map(|(number, _)| *number)
                .rev()
                .collect();
            for connection in connections {
                let Some(browser) = self.pages.get(&connection).map(|page| page.browser.clone())
                else {
                    continue;
                };
                let subject = self.subject(&browser, Some(connection));
                self.strike_live_faults(connection, &subject);
            }
        }
        id
    }

    pub(crate) fn rotate_refs(&mut self) {
        let unlinked = self.pages.values().filter(|page| page.linked.is_none());
        unlinked.for_each(|page| page.send(ToPage::RotateRef));
    }

    pub(super) fn strike_live_faults(&mut self, connection: u64, subject: &Target) {
        let Some(linked) = self.pages.get(&connection).map(|page| page.linked.is_some()) else {
            return;
        };
        let faults = self.faults.strike(Stage::Live, subject, |kind| match kind {
            FaultKind::RotateRef | FaultKind::RefsRunOut => !linked,
            FaultKind::Conflict | FaultKind::Logout { .. } | FaultKind::LogoutBecause { .. } => {
                linked
            }
            _ => true,
        });
        for fault in faults {
            self.strike_live(connection, fault);
        }
    }

    fn strike_live(&mut self, connection: u64, fault: FaultKind) {
        let frame = match fault {
            FaultKind::RotateRef => ToPage::RotateRef,
            FaultKind::RefsRunOut => ToPage::RefsRunOut,
            FaultKind::Conflict => ToPage::Conflict,
            FaultKind::SocketLost { ms } => ToPage::LoseSocket { ms },
            FaultKind::SetState { state } => ToPage::SetState { state },
            FaultKind::Reload { ms } => ToPage::Reload { ms },
            FaultKind::Hang { ms } => ToPage::Hang { ms },
            FaultKind::RendererCrash => ToPage::CrashRenderer,
            FaultKind::Busy { ms, pause_ms } => ToPage::Busy { ms, pause_ms },
            FaultKind::ForgetsDrivers => ToPage::ForgetDrivers,
            FaultKind::Says { text } => ToPage::Say { text },
            FaultKind::Shows { test_id } => ToPage::Show { test_id },
            FaultKind::Logout { event, navigate } => {
                self.forget_link_of(connection);
                ToPage::Logout { event, navigate, reason: None }
            }
            FaultKind::LogoutBecause { reason, navigate } => {
                self.forget_link_of(connection);
                let event = LogoutEvent::LogoutFromBridge;
                ToPage::Logout { event, navigate, reason: Some(reason) }
            }
            _ => return,
        };
        self.send(connection, frame);
    }

    fn forget_link_of(&mut self, connection: u64) {
        let linked = self.pages.get_mut(&connection).and_then(|page| page.linked.take());
        if let Some((device_id, _)) = linked {
            self.links.remove(&device_id);
        }
    }
}
