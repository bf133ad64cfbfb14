//! What is worth telling about a look at the page: each change once.

use std::collections::{BTreeMap, BTreeSet};

use pairing_core::{event::EventData, page_hooks::HooksReport};

/// A page that could not be reached is told after so many looks in a row.
const UNREACHED: u32 = 3;

/// What was told so far.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    missing: BTreeSet<String>,
    unreached: u32,
}

/// What is wrong, by part. That no code could be made is a part of its own.
pub(crate) fn missing_of(report: &HooksReport) -> BTreeMap<String, String> {
    let mut missing = report.missing.clone();
    if !report.makes_codes {
        missing.insert("codes".to_owned(), "the page came to no QR code".to_owned());
    }
    missing
}

impl Drift {
    /// A look, or why the page could not be reached.
    pub(crate) fn saw(&mut self, look: Result<&HooksReport, &str>) -> Vec<EventData> {
        let report = match look {
            Ok(report) => report,
            Err(why) => return self.not_reached(why),
        };
        let mut alerts = Vec::new();
        if self.unreached >= UNREACHED {
            let message = "WhatsApp's page can be reached again.";
            alerts.push(alert("page_unreachable_over", message, None));
        }
        self.unreached = 0;
        let missing: BTreeSet<String> = missing_of(report).into_keys().collect();
        if missing != self.missing {
            alerts.push(told(&missing));
            self.missing = missing;
        }
        alerts
    }

    fn not_reached(&mut self, why: &str) -> Vec<EventData> {
        self.unreached = self.unreached.saturating_add(1);
        if self.unreached != UNREACHED {
            return Vec::new();
        }
        let message = format!(
            "WhatsApp's page could not be looked at {UNREACHED} times in a row: {why}. Whether it has changed is not known."
        );
        vec![alert("page_unreachable", &message, None)]
    }
}

fn told(missing: &BTreeSet<String>) -> EventData {
    if missing.is_empty() {
        let message = "WhatsApp's page has all its parts again.";
        return alert("page_drift_over", message, None);
    }
    let parts = missing.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let message = format!(
        "WhatsApp's page has changed: {parts} can't be found. Linking may fail soon; push a corrected file of page hooks."
    );
    alert("page_drift", &message, Some(parts))
}

/// The stored file can't be used by this build.
pub(crate) fn refused(why: &str) -> EventData {
    let message = format!(
        "The active file of page hooks can't be used by this version of the host, which uses its own instead: {why}. Activate another one."
    );
    alert("page_hooks_refused", &message, None)
}

fn alert(code: &str, message: &str, missing: Option<String>) -> EventData {
    let mut fields =
        vec![("code".to_owned(), code.to_owned()), ("message".to_owned(), message.to_owned())];
    fields.extend(missing.map(|missing| ("missing".to_owned(), missing)));
    EventData::Other { kind: "alert".to_owned(), fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(missing: &[&str], makes_codes: bool) -> HooksReport {
        let missing = missing.iter().map(|part| ((*part).to_owned(), "gone".to_owned())).collect();
        HooksReport { missing, makes_codes, ..HooksReport::default() }
    }

    fn codes(alerts: &[EventData]) -> Vec<String> {
        let code = |alert: &EventData| match alert {
            EventData::Other { fields, .. } => {
                let value = |name: &str| {
                    let field = fields.iter().find(|(field, _)| field == name);
                    field.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                format!("{} {}", value("code"), value("missing")).trim().to_owned()
            }
            other => panic!("{other:?}"),
        };
        alerts.iter().map(code).collect()
    }

    #[test]
    fn each_change_is_told_once() {
        let mut drift = Drift::default();
        for (report, expected) in [
            (report(&[], true), &[][..]),
            (report(&["command"], true), &["page_drift command"]),
            (report(&["command"], true), &[]),
            (report(&["command", "socket"], false), &["page_drift codes, command, socket"]),
            (report(&["socket"], true), &["page_drift socket"]),
            (report(&[], true), &["page_drift_over"]),
            (report(&[], true), &[]),
            (report(&[], false), &["page_drift codes"]),
        ] {
            assert_eq!(codes(&drift.saw(Ok(&report))), expected, "{report:?}");
        }
    }

    #[test]
    fn a_page_that_is_not_reached_is_no_drift_and_told_at_the_third_time() {
        let mut drift = Drift::default();
        let fail = |drift: &mut Drift| codes(&drift.saw(Err("no network")));
        assert!(fail(&mut drift).is_empty());
        assert!(fail(&mut drift).is_empty());
        assert!(drift.saw(Ok(&report(&[], true))).is_empty(), "two in a row are none");
        assert!(fail(&mut drift).is_empty());
        assert!(fail(&mut drift).is_empty());
        assert_eq!(fail(&mut drift), ["page_unreachable"]);
        assert!(fail(&mut drift).is_empty());
        let back = drift.saw(Ok(&report(&["command"], true)));
        assert_eq!(codes(&back), ["page_unreachable_over", "page_drift command"]);
    }
}
