//! Who calls: tokens, sign-ins, tickets.

mod accepted;
mod claims;
mod external_key;
mod extract;
mod jose;
mod key_set;
pub mod password;
mod principal;
mod refresh;
mod ticket;
mod tokens;

pub use accepted::LiveLogins;
pub use extract::{Admin, bearer_token};
pub use key_set::{KeySetError, KeySetPlace};
pub use principal::{Issuer, LoginRef, Principal};
pub use refresh::RefreshTokens;
pub use ticket::{Ticket, Tickets};
pub use tokens::{Denied, TokenKeys, Tokens};
