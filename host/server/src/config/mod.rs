//! The host's settings: what there is, what is default, and what is refused.
//!
//! They come from `pairing-host.toml` and from the environment, which wins. A
//! setting `a.b_c` is `PAIRING_A_B_C` there (and `database_url` is
//! `DATABASE_URL`). All mistakes are collected and told at once, before a port
//! opens or a browser starts.

mod exposure;
mod parse;
mod source;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use ipnet::IpNet;
use pairing_core::workflow::PairingSettings;
use secrecy::SecretString;
use url::Url;

pub use source::SettingsFile;
use source::Source;

const SESSION_MEMORY: u64 = 1 << 30;
const SENTINEL_DEADLINE: Duration = Duration::from_secs(45);
const CANARY_EVERY: Duration = Duration::from_secs(6 * 60 * 60);

/// In production unsigned plugins are refused, and errors say less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Development,
    Production,
}

/// Everything that can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    pub mode: Mode,
    pub log: String,
    pub listen: SocketAddr,
    pub public_url: Option<Url>,
    pub allowed_origins: Vec<Url>,
    pub trusted_proxies: Vec<IpNet>,
    pub tls: Option<TlsFiles>,
    pub rate_limits: bool,
    pub data_dir: PathBuf,
    pub profiles_dir: Option<PathBuf>,
    pub database_url: Option<SecretString>,
    /// How long the journal is kept; none means the sessions' default.
    pub journal_kept: Option<Duration>,
    /// The same of history and recorded inputs.
    pub history_kept: Option<Duration>,
    pub plugins_dir: Option<PathBuf>,
    /// PEM files of the keys that may sign plugins.
    pub plugins_keys: Vec<PathBuf>,
    pub jwt: Jwt,
    pub chromium: Chromium,
    pub pairing: PairingSettings,
    /// How long a call about a session counts as somebody's looking at it; none
    /// means the sessions' default.
    pub watch_window: Option<Duration>,
    pub code_budgets: CodeBudgets,
    /// How often the page is looked at for what has changed in it; none: never.
    pub page_canary_every: Option<Duration>,
}

/// PEM files of the listener's certificate chain and key.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// Which foreign tokens are accepted.
#[derive(Debug, Clone)]
pub struct Jwt {
    pub secret: Option<SecretString>,
    pub jwks: Option<String>,
    pub issuer: Option<String>,
    pub audience: Option<String>,
    pub role_claim: String,
    pub admin_role: String,
}

/// How browsers are started.
#[derive(Debug, Clone)]
pub struct Chromium {
    pub path: PathBuf,
    pub args: Vec<String>,
    pub user: String,
    pub whatsapp_web_url: Url,
    pub concurrent_starts: Option<usize>,
    /// How many browsers run at once; none: as many as there are sessions.
    pub max_browsers: Option<usize>,
    /// Bytes that all processes of a session's browser may use together.
    pub session_memory: u64,
    /// A browser ends when its host has not been heard of for so long.
    pub sentinel_deadline: Duration,
}

/// How many pairing codes may be asked for in an hour.
#[derive(Debug, Clone, Copy)]
pub struct CodeBudgets {
    pub number: Option<u32>,
    pub caller: Option<u32>,
    pub session: Option<u32>,
    pub host: Option<u32>,
}

/// What is wrong, one line a setting.
#[derive(Debug, thiserror::Error)]
#[error("the settings can't be used:\n  - {}", .0.join("\n  - "))]
pub struct InvalidSettings(pub Vec<String>);

impl Settings {
    /// Reads file and environment.
    pub fn read(file: &SettingsFile) -> Result<Self, InvalidSettings> {
        // `vars` would panic at any variable, whoever's, that is not UTF-8.
        let variables = std::env::vars_os().filter_map(|(name, text)| {
            Some((name.into_string().ok()?, text.to_string_lossy().into_owned()))
        });
        Self::from_source(Source::read(file, variables))
    }

    /// Reads a file alone, whatever the environment says.
    pub fn from_file_alone(file: &SettingsFile) -> Result<Self, InvalidSettings> {
        Self::from_source(Source::read(file, std::iter::empty()))
    }

    fn from_source(mut source: Source) -> Result<Self, InvalidSettings> {
        let s = &mut source;
        let settings = Self {
            mode: s.get("mode", parse::mode).unwrap_or(Mode::Production),
            log: s.get("log", parse::log_filter).unwrap_or_else(|| "info".into()),
            listen: s.get("listen", parse::address).unwrap_or(([127, 0, 0, 1], 8080).into()),
            public_url: s.get("public_url", parse::web_url),
            allowed_origins: s.list("allowed_origins", parse::origin),
            trusted_proxies: s.list("trusted_proxies", parse::network),
            tls: tls(s),
            rate_limits: s.get("rate_limits", parse::on_or_off).unwrap_or(true),
            data_dir: s.get("data_dir", parse::path).unwrap_or_else(default_data_dir),
            profiles_dir: s.get("profiles_dir", parse::path),
            database_url: s.get("database_url", parse::database_url),
            journal_kept: s.get("journal_days", parse::days),
            history_kept: s.get("history_days", parse::days),
            plugins_dir: s.get("plugins.dir", parse::folder),
            plugins_keys: s.list("plugins.keys", parse::file),
            jwt: jwt(s),
            chromium: chromium(s),
            pairing: pairing(s),
            watch_window: s.get("pairing.watch_window", parse::duration),
            code_budgets: CodeBudgets {
                number: s.get("pairing.codes_per_number", parse::count),
                caller: s.get("pairing.codes_per_caller", parse::count),
                session: s.get("pairing.codes_per_session", parse::count),
                host: s.get("pairing.codes_per_host", parse::count),
            },
            page_canary_every: s
                .get("page_hooks.canary_every", parse::duration_or_off)
                .unwrap_or(Some(CANARY_EVERY)),
        };
        exposure::check(&settings, s);
        let mistakes = source.mistakes();
        if mistakes.is_empty() { Ok(settings) } else { Err(InvalidSettings(mistakes)) }
    }
}

fn tls(s: &mut Source) -> Option<TlsFiles> {
    match (s.get("tls_cert", parse::file), s.get("tls_key", parse::file)) {
        (Some(cert), Some(key)) => Some(TlsFiles { cert, key }),
        (None, None) => None,
        _ => {
            s.mistake("PAIRING_TLS_CERT and PAIRING_TLS_KEY belong together: give both or neither");
            None
        }
    }
}

fn jwt(s: &mut Source) -> Jwt {
    Jwt {
        secret: s.get("jwt_secret", parse::jwt_secret),
        jwks: s.get("jwt_jwks", parse::text),
        issuer: s.get("jwt_issuer", parse::text),
        audience: s.get("jwt_audience", parse::text),
        role_claim: s.get("jwt_role_claim", parse::text).unwrap_or_else(|| "role".into()),
        admin_role: s.get("jwt_admin_role", parse::text).unwrap_or_else(|| "admin".into()),
    }
}

fn chromium(s: &mut Source) -> Chromium {
    let default_url = || Url::parse("https://web.whatsapp.com/").expect("a constant URL");
    Chromium {
        path: s.get("chromium", parse::path).unwrap_or_else(|| "/usr/bin/chromium".into()),
        args: s.get("chromium_args", parse::shell_words).unwrap_or_default(),
        user: s.get("chromium_user", parse::text).unwrap_or_else(|| "nobody".into()),
        whatsapp_web_url: s.get("whatsapp_web_url", parse::web_url).unwrap_or_else(default_url),
        concurrent_starts: s.get("concurrent_starts", parse::count).map(|count| count as usize),
        max_browsers: s.get("max_browsers", parse::count).map(|count| count as usize),
        session_memory: s.get("session_memory", parse::bytes).unwrap_or(SESSION_MEMORY),
        sentinel_deadline: s.get("sentinel_deadline", parse::duration).unwrap_or(SENTINEL_DEADLINE),
    }
}

fn pairing(s: &mut Source) -> PairingSettings {
    let default = PairingSettings::default();
    let mut duration = |name: &str, default: Duration| {
        s.get(&format!("pairing.{name}"), parse::duration).unwrap_or(default)
    };
    PairingSettings {
        first_qr_lifetime: duration("first_qr_lifetime", default.first_qr_lifetime),
        next_qr_lifetime: duration("next_qr_lifetime", default.next_qr_lifetime),
        pairing_code_lifetime: duration("pairing_code_lifetime", default.pairing_code_lifetime),
        boot_deadline: duration("boot_deadline", default.boot_deadline),
        link_deadline: duration("link_deadline", default.link_deadline),
        first_retry_delay: duration("first_retry_delay", default.first_retry_delay),
        max_retry_delay: duration("max_retry_delay", default.max_retry_delay),
        max_qr_rounds: s
            .get("pairing.max_qr_rounds", parse::count)
            .unwrap_or(default.max_qr_rounds),
        max_pairing_restarts: s
            .get("pairing.max_restarts", parse::count)
            .unwrap_or(default.max_pairing_restarts),
        auto_reconnect: s.get("pairing.auto_reconnect", parse::on_or_off).unwrap_or(true),
    }
}

/// `/var/lib/pairing-host` for root, else by the XDG rules.
fn default_data_dir() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return "/var/lib/pairing-host".into();
    }
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
    let base = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).or_else(home);
    base.unwrap_or_else(|| ".".into()).join("pairing-host")
}

#[cfg(test)]
mod tests;
