//! Names that people give: so far, of sessions.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

/// A session's name: 1–64 of `A-Z a-z 0-9 - _`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SessionName(Arc<str>);

/// A name that is no session's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSessionName {
    /// Nothing was given.
    #[error("session name is empty: give 1 to 64 of A-Z a-z 0-9 - _")]
    Empty,
    /// More than 64 characters.
    #[error("session name has {0} characters: at most 64 are allowed")]
    TooLong(usize),
    /// A character that is not allowed, with its place from 1.
    #[error(
        "session name has {character:?} at place {place}: only A-Z a-z 0-9 - _ are allowed, and a letter or digit first"
    )]
    Character {
        /// What stands there.
        character: char,
        /// Counted from 1.
        place: usize,
    },
}

/// See [`SessionName::host`].
const HOST: &str = "_host";

impl SessionName {
    /// What the host itself has to say stands in the journal under this name. It
    /// is no session's: none may begin with an underscore.
    pub fn host() -> Self {
        Self(HOST.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads a name from a row of the journal, where the host's own stands too.
    ///
    /// # Errors
    /// If it is neither a session's name nor the host's.
    pub fn from_journal(text: &str) -> Result<Self, InvalidSessionName> {
        if text == HOST { Ok(Self::host()) } else { text.parse() }
    }
}

impl FromStr for SessionName {
    type Err = InvalidSessionName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |place: usize, c: char| {
            c.is_ascii_alphanumeric() || (place > 0 && (c == '-' || c == '_'))
        };
        if text.is_empty() {
            return Err(InvalidSessionName::Empty);
        }
        if let Some((place, character)) =
            text.chars().enumerate().find(|(place, c)| !allowed(*place, *c))
        {
            return Err(InvalidSessionName::Character { character, place: place + 1 });
        }
        match text.len() {
            ..=64 => Ok(Self(text.into())),
            length => Err(InvalidSessionName::TooLong(length)),
        }
    }
}

impl TryFrom<String> for SessionName {
    type Error = InvalidSessionName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SessionName> for String {
    fn from(name: SessionName) -> Self {
        name.0.to_string()
    }
}

impl fmt::Display for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SessionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_the_rule_are_taken() {
        for name in ["a", "pairing-console", "0_x-Y", &"z".repeat(64)] {
            assert_eq!(name.parse::<SessionName>().unwrap().as_str(), name);
        }
    }

    #[test]
    fn other_names_are_refused_and_the_place_is_named() {
        use InvalidSessionName::*;
        let refusal = |name: &str| name.parse::<SessionName>().unwrap_err();
        assert_eq!(refusal(""), Empty);
        assert_eq!(refusal(&"z".repeat(65)), TooLong(65));
        assert_eq!(refusal("-a"), Character { character: '-', place: 1 });
        assert_eq!(refusal("a/b"), Character { character: '/', place: 2 });
        assert_eq!(refusal("añ"), Character { character: 'ñ', place: 2 });
        assert_eq!(refusal(".."), Character { character: '.', place: 1 });
    }
}
