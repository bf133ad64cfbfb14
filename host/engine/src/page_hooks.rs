//! What the page looks like inside, as data: read from `page_hooks.toml`,
//! checked, and handed to the agent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The version of the file's shape that this build understands.
const VERSION: u32 = 2;

/// Every part that the agent asks for by name.
const PARTS: [&str; 18] = [
    "socket",
    "conn",
    "cmd",
    "link_events",
    "progress_percent",
    "noise_info",
    "registration_info",
    "encode_base64",
    "adv_secret",
    "device_platform",
    "me",
    "refresh_qr",
    "set_pairing_type",
    "initialize_code",
    "start_code",
    "initialize_qr",
    "log_out",
    "page_version",
];

/// Names of the page's modules, functions, fields, events and states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageHooks {
    version: u32,
    required: Vec<String>,
    optional: Vec<String>,
    pairing_type_code: String,
    unsupported_browser_texts: Vec<String>,
    passkey_screens: Vec<String>,
    outdated_screens: Vec<String>,
    pub(crate) parts: BTreeMap<String, Vec<String>>,
    pub(crate) fields: Fields,
    pub(crate) events: Events,
    pub(crate) states: States,
    pub(crate) code_errors: CodeErrors,
    timings: Timings,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fields {
    pub(crate) state: String,
    has_synced: String,
    r#ref: String,
    name: String,
    own_id: String,
    id_user: String,
    noise_key: String,
    identity_key: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Events {
    logout: Vec<String>,
    progress: Vec<String>,
    passkey: Vec<String>,
    logged_out_address: Vec<String>,
    outdated_reasons: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct States {
    unpaired: String,
    idle: String,
    pairing: String,
    pub(crate) connected: String,
    starting: Vec<String>,
    lost: Vec<String>,
    conflict: Vec<String>,
    banned: Vec<String>,
    outdated: Vec<String>,
}

/// What a state of the page means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PageState {
    Starting,
    Unpaired,
    Idle,
    Pairing,
    Connected,
    Lost,
    Conflict,
    Banned,
    Outdated,
    Unknown,
}

impl Events {
    /// Whether a link ended because the page was too old.
    pub(crate) fn tells_outdated(&self, reason: &str) -> bool {
        let reason = reason.to_lowercase();
        self.outdated_reasons.iter().any(|word| reason.contains(&word.to_lowercase()))
    }
}

impl States {
    pub(crate) fn meaning(&self, word: &str) -> PageState {
        let is_in = |list: &[String]| list.iter().any(|known| known == word);
        match word {
            _ if word == self.unpaired => PageState::Unpaired,
            _ if word == self.idle => PageState::Idle,
            _ if word == self.pairing => PageState::Pairing,
            _ if word == self.connected => PageState::Connected,
            _ if is_in(&self.starting) => PageState::Starting,
            _ if is_in(&self.lost) => PageState::Lost,
            _ if is_in(&self.conflict) => PageState::Conflict,
            _ if is_in(&self.banned) => PageState::Banned,
            _ if is_in(&self.outdated) => PageState::Outdated,
            _ => PageState::Unknown,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CodeErrors {
    pub(crate) rate_limited: ErrorSigns,
    pub(crate) phone_refused: ErrorSigns,
    pub(crate) refused: ErrorSigns,
    pub(crate) passkey: ErrorSigns,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorSigns {
    pub(crate) numbers: Vec<u64>,
    pub(crate) words: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Timings {
    retry_ms: u32,
    late_part_ms: u32,
    poll_ms: u32,
}

/// Hooks that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPageHooks {
    /// Not the file's shape.
    #[error("page hooks can't be read: {0}")]
    Shape(#[from] toml::de::Error),
    /// Of another version.
    #[error("page hooks have version {0}, this build understands {VERSION}")]
    Version(u32),
    /// A part is not described, or nowhere to be found.
    #[error("page hooks: part `{0}` has no place; give at least one as `module#path`")]
    PartWithoutPlace(String),
    /// A place is not `module#path`.
    #[error("page hooks: `{place}` of part `{part}` is not `module#path`")]
    Place {
        /// Whose place.
        part: String,
        /// What stands there.
        place: String,
    },
    /// A required or optional part is not among the parts.
    #[error("page hooks: `{0}` is required or optional but is no part")]
    UnknownPart(String),
    /// A text that every page would show.
    #[error("page hooks: `{0}` has an empty text")]
    Empty(&'static str),
    /// It would never look, or never stop looking.
    #[error("page hooks: `{0}` must be from 10 to 60000 milliseconds")]
    Timing(&'static str),
}

impl PageHooks {
    /// The file that this build carries.
    pub const EMBEDDED: &str = include_str!("page_hooks.toml");

    /// The hooks that this build carries.
    pub fn embedded() -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the embedded file is checked by a test of this module"
        )]
        Self::parse(Self::EMBEDDED).expect("embedded page hooks are valid")
    }

    /// Reads and checks hooks in the shape of `page_hooks.toml`.
    pub fn parse(text: &str) -> Result<Self, InvalidPageHooks> {
        let hooks: Self = toml::from_str(text)?;
        hooks.check()?;
        Ok(hooks)
    }

    fn check(&self) -> Result<(), InvalidPageHooks> {
        if self.version != VERSION {
            return Err(InvalidPageHooks::Version(self.version));
        }
        for part in PARTS {
            if self.parts.get(part).is_none_or(Vec::is_empty) {
                return Err(InvalidPageHooks::PartWithoutPlace(part.into()));
            }
        }
        for (part, places) in &self.parts {
            let is_place = |place: &str| {
                place.split_once('#').is_some_and(|(module, path)| {
                    !module.is_empty() && path.split('.').all(|step| !step.is_empty())
                })
            };
            if let Some(place) = places.iter().find(|place| !is_place(place)) {
                return Err(InvalidPageHooks::Place { part: part.clone(), place: place.clone() });
            }
        }
        let mut named = self.required.iter().chain(&self.optional);
        if let Some(unknown) = named.find(|name| !self.parts.contains_key(*name)) {
            return Err(InvalidPageHooks::UnknownPart(unknown.clone()));
        }
        for (name, texts) in [
            ("unsupported_browser_texts", &self.unsupported_browser_texts),
            ("passkey_screens", &self.passkey_screens),
            ("outdated_screens", &self.outdated_screens),
            ("events.logged_out_address", &self.events.logged_out_address),
            ("events.outdated_reasons", &self.events.outdated_reasons),
        ] {
            if texts.iter().any(|text| text.trim().is_empty()) {
                return Err(InvalidPageHooks::Empty(name));
            }
        }
        for (name, value) in
            [("retry_ms", self.timings.retry_ms), ("poll_ms", self.timings.poll_ms)]
        {
            if !(10..=60_000).contains(&value) {
                return Err(InvalidPageHooks::Timing(name));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(from: &str, to: &str) -> Result<PageHooks, InvalidPageHooks> {
        let text = include_str!("page_hooks.toml");
        assert!(text.contains(from), "the file has no {from}");
        PageHooks::parse(&text.replacen(from, to, 1))
    }

    #[test]
    fn the_embedded_hooks_are_valid() {
        let hooks = PageHooks::embedded();
        assert_eq!(hooks.states.meaning("UNPAIRED_IDLE"), PageState::Idle);
        assert_eq!(hooks.states.meaning("SMB_TOS_BLOCK"), PageState::Banned);
        assert_eq!(hooks.states.meaning("NEW_WORD"), PageState::Unknown);
    }

    #[test]
    fn hooks_that_would_fail_later_are_refused_and_named() {
        use InvalidPageHooks::*;
        assert!(matches!(changed("version = 2", "version = 3"), Err(Version(3))));
        assert!(
            matches!(changed("[\"WAWebCmd#Cmd\"]", "[]"), Err(PartWithoutPlace(part)) if part == "cmd")
        );
        assert!(
            matches!(changed("WAWebCmd#Cmd\"", "WAWebCmd\""), Err(Place { part, .. }) if part == "cmd")
        );
        assert!(matches!(
            changed("required = [", "required = [\"nothing\", "),
            Err(UnknownPart(_))
        ));
        assert!(matches!(
            changed("optional = [", "optional = [\"nothing\", "),
            Err(UnknownPart(_))
        ));
        assert!(matches!(
            changed("outdated_reasons = [", "outdated_reasons = [\" \", "),
            Err(Empty("events.outdated_reasons"))
        ));
        assert!(matches!(changed("poll_ms = 1000", "poll_ms = 0"), Err(Timing("poll_ms"))));
        assert!(matches!(changed("version = 2", "version = 2\nsurplus = 1"), Err(Shape(_))));
    }

    #[test]
    fn every_part_that_the_agent_names_is_checked() {
        let agent = include_str!("scripts/agent.js");
        for part in PARTS {
            assert!(agent.contains(&format!("'{part}'")), "{part} is not used by the agent");
        }
    }
}
