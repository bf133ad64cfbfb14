//! `pairing-host plugin new|build|test|run|doctor`: for those who write handlers.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use pairing_core::handler::HandlerName;
use pairing_handler_kit::Language;

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// Make a project for a new handler, with all that it needs
    New {
        /// The handler's name: 1 to 32 of a-z 0-9 -, a letter first
        name: HandlerName,
        /// What it is to be written in
        #[arg(long = "lang", value_name = "LANGUAGE")]
        language: LanguageArg,
        /// The folder to make [default: NAME]
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Build a handler's component into dist/NAME.wasm
    Build(ProjectArgs),
    /// Try a handler's component with its vectors, under the host's limits and its grants
    #[command(after_help = TEST_CODES)]
    Test {
        #[command(flatten)]
        project: ProjectArgs,
        /// Recorded events as well: a host's address (with PAIRING_TOKEN), or a file with what
        /// `GET /whatsapp/events` answered
        #[arg(long, value_name = "URL|FILE")]
        histories: Option<String>,
    },
    /// Keep a handler on a host (PAIRING_URL, PAIRING_TOKEN; else one with a pretended engine), build and
    /// activate it again whenever a source is saved, and show its lines
    Run(RunArgs),
    /// Check the tools that a handler's language needs
    Doctor {
        #[command(flatten)]
        project: ProjectArgs,
        /// Write this host's packages into wit/deps
        #[arg(long)]
        write_wit: bool,
    },
}

const TEST_CODES: &str = "\
Exit codes:
  0  all is as expected
  1  the handler could not be tried
  2  something is not as expected";

#[derive(Debug, Args)]
pub struct ProjectArgs {
    /// The handler's folder
    #[arg(default_value = ".")]
    pub dir: PathBuf,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub project: ProjectArgs,
    /// The address of a running host
    #[arg(long, env = "PAIRING_URL", requires = "token")]
    pub url: Option<url::Url>,
    /// A token with the admin role for it
    #[arg(long, env = "PAIRING_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Where the host with pretended sessions listens, if no other host is named
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub listen: SocketAddr,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "lowercase")]
pub enum LanguageArg {
    Rust,
    JavaScript,
    Python,
}

impl From<LanguageArg> for Language {
    fn from(language: LanguageArg) -> Self {
        match language {
            LanguageArg::Rust => Self::Rust,
            LanguageArg::JavaScript => Self::JavaScript,
            LanguageArg::Python => Self::Python,
        }
    }
}
