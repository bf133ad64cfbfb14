//! Who calls: tokens, sign-ins, tickets.

mod accepted;
mod extract;
mod jose;
pub mod password;
mod principal;
mod refresh;
mod ticket;
mod tokens;

pub use accepted::LiveLogins;
pub use extract::{bearer_token, Admin};
pub use principal::{Issuer, Principal};
pub use refresh::RefreshTokens;
pub use ticket::{Ticket, Tickets};
pub use tokens::{Denied, TokenKeys, Tokens};
