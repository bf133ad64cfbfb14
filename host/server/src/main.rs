//! `pairing-host`: the one binary. Reads the command, carries it out, and ends
//! with a code that scripts can act on.

#![expect(
    unreachable_pub,
    reason = "nothing of a binary is reached from outside; `pub` says what other modules use"
)]

mod app;
mod cli;
mod commands;
mod config;
mod data_dir;
mod free_space;
mod lifecycle;
mod steady_clock;
mod telemetry;

use std::process::ExitCode;

use clap::Parser;
use pairing_engine::InvalidConfig;
use pairing_plugin_registry::KeyError;

use crate::config::InvalidSettings;

/// `EX_USAGE` of sysexits: the command line is wrong; nothing was asked or done.
const USAGE: u8 = 64;

/// `EX_CONFIG` of sysexits: the settings are wrong; nothing was started.
const CONFIG: u8 = 78;

fn main() -> ExitCode {
    // Whatever the host writes is its own affair: database, keys, sockets.
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    pairing_failpoints::set_up();
    let command = match cli::Cli::try_parse() {
        Ok(command) => command,
        Err(said) => {
            // Nobody is left to tell if that fails.
            let _ = said.print();
            return ExitCode::from(if said.use_stderr() { USAGE } else { 0 });
        }
    };
    match commands::run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pairing-host: {error:#}");
            let is_config = error.is::<InvalidSettings>()
                || error.is::<InvalidConfig>()
                || error.is::<KeyError>()
                || error.is::<data_dir::Unusable>();
            ExitCode::from(if is_config { CONFIG } else { 1 })
        }
    }
}
