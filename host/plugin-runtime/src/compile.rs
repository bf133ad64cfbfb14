//! From a component to native code, in a process of its own: wasmtime's compiler
//! makes no promise about what a hostile component costs it.

use std::{
    io::{self, Read, Write},
    process::{ExitCode, ExitStatus, Stdio},
};

use nix::sys::{
    prctl,
    resource::{Resource, setrlimit},
    signal::Signal,
};
use pairing_core::plugin::Slot;
use pairing_failpoints::failpoint;
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};
use wasmtime::{Engine, component::Component};

use crate::{
    config::{ChildCompiler, Compiler, PluginsConfig},
    engine::{self, PARTS},
    error::Refusal,
    handlers,
};

/// What the parent tells its child, in one variable of the environment.
const ORDER: &str = "PAIRING_COMPILE_ORDER";
/// More code than this is not taken from a child: no component of the size that
/// may be sent in has as much.
const MOST_CODE: u64 = 256 << 20;
/// Ends the child's work when it was refused, in contrast to when it failed.
const REFUSED: u8 = 3;

/// The compiler's settings, which are the loader's too, and its limits.
#[derive(Serialize, Deserialize)]
struct Order {
    kind: Kind,
    stack: usize,
    memory: usize,
    address_space: u64,
    seconds: u64,
}

/// Why a component does not compile, as the child says it.
#[derive(Serialize, Deserialize)]
enum Trouble {
    Compile(String),
    Memory { wanted: u64, limit: u64 },
    Parts { what: String, wanted: u32, limit: u32 },
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Compile(why) => Self::Compile(why),
            Trouble::Memory { wanted, limit } => Self::Memory { wanted, limit },
            Trouble::Parts { what, wanted, limit } => Self::Parts { what, wanted, limit },
        }
    }
}

/// For which engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Kind {
    /// Guests without effects.
    Pure,
    /// Event handlers.
    Handler,
}

impl Kind {
    pub(crate) fn of(slot: Slot) -> Self {
        if slot.handler().is_some() { Self::Handler } else { Self::Pure }
    }

    fn stack_and_memory(self, config: &PluginsConfig) -> (usize, usize) {
        match self {
            Self::Pure => (config.limits.stack, config.limits.memory),
            Self::Handler => (config.handlers.stack, config.handlers.memory),
        }
    }

    fn parts(self) -> u32 {
        match self {
            Self::Pure => PARTS,
            Self::Handler => handlers::PARTS,
        }
    }
}

/// Native code, without any proof of where it comes from.
pub(crate) struct Compiled(pub(crate) Vec<u8>);

/// Compiles where the configuration says.
pub(crate) async fn compile(
    config: &PluginsConfig,
    kind: Kind,
    component: &[u8],
) -> Result<Compiled, Refusal> {
    match &config.compiler {
        Compiler::Child(child) => in_child(config, kind, child, component).await,
        Compiler::InProcess => {
            let (config, component) = (config.clone(), component.to_vec());
            let compiling =
                tokio::task::spawn_blocking(move || compile_now(&config, kind, &component));
            let compiled = compiling.await.map_err(|error| Refusal::Compiler(error.to_string()))?;
            Ok(compiled?)
        }
    }
}

/// What a [`ChildCompiler`]'s process does: compiles the component that it reads
/// from its standard input and writes the native code to its standard output.
/// Limits itself first.
pub fn compile_stdin() -> ExitCode {
    match serve_order() {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(refusal)) => {
            println!("{refusal}");
            ExitCode::from(REFUSED)
        }
        Err(error) => {
            eprintln!("this command compiles one plugin for a running host: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve_order() -> io::Result<Result<(), String>> {
    let order = std::env::var(ORDER).map_err(|_| io::Error::other("it was given no order"))?;
    let order: Order = serde_json::from_str(&order)?;
    prctl::set_pdeathsig(Signal::SIGKILL)?;
    setrlimit(Resource::RLIMIT_AS, order.address_space, order.address_space)?;
    // Several threads compile, so the parent's clock ends it sooner than this.
    let cpu = order.seconds.saturating_mul(8);
    setrlimit(Resource::RLIMIT_CPU, cpu, cpu)?;
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    let mut component = Vec::new();
    io::stdin().read_to_end(&mut component)?;
    let mut config = PluginsConfig::default();
    match order.kind {
        Kind::Pure => {
            (config.limits.stack, config.limits.memory) = (order.stack, order.memory);
        }
        Kind::Handler => {
            (config.handlers.stack, config.handlers.memory) = (order.stack, order.memory);
        }
    }
    match compile_now(&config, order.kind, &component) {
        Ok(Compiled(code)) => {
            let mut out = io::stdout().lock();
            out.write_all(&code)?;
            out.flush()?;
            Ok(Ok(()))
        }
        Err(trouble) => Ok(Err(serde_json::to_string(&trouble)?)),
    }
}

/// Compiles here and now, and looks at what every instance would need.
fn compile_now(config: &PluginsConfig, kind: Kind, component: &[u8]) -> Result<Compiled, Trouble> {
    let refused = |error: wasmtime::Error| Trouble::Compile(format!("{error:#}"));
    // Without the pool, whose reservation is larger than the child may have.
    let settings = match kind {
        Kind::Pure => engine::pure(config),
        Kind::Handler => handlers::effects(&config.handlers),
    };
    let engine = Engine::new(&settings).map_err(refused)?;
    let component = Component::from_binary(&engine, component).map_err(refused)?;
    check_needs(&component, kind, config)?;
    Ok(Compiled(component.serialize().map_err(refused)?))
}

/// Can it ever get what it begins with?
fn check_needs(component: &Component, kind: Kind, config: &PluginsConfig) -> Result<(), Trouble> {
    let Some(needs) = component.resources_required() else {
        return Err(Trouble::Compile("it instantiates modules that it imports".into()));
    };
    let (_, memory) = kind.stack_and_memory(config);
    let (wanted, limit) = (initial_memory(component), memory as u64);
    if wanted > limit {
        return Err(Trouble::Memory { wanted, limit });
    }
    for (what, wanted) in [("memories", needs.num_memories), ("tables", needs.num_tables)] {
        let limit = kind.parts();
        if wanted > limit {
            return Err(Trouble::Parts { what: what.into(), wanted, limit });
        }
    }
    Ok(())
}

/// Bytes that the largest memory begins with.
pub(crate) fn initial_memory(component: &Component) -> u64 {
    const PAGE: u64 = 64 << 10;
    let needs = component.resources_required();
    needs.and_then(|needs| needs.max_initial_memory_size).unwrap_or(0).saturating_mul(PAGE)
}

async fn in_child(
    config: &PluginsConfig,
    kind: Kind,
    child: &ChildCompiler,
    component: &[u8],
) -> Result<Compiled, Refusal> {
    // A language's runtime comes along in a handler.
    let more = if kind == Kind::Handler { 3 } else { 1 };
    let child = &ChildCompiler {
        time: child.time * more,
        memory: child.memory * u64::from(more),
        ..child.clone()
    };
    let (stack, memory) = kind.stack_and_memory(config);
    let order = Order {
        kind,
        stack,
        memory,
        address_space: child.memory,
        seconds: child.time.as_secs().max(1),
    };
    let order = serde_json::to_string(&order).unwrap_or_default();
    let host = |error: io::Error| Refusal::Compiler(format!("the compiler can't be run: {error}"));
    failpoint!("compiler.spawn", Refusal::Compiler);
    let mut process = Command::new(&child.program)
        .args(&child.args)
        .env_clear()
        .env(ORDER, order)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(host)?;
    let (stdin, stdout, stderr) =
        (process.stdin.take(), process.stdout.take(), process.stderr.take());
    let feed = async {
        if let Some(mut stdin) = stdin {
            // It may end before it has read everything.
            let _ = stdin.write_all(component).await;
        }
    };
    let work = async { tokio::join!(feed, read(stdout), read(stderr), process.wait()) };
    let ended = tokio::time::timeout(child.time, work).await;
    let Ok(((), code, said, status)) = ended else {
        let _ = process.kill().await;
        return Err(Refusal::CompileTime { limit: child.time });
    };
    verdict(status.map_err(host)?, code.map_err(host)?, &said.map_err(host)?, child)
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(MOST_CODE).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

fn verdict(
    status: ExitStatus,
    code: Vec<u8>,
    said: &[u8],
    child: &ChildCompiler,
) -> Result<Compiled, Refusal> {
    let said = String::from_utf8_lossy(said);
    match status.code() {
        Some(0) if !code.is_empty() => Ok(Compiled(code)),
        Some(code_refused) if code_refused == i32::from(REFUSED) => {
            let trouble = serde_json::from_slice::<Trouble>(&code);
            Err(trouble.map_or_else(|error| Refusal::Compiler(error.to_string()), Refusal::from))
        }
        // An allocation that fails ends a Rust program by a signal.
        _ if said.contains("memory allocation of") || said.contains("Cannot allocate memory") => {
            Err(Refusal::CompileMemory { limit: child.memory })
        }
        _ => Err(Refusal::Compiler(format!(
            "the compiler ended with {status}: {}",
            said.lines().last().unwrap_or("it said nothing")
        ))),
    }
}
