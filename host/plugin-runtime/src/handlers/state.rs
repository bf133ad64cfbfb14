//! What a store knows of the call that it was made for.

use std::{sync::Arc, time::Duration};

use pairing_core::{clock::Timestamp, handler::HandlerEvent};
use tokio::time::Instant;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use super::{
    authority::Bound,
    host::HandlerHost,
    logs::{LogLevel, LogLine},
    outgoing::Outgoing,
};
use crate::memory_limit::MemoryLimit;

/// Bytes of lines that one event may write.
const LOG_BYTES: usize = 16 << 10;

/// One call's world.
pub(crate) struct HandlerState {
    pub(crate) memory: MemoryLimit,
    pub(crate) table: ResourceTable,
    pub(crate) wasi: WasiCtx,
    pub(crate) http: WasiHttpCtx,
    pub(crate) outgoing: Outgoing,
    pub(crate) call: Arc<CallFacts>,
    /// None: nobody is served, and nothing that was granted works.
    pub(crate) bound: Option<Arc<Bound>>,
    pub(crate) host: Arc<HandlerHost>,
    pub(crate) log: LogBudget,
}

/// What is known of a call before it begins.
pub(crate) struct CallFacts {
    /// None: the component is asked what it is.
    pub(crate) event: Option<Arc<HandlerEvent>>,
    pub(crate) deadline: Instant,
}

impl CallFacts {
    /// What is left of the call's time, but no more than this.
    pub(crate) fn at_most(&self, longest: Duration) -> Duration {
        self.deadline.saturating_duration_since(Instant::now()).min(longest)
    }
}

/// What of its lines an event may still write.
pub(crate) struct LogBudget {
    left: usize,
    is_told: bool,
}

impl Default for LogBudget {
    fn default() -> Self {
        Self { left: LOG_BYTES, is_told: false }
    }
}

impl HandlerState {
    /// Writes a line of the guest's.
    pub(crate) fn say(&mut self, level: LogLevel, message: &str) {
        if message.len() > self.log.left {
            if !self.log.is_told {
                self.log.is_told = true;
                self.add(
                    LogLevel::Warn,
                    "more was said than 16 KiB an event: the rest is left out",
                );
            }
            return;
        }
        self.log.left -= message.len();
        self.add(level, message);
    }

    /// Writes a line whatever was said before.
    pub(crate) fn add(&self, level: LogLevel, message: &str) {
        let (Some(bound), Some(event)) = (&self.bound, &self.call.event) else { return };
        let line = LogLine {
            number: 0,
            at: self.now(),
            subscription: bound.id.name.to_string(),
            session: event.session.to_string(),
            event: event.id.clone(),
            level,
            message: message.to_owned(),
        };
        self.host.parts.logs.add(bound.id.handler, line);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.host.parts.clock.now()
    }
}

impl WasiView for HandlerState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for HandlerState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outgoing }
    }
}
