//! Who calls, as far as the token tells.

use pairing_core::clock::Timestamp;
use uuid::Uuid;

/// Whose token it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issuer {
    /// This host's own: a sign-in to the console, or the command line.
    Local,
    /// The configured issuer.
    External,
}

/// A sign-in to the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginRef {
    /// The key in the store.
    pub id: Uuid,
    /// When the person signed in.
    pub began_at: Timestamp,
}

/// An admin. There is no other role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The token's `sub`.
    pub subject: String,
    /// Of a sign-in to the console.
    pub username: Option<String>,
    /// Whose token.
    pub issuer: Issuer,
    /// The sign-in, which may end before the token does.
    pub login: Option<LoginRef>,
    /// When the token ends.
    pub expires_at: Timestamp,
}

impl Principal {
    /// For the history: a person's name where it is known. A foreign issuer's word
    /// can't pass for one of ours, such as `host`.
    pub fn shown(&self) -> String {
        match self.issuer {
            Issuer::Local => self.username.clone().unwrap_or_else(|| self.subject.clone()),
            Issuer::External => format!("external:{}", self.subject),
        }
    }

    /// Tells callers apart, for limits and logs.
    pub fn key(&self) -> String {
        match self.issuer {
            Issuer::Local => format!("local:{}", self.subject),
            Issuer::External => format!("external:{}", self.subject),
        }
    }
}
