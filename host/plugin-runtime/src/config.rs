//! What the runtime must be told.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretSlice;

/// How plugins are loaded and called.
#[derive(Debug, Clone)]
pub struct PluginsConfig {
    /// A folder with `workflow.wasm`, `qr-renderer.wasm` or `fan-out.wasm`. What
    /// is not there is taken from the binary. None: all from the binary.
    pub dir: Option<PathBuf>,
    /// Where compiled code is kept between starts. None: nowhere.
    pub cache: Option<CacheConfig>,
    /// What one call may use.
    pub limits: Limits,
    /// How many guests may run at once. One slot gets at most half of them.
    pub threads: usize,
    /// How many calls of one slot may wait or run; further ones are `Busy`.
    pub queue: usize,
    /// After waiting so long for a thread a call is `Busy`.
    pub max_wait: Duration,
}

impl Default for PluginsConfig {
    fn default() -> Self {
        Self {
            dir: None,
            cache: None,
            limits: Limits::default(),
            threads: 8,
            queue: 256,
            max_wait: Duration::from_secs(1),
        }
    }
}

/// The cache of compiled code. Compiled code runs without any check, so a file
/// is loaded only if it was sealed with the key.
#[derive(Debug, Clone)]
pub struct CacheConfig {
    /// The folder. It is made if needed, and only this user may enter it.
    pub dir: PathBuf,
    /// At least 32 bytes that nobody else knows.
    pub key: SecretSlice<u8>,
}

/// What one call may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes, over all memories and tables of the call together.
    pub memory: usize,
    /// Time of a processor, not of the clock on the wall: a loaded machine does
    /// not make a guest fail. It is looked at every 10 ms.
    pub cpu_time: Duration,
    /// Units of work, about one an instruction. The same call uses the same
    /// fuel on every machine. The default is beyond what `cpu_time` allows.
    pub fuel: u64,
    /// Bytes of stack.
    pub stack: usize,
    /// Bytes that are copied out of the guest, all in all.
    pub copied_out: usize,
    /// Component-model handles.
    pub handles: usize,
    /// Bytes of the input, of the state, and of the answer, each.
    pub bytes: usize,
    /// Effects, and events, of one transition, each.
    pub effects: usize,
    /// Interests that are routed by one call; more are routed by several.
    pub interests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 16 << 20,
            cpu_time: Duration::from_millis(50),
            fuel: 1_000_000_000,
            stack: 512 << 10,
            copied_out: 1 << 20,
            handles: 1000,
            bytes: 256 << 10,
            effects: 64,
            interests: 64,
        }
    }
}
