//! What all handlers share: where they run, and what the host gives them.

use std::{
    sync::{Arc, OnceLock, atomic::AtomicUsize},
    time::Duration,
};

use pairing_core::{clock::SharedClock, delivery_store::KvStore, handler::SessionActions};
use pairing_egress::Egress;
use thread_priority::{ThreadPriority, ThreadPriorityValue};
use tokio::{
    runtime::Runtime,
    sync::{Semaphore, mpsc},
};
use wasmtime::Engine;

use super::{
    engine::{self, LOADING},
    logs::GuestLogs,
};
use crate::{
    config::{HandlerLimits, PluginsConfig},
    error::LoadError,
    plugin::VersionAlarm,
};

/// Threads for handlers: they wait most of the time.
const THREADS: usize = 2;

/// What handlers are given to work with.
#[derive(Clone)]
pub struct HandlerParts {
    /// Where their values are kept.
    pub kv: Arc<dyn KvStore>,
    /// The way out.
    pub egress: Egress,
    /// Tells the time.
    pub clock: SharedClock,
    /// Where their lines go.
    pub logs: GuestLogs,
}

/// What all handlers share.
pub(crate) struct HandlerHost {
    pub(crate) engine: Engine,
    pub(crate) limits: HandlerLimits,
    pub(crate) parts: HandlerParts,
    /// Sessions are there only after the plugins that they need.
    pub(crate) sessions: OnceLock<Arc<dyn SessionActions>>,
    /// Calls that run at once.
    pub(crate) places: Arc<Semaphore>,
    /// Turns of components that are being loaded.
    pub(crate) loading: Arc<Semaphore>,
    pub(crate) max_wait: Duration,
    pub(crate) loaded: Arc<AtomicUsize>,
    pub(crate) alarms: mpsc::UnboundedSender<VersionAlarm>,
    threads: Option<Runtime>,
}

impl HandlerHost {
    pub(crate) fn start(
        config: &PluginsConfig,
        parts: HandlerParts,
        loaded: Arc<AtomicUsize>,
        alarms: mpsc::UnboundedSender<VersionAlarm>,
    ) -> Result<Self, LoadError> {
        let limits = config.handlers.clone();
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("plugin-handler")
            // A guest that spins gives way each millisecond; new calls, timers and
            // sockets are to be looked at about as often.
            .global_queue_interval(1)
            .event_interval(3)
            .on_thread_start(make_way)
            .enable_all()
            .build()
            .map_err(|error| LoadError::Machine(format!("no threads for handlers: {error}")))?;
        Ok(Self {
            engine: engine::build(&limits)?,
            places: Arc::new(Semaphore::new(limits.at_once.max(1))),
            loading: Arc::new(Semaphore::new(LOADING)),
            max_wait: config.max_wait,
            limits,
            parts,
            sessions: OnceLock::new(),
            loaded,
            alarms,
            threads: Some(threads),
        })
    }

    /// Runs a guest on the handlers' threads; its caller's leaving ends it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let running = self.threads.as_ref()?.spawn(work);
        let running = AbortOnDrop(running);
        running.await
    }
}

/// Sessions go first.
fn make_way() {
    let nice = ThreadPriorityValue::try_from(20_u8).map(ThreadPriority::Crossplatform);
    if let Ok(nice) = nice {
        // If it may not be done, they go on as they are.
        let _ = thread_priority::set_current_thread_priority(nice);
    }
}

impl Drop for HandlerHost {
    fn drop(&mut self) {
        // Its last owner may be a task, which may not wait.
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

struct AbortOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    /// None: it panicked, which is a mistake of the host.
    type Output = Option<T>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        std::pin::Pin::new(&mut self.0).poll(context).map(Result::ok)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
