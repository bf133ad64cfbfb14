//! `pairing-host hooks …`: what is known of WhatsApp's page.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Remote;

#[derive(Debug, Subcommand)]
pub enum HooksCommand {
    /// Show which file is in use, what the last look at the page said, and all that were let in; with a digest, that file's text
    Show {
        /// The file's digest, or at least the first six digits of it
        #[arg(value_parser = digest)]
        digest: Option<String>,
        #[command(flatten)]
        remote: Remote,
    },
    /// Send a file in; it is tried on a scratch page and is not in use yet
    Push(PushHooksArgs),
    /// Use a file: new pages at once, running ones from their next document on
    Activate {
        /// The file's digest, or at least the first six digits of it; `embedded` is the one that came with the host
        #[arg(value_parser = digest_or_embedded)]
        digest: String,
        #[command(flatten)]
        remote: Remote,
    },
    /// Use the file again that was in use before the last change
    Rollback {
        #[command(flatten)]
        remote: Remote,
    },
    /// Look at the page now, with the file in use
    #[command(after_help = CHECK_CODES)]
    Check {
        #[command(flatten)]
        remote: Remote,
    },
}

const CHECK_CODES: &str = "\
Exit codes:
  0  the page has all its parts
  1  the page could not be looked at
  2  the page has changed
  64 these arguments can't be used";

#[derive(Debug, Args)]
pub struct PushHooksArgs {
    /// The file, TOML; - is standard input
    pub file: PathBuf,
    /// Let it in even if the page does not have all of its parts, or could not be looked at
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub remote: Remote,
}

fn digest(text: &str) -> Result<String, String> {
    let is_digest = (6..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_digest {
        return Ok(text.to_ascii_lowercase());
    }
    Err("a digest has 64 hexadecimal digits, of which at least six are given".to_owned())
}

fn digest_or_embedded(text: &str) -> Result<String, String> {
    if text == "embedded" { Ok(text.to_owned()) } else { digest(text) }
}
