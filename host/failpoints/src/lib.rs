//! Places where a test can have a durable step fail. Each has a name, and all names
//! are in [`NAMES`].
//!
//! A place does something only in a build with the feature `fail/failpoints`, which
//! no crate of the host asks for; the tests' crate does, so `cargo build --workspace`
//! has it and `cargo build --release -p pairing-host` has not. What it does is said
//! in the variable `FAILPOINTS`, such as
//! `store.session.commit.after=3*off->1*return(abort)`:
//!
//! | word | what happens |
//! |---|---|
//! | `abort` | the process ends at once, as by a kill |
//! | `error` | the step fails |
//! | `delay` | the step is held up for two seconds |
//!
//! `FAILPOINT_HITS` names a file to which each hit is written, so that a test knows
//! that it tested something.

mod names;

use std::{ffi::OsString, fs::OpenOptions, io::Write, time::Duration};

pub use fail;
pub use names::NAMES;

const DELAY: Duration = Duration::from_secs(2);

/// Reads `FAILPOINTS`. Does nothing in a build without places that can fail.
pub fn set_up() {
    if fail::has_failpoints() {
        // Its end would take all settings back.
        std::mem::forget(fail::FailScenario::setup());
    }
}

/// What a child with an environment of its own has to be given, so that its places
/// can fail too.
pub fn passed_on() -> impl Iterator<Item = (&'static str, OsString)> {
    let names =
        if fail::has_failpoints() { ["FAILPOINTS", "FAILPOINT_HITS"].as_slice() } else { &[] };
    names.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

/// Whether this place is to fail, and the message then. Use [`failpoint!`].
#[must_use]
pub fn hit(name: &str) -> Option<String> {
    if !fail::has_failpoints() {
        return None;
    }
    // What the library's macro comes to, without a `return` in it.
    let word = fail::eval(name, |word| word)?;
    act(name, word.as_deref().unwrap_or("error"))
}

fn act(name: &str, word: &str) -> Option<String> {
    note(name, word);
    match word {
        "abort" => std::process::abort(),
        "delay" => {
            std::thread::sleep(DELAY);
            None
        }
        _ => Some(format!("the test has {name} fail")),
    }
}

fn note(name: &str, word: &str) {
    let Some(path) = std::env::var_os("FAILPOINT_HITS") else { return };
    let file = OpenOptions::new().create(true).append(true).open(path);
    // A test that waits for the line notices that it does not come.
    let _ = file.and_then(|mut file| writeln!(file, "{name} {word}"));
}

/// A place of this name. If it is to fail the function returns an error: an
/// [`std::io::Error`], or what the second argument makes of the message.
#[macro_export]
macro_rules! failpoint {
    ($name:expr) => {
        $crate::failpoint!($name, ::std::io::Error::other)
    };
    ($name:expr, $error:expr) => {
        if let Some(message) = $crate::hit($name) {
            return Err($error(message).into());
        }
    };
}
