//! One call of a handler: its store, its limits, and what its failure is called.

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
use pairing_core::{
    handler::HandlerEvent,
    plugin::{PluginError, Slot},
};
use tokio::time::Instant;
use wasmtime::{
    PoolConcurrencyLimitError, Store, Trap, UpdateDeadline, WasmBacktrace, component::ResourceTable,
};
use wasmtime_wasi_http::WasiHttpCtx;

use super::{
    authority::Bound,
    engine::PARTS,
    hollow::{Output, wasi},
    host::HandlerHost,
    logs::LogLevel,
    metered::Meter,
    outgoing::Outgoing,
    state::{CallFacts, HandlerState},
};
use crate::memory_limit::MemoryLimit;

/// For whom a call is made, and how long it may take.
pub(crate) struct Order {
    pub(crate) slot: Slot,
    /// None: the component is asked what it is.
    pub(crate) served: Option<(Arc<Bound>, Arc<HandlerEvent>)>,
    pub(crate) timeout: Duration,
}

/// How a call ended, and what it took.
pub(crate) struct Ended<T> {
    /// Bytes, over all its memories and tables.
    pub(crate) memory: usize,
    pub(crate) result: Result<T, CallError>,
    pub(crate) cpu_time: Duration,
}

/// Why there is no answer.
pub(crate) enum CallError {
    /// It is the component's doing.
    Plugin(PluginError),
    /// Its time is over, and it was waiting: for what it had asked of others.
    TimedOut,
}

/// The reason with which the clock ends a guest.
#[derive(Debug, thiserror::Error)]
#[error("out of time")]
struct OutOfTime;

/// Runs a guest in a store of its own, which is gone afterwards. To be run on
/// the handlers' threads.
pub(crate) async fn run<T>(
    host: Arc<HandlerHost>,
    order: Order,
    work: impl for<'a> FnOnce(&'a mut Store<HandlerState>) -> BoxFuture<'a, wasmtime::Result<T>> + Send,
) -> Ended<T> {
    let Order { slot, served, timeout } = order;
    let (meter, output) = (Meter::default(), Output::default());
    let result = meter.measure(async {
        let mut store = store(&host, served, timeout, &meter, &output);
        let result = match tokio::time::timeout(timeout, work(&mut store)).await {
            Ok(result) => result.map_err(|error| failure(slot, &host, &error, store.data())),
            Err(_) => Err(CallError::TimedOut),
        };
        let level = if result.is_err() { LogLevel::Error } else { LogLevel::Info };
        for line in output.take_lines() {
            store.data_mut().say(level, &line);
        }
        (result, store.data().memory.used())
    });
    let (result, memory) = result.await;
    Ended { memory, result, cpu_time: meter.used() }
}

fn store(
    host: &Arc<HandlerHost>,
    served: Option<(Arc<Bound>, Arc<HandlerEvent>)>,
    timeout: Duration,
    meter: &Meter,
    output: &Output,
) -> Store<HandlerState> {
    let limits = &host.limits;
    let (bound, event) = served.unzip();
    let grants = bound.as_ref().map(|bound| &bound.settings.grants);
    let call = Arc::new(CallFacts { event: event.clone(), deadline: Instant::now() + timeout });
    let state = HandlerState {
        memory: MemoryLimit::new(limits.memory, PARTS),
        table: ResourceTable::new(),
        wasi: wasi(grants, event.as_deref(), &host.parts.clock, output),
        http: WasiHttpCtx::new(),
        outgoing: Outgoing { host: host.clone(), call: call.clone(), bound: bound.clone() },
        call,
        bound,
        host: host.clone(),
        log: Default::default(),
    };
    let mut store = Store::new(&host.engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(limits.copied_out);
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(1);
    let (meter, cpu_time) = (meter.clone(), limits.cpu_time);
    store.epoch_deadline_callback(move |_| {
        if meter.used() >= cpu_time {
            return Err(OutOfTime.into());
        }
        // Others on this thread have their turn first.
        Ok(UpdateDeadline::Yield(1))
    });
    store
}

fn failure(
    slot: Slot,
    host: &HandlerHost,
    error: &wasmtime::Error,
    state: &HandlerState,
) -> CallError {
    let error = if error.is::<OutOfTime>() {
        let budget = host.limits.cpu_time;
        state.add(
            LogLevel::Error,
            &format!("ended: it used more than {budget:?} of processor time{}", place(error)),
        );
        PluginError::Deadline { slot, budget }
    } else if error.is::<PoolConcurrencyLimitError>() {
        PluginError::Busy { slot }
    } else if state.memory.was_refused() && error.downcast_ref::<Trap>().is_some() {
        let limit_mib = (host.limits.memory >> 20) as u64;
        state.add(
            LogLevel::Error,
            &format!("ended: it wanted more than {limit_mib} MiB of memory{}", place(error)),
        );
        PluginError::Memory { slot, limit_mib }
    } else {
        // The innermost reason alone: a constant of wasmtime's.
        let message = error.root_cause().to_string();
        state.add(LogLevel::Error, &format!("trapped: {message}{}", place(error)));
        PluginError::Trapped { slot, message }
    };
    CallError::Plugin(error)
}

/// Where the guest was, by the names of its functions; for its author.
fn place(error: &wasmtime::Error) -> String {
    const DEEPEST: usize = 20;
    let Some(trace) = error.downcast_ref::<WasmBacktrace>() else { return String::new() };
    let frames = trace.frames().iter().take(DEEPEST);
    frames
        .map(|frame| match frame.func_name() {
            Some(name) => format!("\n    at {}", rustc_name(name)),
            None => format!("\n    at function {}", frame.func_index()),
        })
        .collect()
}

/// Readable, where it is Rust's or C++'s.
fn rustc_name(name: &str) -> String {
    rustc_demangle::try_demangle(name)
        .map_or_else(|_| name.to_owned(), |demangled| format!("{demangled:#}"))
}
