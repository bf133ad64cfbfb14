//! What the tests that run the whole host share: the host itself as a process,
//! and the tokens and waits that go with it.

mod components;
mod fake_browsers;
mod figures;
mod host_plugins;
mod leftovers;
mod line_to_postgres;
mod oracle;
mod processes;
mod shared_code;
mod tally;
mod test_api;
mod test_host;
mod token;
mod wait;
mod written_journal;

pub use components::{
    REWORDED, STARTING, blue_renderer, chameleon, hollow_handler, marked, probe_handler, released,
    reworded_workflow,
};
pub use figures::{Figures, seed, variable};
pub use leftovers::{Leftovers, zombies_of};
pub use line_to_postgres::LineToPostgres;
pub use oracle::{Oracle, OracleOptions, assert_good};
pub use processes::{browsers_on, kill, main_browsers_on};
pub use shared_code::SharedCode;
pub use tally::{Books, Mood, Tally};
pub use test_api::{PASSWORD, SignIn, TestApi, finbot, read};
pub use test_host::{TestHost, TestHostBuilder, binary, host_binary};
pub use token::{ISSUER_KEY, admin_token, token_at, token_with};
pub use wait::{DEADLINE, until};
pub use written_journal::{WrittenJournal, tick};
