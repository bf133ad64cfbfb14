//! `pairing-host plugin …`: what can be asked of a running host's plugins.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use pairing_core::{handler::InvalidHandlerName, plugin::Slot};

use super::{ProjectCommand, Remote, SubscriptionCommand};

#[derive(Debug, Subcommand)]
pub enum PluginCommand {
    /// List what fills the slots and how it does; with a slot, the versions that it knows
    List {
        #[arg(value_parser = slot)]
        slot: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Show all that is known of a version: world, size, signature, what the gates said
    Inspect(VersionArgs),
    /// Send a component in; it becomes known and is not active yet
    Push(PushArgs),
    /// Replay the recorded histories and, if all goes well, make a version active
    Activate(ActivateArgs),
    /// Go back to an earlier version, or end a trial; nothing is compiled or replayed
    Rollback(RollbackArgs),
    /// List what was done to a slot and what was refused, newest first
    History(HistoryArgs),
    /// Show what a version would have done with the recorded histories; changes nothing
    #[command(after_help = REPLAY_CODES)]
    Replay(VersionArgs),
    /// List what could not be worked, even on a second try
    Parked(ParkedArgs),
    #[command(flatten)]
    Project(ProjectCommand),
    #[command(flatten)]
    Subscription(SubscriptionCommand),
}

const REPLAY_CODES: &str = "\
Exit codes:
  0  every history is decided as was recorded
  1  the replay could not be done
  2  something is decided otherwise, or fails
  64 these arguments can't be used";

#[derive(Debug, Args)]
pub struct VersionArgs {
    /// The slot: workflow, qr-renderer, fan-out or a handler's name
    #[arg(value_parser = slot)]
    pub slot: String,
    /// The version's digest, or at least the first six digits of it
    #[arg(value_parser = digest)]
    pub digest: String,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct PushArgs {
    /// The slot: workflow, qr-renderer, fan-out or a handler's name
    #[arg(value_parser = slot)]
    pub slot: String,
    /// The component's file; - is standard input
    pub file: PathBuf,
    /// Its Ed25519 signature: 64 bytes, or these in base64 [default: FILE.sig, if it is there]
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
    /// Let the component of this SHA-256 in although no listed key signed it; the history says so
    #[arg(long, value_name = "DIGEST", value_parser = whole_digest)]
    pub accept_unsigned: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct ActivateArgs {
    #[command(flatten)]
    pub version: VersionArgs,
    /// On trial, for this percentage of the sessions only
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    pub canary: Option<u8>,
    /// The reason, for the history
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The slot: workflow, qr-renderer, fan-out or a handler's name
    #[arg(value_parser = slot)]
    pub slot: String,
    /// One of the last ten versions [default: the one before, or the end of the trial]
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub to: Option<String>,
    /// The reason, for the history
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// The slot: workflow, qr-renderer, fan-out or a handler's name
    #[arg(value_parser = slot)]
    pub slot: String,
    /// Only entries with a lower number
    #[arg(long, value_name = "NUMBER")]
    pub before: Option<u64>,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct ParkedArgs {
    /// The slot: workflow, qr-renderer, fan-out or a handler's name
    #[arg(value_parser = slot)]
    pub slot: String,
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub limit: u32,
    #[command(flatten)]
    pub remote: Remote,
}

/// One of the host's own slots, or a handler's name.
fn slot(text: &str) -> Result<String, String> {
    let slot: Slot = text.parse().map_err(|error: InvalidHandlerName| error.to_string())?;
    Ok(slot.label())
}

fn share(text: &str) -> Result<u8, String> {
    let percent = text.trim_end_matches('%').trim_end().parse().ok();
    let taken = percent.filter(|percent| (1..=99).contains(percent));
    taken.ok_or_else(|| "1 to 99, in percent; without --canary it is for all sessions".into())
}

fn digest(text: &str) -> Result<String, String> {
    let is_one =
        (6..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_one {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a digest is 64 hexadecimal digits; the first six or more will do".into())
    }
}

/// To accept is to name the one component that is meant.
fn whole_digest(text: &str) -> Result<String, String> {
    match digest(text) {
        Ok(digest) if digest.len() == 64 => Ok(digest),
        _ => Err("give the whole SHA-256, 64 hexadecimal digits, as the author told you".into()),
    }
}
