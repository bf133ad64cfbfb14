//! What a host with many sessions lives through: kills, a database that is away, a
//! full disk, clocks that are set, hours of work. Its browsers are the fake one,
//! and an oracle outside knows what was acknowledged and what came.

mod boot_of_many;
mod clock_steps;
mod database_away;
mod disk_full;
mod host_under_kills;
mod soak;
mod starts_and_stops;

use pairing_tests::{OracleOptions, TestHost, until};

/// Sessions of this name and these numbers.
fn names(word: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{word}-{number:03}")).collect()
}

/// An oracle that sends five commands a second to the last of these sessions.
fn watching(sessions: &[String], commanded: usize, seed: u64) -> OracleOptions {
    OracleOptions {
        sessions: sessions.to_vec(),
        commanded: sessions[sessions.len().saturating_sub(commanded)..].to_vec(),
        commands_every: 200,
        seed,
    }
}

/// Links all of them.
async fn link(host: &TestHost, sessions: &[String]) {
    futures::future::join_all(sessions.iter().map(|session| host.init(session))).await;
    until_connected(host, sessions).await;
}

async fn until_connected(host: &TestHost, sessions: &[String]) {
    for session in sessions {
        // A page that flaps is connected nearly always.
        until(&format!("{session} is connected"), async || {
            (host.status(session).await["status"] == "CONNECTED").then_some(())
        })
        .await;
    }
}
