//! What the runtime must be told.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretSlice;

/// How plugins are compiled, loaded and called.
#[derive(Debug, Clone)]
pub struct PluginsConfig {
    /// What one call may use.
    pub limits: Limits,
    /// What one call of a handler may use.
    pub handlers: HandlerLimits,
    /// How many guests may run at once. One slot gets at most half of them.
    pub threads: usize,
    /// How many calls of one slot may wait or run; further ones are `Busy`.
    pub queue: usize,
    /// After waiting so long for a thread a call is `Busy`.
    pub max_wait: Duration,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Seals compiled code, which runs without any check: at least 32 bytes that
    /// nobody else knows. None: code of an earlier start is never taken.
    pub seal_key: Option<SecretSlice<u8>>,
}

impl Default for PluginsConfig {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            handlers: HandlerLimits::default(),
            threads: 8,
            queue: 1024,
            max_wait: Duration::from_millis(50),
            compiler: Compiler::InProcess,
            seal_key: None,
        }
    }
}

/// Where components are compiled. A compiler is no sandbox: what it is fed may
/// make it take all memory and all time.
#[derive(Debug, Clone)]
pub enum Compiler {
    /// In this process: for tests, and for components that one has built oneself.
    InProcess,
    /// In a process of its own, which is ended when it takes too much.
    Child(ChildCompiler),
}

/// A process that compiles one component and ends.
#[derive(Debug, Clone)]
pub struct ChildCompiler {
    /// What is started; it must do nothing but call [`crate::compile_stdin`].
    pub program: PathBuf,
    /// With these arguments.
    pub args: Vec<String>,
    /// It may take so long; three times that for a handler, which brings its
    /// language's runtime along.
    pub time: Duration,
    /// It may have so many bytes of memory; three times that for a handler.
    pub memory: u64,
}

impl ChildCompiler {
    /// With the limits that fit components of some megabytes.
    pub fn new(program: PathBuf, args: Vec<String>) -> Self {
        Self { program, args, time: Duration::from_secs(30), memory: 1 << 30 }
    }
}

/// What one call may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes, over all memories and tables of the call together.
    pub memory: usize,
    /// Time of a processor, not of the clock on the wall: a loaded machine does
    /// not make a guest fail. It is looked at every millisecond.
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

/// What one call of a handler may use. How long it may take altogether is its
/// subscription's to say.
#[derive(Debug, Clone)]
pub struct HandlerLimits {
    /// Calls that run at once, waiting for answers included; one handler gets at
    /// most half of them.
    pub at_once: usize,
    /// Bytes, over all memories and tables of the call together.
    pub memory: usize,
    /// Time of a processor, as in [`Limits`].
    pub cpu_time: Duration,
    /// Bytes of stack.
    pub stack: usize,
    /// Bytes that are copied out of the guest by one call of the host.
    pub copied_out: usize,
    /// Component-model handles.
    pub handles: usize,
    /// Bytes of the event.
    pub bytes: usize,
}

impl Default for HandlerLimits {
    fn default() -> Self {
        Self {
            at_once: 64,
            // A Python component begins with some 20 MiB.
            memory: 64 << 20,
            cpu_time: Duration::from_millis(200),
            stack: 1 << 20,
            copied_out: 4 << 20,
            handles: 1000,
            bytes: 256 << 10,
        }
    }
}
