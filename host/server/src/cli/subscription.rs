//! `pairing-host plugin grant` and its kin: who gets which events of a handler, and
//! what it may do with them.

use std::path::PathBuf;

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use pairing_core::handler::HandlerName;

use super::Remote;

#[derive(Debug, Subcommand)]
pub enum SubscriptionCommand {
    /// Have a handler get events, and let it do what it needs; adds to what is there
    #[command(after_help = GRANT)]
    Grant(Box<GrantArgs>),
    /// List a handler's subscriptions and how they stand
    Subscriptions {
        /// The handler
        handler: HandlerName,
        #[command(flatten)]
        remote: Remote,
    },
    /// Remove a subscription with its place, secrets, values and dead letters
    Unsubscribe(SubscriptionArgs),
    /// Switch a subscription on; it goes on where it stood
    Enable(SubscriptionArgs),
    /// Switch a subscription off; nothing is handed over, and its place stays
    Disable {
        #[command(flatten)]
        subscription: SubscriptionArgs,
        /// The reason, which is shown
        #[arg(long, value_name = "TEXT")]
        why: Option<String>,
    },
    /// Move a subscription: what comes after the place is handed over, again if it was before
    Seek {
        #[command(flatten)]
        subscription: SubscriptionArgs,
        /// `now`, or the id of an event
        #[arg(long, value_name = "now|ID")]
        to: String,
    },
    /// List events that a subscription gave up, oldest first
    DeadLetters {
        #[command(flatten)]
        subscription: SubscriptionArgs,
        /// Only of events after this id
        #[arg(long, value_name = "ID")]
        after: Option<u64>,
        /// At most so many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
        limit: u32,
        /// Show this one, whole
        #[arg(long, value_name = "ID", conflicts_with = "after")]
        event: Option<u64>,
    },
    /// Have events that were given up tried once more
    Requeue(RequeueArgs),
    /// Show what a handler wrote, and how its calls ended
    Logs {
        /// The handler
        handler: HandlerName,
        /// Go on showing what it writes
        #[arg(short, long)]
        follow: bool,
        /// Only lines with a higher number
        #[arg(long, value_name = "NUMBER")]
        after: Option<u64>,
        /// At most so many of the lines that are there
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=2000))]
        limit: u32,
        #[command(flatten)]
        remote: Remote,
    },
}

const GRANT: &str = "\
Examples:
  pairing-host plugin grant crm --log --http https://crm.example.org/hooks --secret token=@token.txt
  pairing-host plugin grant webhook --as billing --log --config-access --clock --sign \\
      --http https://billing.example.org/ --set url=https://billing.example.org/pairing \\
      --secret key=@key.txt --types session-connected,session-disconnected
A secret never stands on the command line, where others can read it: it comes from a file, or from
standard input. The handler never sees it either: `{{secret:NAME}}` in a header of a request is filled
in on its way out.";

#[derive(Debug, Args)]
pub struct SubscriptionArgs {
    /// The handler
    pub handler: HandlerName,
    /// The subscription
    #[arg(default_value = "default")]
    pub name: String,
    #[command(flatten)]
    pub remote: Remote,
}

#[derive(Debug, Args)]
pub struct GrantArgs {
    /// The handler
    pub handler: HandlerName,
    /// The subscription; it is made if it is not there
    #[arg(long = "as", value_name = "NAME", default_value = "default")]
    pub name: String,
    /// Nothing else than what is said here: takes away what was granted before. Secrets stay
    #[arg(long)]
    pub only: bool,
    /// Write lines for you
    #[arg(long)]
    pub log: bool,
    /// Read what --set sets
    #[arg(long)]
    pub config_access: bool,
    /// Keep values
    #[arg(long)]
    pub kv: bool,
    /// Tell the time
    #[arg(long)]
    pub clock: bool,
    /// Get random bytes
    #[arg(long)]
    pub random: bool,
    /// Sign with its secrets
    #[arg(long)]
    pub sign: bool,
    /// Send requests there: scheme, host, port, and the beginning of the path; `POST URL` allows this
    /// method only, `GET,POST URL` these
    #[arg(long, value_name = "URL")]
    pub http: Vec<String>,
    /// A network beyond the public internet where these hosts' names may lead
    #[arg(long, value_name = "CIDR", requires = "http")]
    pub network: Vec<ipnet::IpNet>,
    /// Requests a second, to all hosts together
    #[arg(long, value_name = "NUMBER")]
    pub http_per_second: Option<u32>,
    /// Have sessions do this
    #[arg(long, value_name = "ACTION", value_parser = actions())]
    pub session: Vec<String>,
    /// Something for the handler to read
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
    /// Remove such a thing
    #[arg(long, value_name = "KEY")]
    pub unset: Vec<String>,
    /// A secret from a file, or (-) from standard input
    #[arg(long, value_name = "NAME=@FILE|NAME=-", value_parser = secret)]
    pub secret: Vec<(String, SecretSource)>,
    /// Remove a secret
    #[arg(long, value_name = "NAME")]
    pub remove_secret: Vec<String>,
    /// Kinds of events, separated by commas [default: those that the handler wants]
    #[arg(long, value_delimiter = ',')]
    pub types: Vec<String>,
    /// Names of sessions, separated by commas [default: all]
    #[arg(long, value_delimiter = ',')]
    pub sessions: Vec<String>,
    /// Where one that is new begins [default: now]
    #[arg(long, value_name = "now|ID")]
    pub from: Option<String>,
    /// Times between one failed attempt and the next, such as 5s,5m,2h
    #[arg(long, value_name = "TIMES", value_delimiter = ',', value_parser = time)]
    pub retry: Vec<std::time::Duration>,
    /// One attempt may take so long, 100ms to 30s
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub timeout: Option<std::time::Duration>,
    /// Events, of different sessions, at once; 1 to 64
    #[arg(long, value_name = "NUMBER")]
    pub concurrency: Option<u32>,
    /// The reason, for the history
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
    #[command(flatten)]
    pub remote: Remote,
}

/// Where a secret comes from: never from the command line itself.
#[derive(Debug, Clone)]
pub enum SecretSource {
    File(PathBuf),
    StandardInput,
    /// It is refused, but not here: what can't be parsed is printed.
    CommandLine,
}

#[derive(Debug, Args)]
pub struct RequeueArgs {
    #[command(flatten)]
    pub subscription: SubscriptionArgs,
    #[command(flatten)]
    pub which: Requeued,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Requeued {
    /// This one
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "all"])]
    pub event: Option<u64>,
    /// From this one on
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub from: Option<u64>,
    /// Up to this one
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    pub to: Option<u64>,
    /// All of them
    #[arg(long)]
    pub all: bool,
}

fn actions() -> PossibleValuesParser {
    PossibleValuesParser::new(["reconnect", "park", "log-out"])
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn secret(text: &str) -> Result<(String, SecretSource), String> {
    let (name, from) = text.split_once('=').ok_or("write NAME=@FILE, or NAME=-")?;
    let source = match (from, from.strip_prefix('@')) {
        ("-", _) => SecretSource::StandardInput,
        (_, Some(file)) => SecretSource::File(file.into()),
        (_, None) => SecretSource::CommandLine,
    };
    Ok((name.to_owned(), source))
}

fn time(text: &str) -> Result<std::time::Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a length of time such as 5s, 20m, 2h or 1d"))
}
