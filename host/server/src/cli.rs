//! The command line.

mod hooks;
mod plugin;
mod project;
mod subscription;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use hooks::{HooksCommand, PushHooksArgs};
pub use plugin::{PluginCommand, PushArgs};
pub use project::{ProjectCommand, RunArgs};
pub use subscription::{
    GrantArgs, RequeueArgs, SecretSource, SubscriptionArgs, SubscriptionCommand,
};

use crate::config::SettingsFile;

/// The hidden command that compiles one plugin for a running host.
pub const COMPILE_PLUGIN: &str = "compile-plugin";

/// The hidden command that stands beside each browser of a running host.
pub const SENTINEL: &str = "sentinel";

/// Links WhatsApp devices to an application and keeps the links alive.
#[derive(Debug, Parser)]
#[command(name = "pairing-host", version, after_long_help = SETTINGS)]
pub struct Cli {
    /// The settings file [default: ./pairing-host.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    pub fn settings_file(&self) -> SettingsFile {
        self.config.clone().map_or(SettingsFile::Default, SettingsFile::Named)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the host (what happens when no command is given)
    #[command(after_long_help = SETTINGS)]
    Serve,
    /// Bring the database up to date, and end
    Migrate,
    /// Who may sign in to the console
    #[command(subcommand)]
    Admin(AdminCommand),
    /// Print an access token for scripts, valid for a short time
    Token(TokenArgs),
    /// Sessions of a running host
    #[command(subcommand)]
    Session(SessionCommand),
    /// Plugins of a running host
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// What a running host knows of WhatsApp's page
    #[command(subcommand)]
    Hooks(HooksCommand),
    /// Check this machine and these settings, and say what is missing
    Doctor,
    /// Print the OpenAPI description of the API
    #[command(name = "openapi")]
    OpenApi,
    /// What the host starts to compile a plugin in a process of its own
    #[command(name = COMPILE_PLUGIN, hide = true)]
    CompilePlugin,
    /// What the host starts beside each browser, to end it in any case
    #[command(name = SENTINEL, hide = true)]
    Sentinel,
}

#[derive(Debug, Subcommand)]
pub enum AdminCommand {
    /// List who may sign in
    List,
    /// Let another person sign in; the password is read from the terminal
    Add(AdminArgs),
    /// Set a new password; all sign-ins of that person end
    Password(AdminArgs),
    /// Take the right to sign in away
    Remove {
        /// The name
        username: String,
    },
}

#[derive(Debug, Args)]
pub struct AdminArgs {
    /// The name
    pub username: String,
    /// Read the password from standard input instead of the terminal
    #[arg(long)]
    pub password_stdin: bool,
}

#[derive(Debug, Args)]
pub struct TokenArgs {
    /// For whom; it becomes the token's subject
    #[arg(long, default_value = "cli")]
    pub subject: String,
    /// How long it is valid, up to 24h
    #[arg(long, default_value = "15m")]
    pub lifetime: jiff::SignedDuration,
}

/// Where the running host is, for commands that talk to it.
#[derive(Debug, Args)]
pub struct Remote {
    /// The host's address
    #[arg(long, env = "PAIRING_URL", default_value = "http://127.0.0.1:8080")]
    pub url: url::Url,
    /// A token with the admin role, such as `pairing-host token` prints
    #[arg(long, env = "PAIRING_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Print the answer as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List all sessions
    List {
        #[command(flatten)]
        remote: Remote,
    },
    /// Show one session
    Show(SessionArgs),
    /// Begin to link a session, or start it again
    Init(SessionArgs),
    /// Stop a session's browser; the link stays
    Disconnect(SessionArgs),
    /// Start a session's browser again
    Reconnect(SessionArgs),
    /// Unlink a session
    Logout(SessionArgs),
    /// Remove a session with all that belongs to it
    Delete(SessionArgs),
}

#[derive(Debug, Args)]
pub struct SessionArgs {
    /// The session's name
    #[arg(default_value = "pairing-console")]
    pub name: String,
    /// Accept that a link is lost
    #[arg(long)]
    pub confirm: bool,
    #[command(flatten)]
    pub remote: Remote,
}

const SETTINGS: &str = "\
Settings (in pairing-host.toml, or in the environment, which wins):
  mode                PAIRING_MODE                production (default) or development
  log                 PAIRING_LOG                 info; or a filter such as info,pairing_engine=debug
  listen              PAIRING_LISTEN              127.0.0.1:8080
  public_url          PAIRING_PUBLIC_URL          the address that browsers use, if not the above
  allowed_origins     PAIRING_ALLOWED_ORIGINS     origins whose pages may call the API with a token
  trusted_proxies     PAIRING_TRUSTED_PROXIES     addresses or networks whose X-Forwarded-For counts
  tls_cert, tls_key   PAIRING_TLS_CERT, _KEY      PEM files
  rate_limits         PAIRING_RATE_LIMITS         on; off for load measurements on loopback
  data_dir            PAIRING_DATA_DIR            /var/lib/pairing-host, or in the user's home
  profiles_dir        PAIRING_PROFILES_DIR        browser profiles [in data_dir; in /var/lib/pairing-host
                                              where the host is root and data_dir closed to others]
  database_url        DATABASE_URL                postgres://… [SQLite in data_dir]
  journal_days        PAIRING_JOURNAL_DAYS        7; how long events can be resumed from
  history_days        PAIRING_HISTORY_DAYS        365; a session's history and recorded inputs
  plugins.dir         PAIRING_PLUGINS_DIR         workflow.wasm, qr-renderer.wasm, fan-out.wasm, HANDLER.wasm:
                                                  what fills a slot that nothing fills yet; watched in
                                                  development
  plugins.keys        PAIRING_PLUGINS_KEYS        PEM files of the Ed25519 keys that may sign plugins
  jwt_secret          PAIRING_JWT_SECRET          HS256 key of the issuer, at least 32 bytes
  jwt_jwks            PAIRING_JWT_JWKS            or its key set: a file or an address
  jwt_issuer, jwt_audience, jwt_role_claim, jwt_admin_role
                      PAIRING_JWT_ISSUER, …       what tokens must say [role: admin]
  whatsapp_web_url    PAIRING_WHATSAPP_WEB_URL    https://web.whatsapp.com/
  chromium            PAIRING_CHROMIUM            /usr/bin/chromium
  chromium_args       PAIRING_CHROMIUM_ARGS       more flags, split as a shell would
  chromium_user       PAIRING_CHROMIUM_USER       nobody; used when the host runs as root
  concurrent_starts   PAIRING_CONCURRENT_STARTS   how many browsers start at once [cores]
  max_browsers        PAIRING_MAX_BROWSERS        how many run at once; further sessions queue [no limit]
  session_memory      PAIRING_SESSION_MEMORY      1GiB; of one session's browser, where cgroups allow
  sentinel_deadline   PAIRING_SENTINEL_DEADLINE   45s; a browser ends when its host is silent for so long
  page_hooks.canary_every
                      PAIRING_PAGE_HOOKS_CANARY_EVERY
                                                  6h; how often WhatsApp's page is looked at for what
                                                  has changed in it; or off
  pairing.…           PAIRING_PAIRING_…           first_qr_lifetime, next_qr_lifetime,
                      pairing_code_lifetime, boot_deadline, link_deadline, first_retry_delay,
                      max_retry_delay, max_qr_rounds, max_restarts, auto_reconnect (on),
                      watch_window (60s; how long a call counts as somebody's looking), and of codes
                      in an hour codes_per_number, _per_caller, _per_session, _per_host";
