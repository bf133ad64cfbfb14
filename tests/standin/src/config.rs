//! What a stand-in can be told: addresses at its start, and the timings and
//! habits of page and server, which may change while it runs.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a stand-in starts.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address for plain HTTP; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Address for HTTPS with a self-signed certificate, if wanted.
    pub https_listen: Option<SocketAddr>,
    /// Where linked and removed devices are kept over a restart. Without it
    /// links still outlive a restart, since they are signed with
    /// [`Config::server_key`]; only removals are forgotten.
    pub state_file: Option<PathBuf>,
    /// Signs links; the same key accepts the links of an earlier stand-in.
    pub server_key: String,
    /// Timings and habits.
    pub settings: Settings,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            https_listen: None,
            state_file: None,
            server_key: "stand-in".to_owned(),
            settings: Settings::default(),
        }
    }
}

/// Timings (milliseconds) and habits; the defaults follow the real page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Refs handed out for one opening of the socket.
    pub ref_count: usize,
    /// Life of the first ref.
    pub first_ref_ms: u64,
    /// Life of each further ref.
    pub next_ref_ms: u64,
    /// Life of a pairing code.
    pub code_life_ms: u64,
    /// Life of a pairing code once the phone has answered.
    pub code_life_after_phone_ms: u64,
    /// Time from login to `hasSynced`.
    pub sync_ms: u64,
    /// Pause before each of the four groups of modules registers.
    pub module_step_ms: u64,
    /// Time between the page's own logout and the server hearing of it.
    pub logout_delay_ms: u64,
    /// The page reloads itself this long after a ref came (the real one is
    /// said to do so about every 20 s while not linked).
    pub reload_unlinked_after_ms: Option<u64>,
    /// Whether `Conn.ref` is emptied at `UNPAIRED_IDLE`; unknown of the real page.
    pub clear_ref_when_idle: bool,
    /// Whether a `HeadlessChrome` user agent gets the unsupported browser page.
    pub refuse_headless: bool,
    /// Devices that one account can have.
    pub devices_per_account: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ref_count: 6,
            first_ref_ms: 60_000,
            next_ref_ms: 20_000,
            code_life_ms: 195_000,
            code_life_after_phone_ms: 60_000,
            sync_ms: 600,
            module_step_ms: 30,
            logout_delay_ms: 100,
            reload_unlinked_after_ms: None,
            clear_ref_when_idle: false,
            refuse_headless: true,
            devices_per_account: 4,
        }
    }
}
