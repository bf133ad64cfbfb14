//! One call: its stores, its limits, and what its failure is called.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use pairing_core::plugin::{PluginError, Slot};
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, Trap, UpdateDeadline};

use crate::{
    clock::Running, config::Limits, engine::PARTS, guest_threads, memory_limit::MemoryLimit,
};

/// A call that has worked for longer makes way for others.
const SLOW: Duration = Duration::from_millis(2);

/// What a store knows of its call.
pub(crate) struct CallState {
    memory: MemoryLimit,
}

/// One call. Its time and fuel are shared by all stores that it opens; it stays
/// on the thread that it began on.
pub(crate) struct Call<'a> {
    engine: &'a Engine,
    slot: Slot,
    limits: &'a Limits,
    /// By the thread's own clock.
    began_at: Duration,
    fuel: u64,
}

/// The reason with which the clock ends a guest.
#[derive(Debug, thiserror::Error)]
#[error("out of time")]
struct OutOfTime;

impl<'a> Call<'a> {
    pub(crate) fn begin(engine: &'a Engine, slot: Slot, limits: &'a Limits) -> Self {
        Self { engine, slot, limits, began_at: thread_time(), fuel: limits.fuel }
    }

    /// Runs a guest in a store of its own, which is gone afterwards.
    pub(crate) fn enter<T>(
        &mut self,
        run: impl FnOnce(&mut Store<CallState>) -> wasmtime::Result<T>,
    ) -> Result<T, PluginError> {
        let mut store = self.store().map_err(|error| self.trapped(&error))?;
        let _running = Running::begin();
        let result = run(&mut store);
        self.fuel = store.get_fuel().unwrap_or(0);
        result.map_err(|error| self.failure(&error, store.data()))
    }

    /// How much fuel was used so far.
    pub(crate) fn fuel_used(&self) -> u64 {
        self.limits.fuel - self.fuel
    }

    /// How much of the processor's time was used so far.
    pub(crate) fn time_used(&self) -> Duration {
        thread_time().saturating_sub(self.began_at)
    }

    fn store(&self) -> wasmtime::Result<Store<CallState>> {
        let state = CallState { memory: MemoryLimit::new(self.limits.memory, PARTS) };
        let mut store = Store::new(self.engine, state);
        store.limiter(|state| &mut state.memory);
        store.set_fuel(self.fuel)?;
        store.set_hostcall_fuel(self.limits.copied_out);
        store.set_max_component_handles(self.limits.handles);
        store.set_epoch_deadline(1);
        let (began_at, cpu_time) = (self.began_at, self.limits.cpu_time);
        store.epoch_deadline_callback(move |_| {
            let used = thread_time().saturating_sub(began_at);
            if used >= cpu_time {
                return Err(OutOfTime.into());
            }
            if used > SLOW {
                guest_threads::make_way();
            }
            Ok(UpdateDeadline::Continue(1))
        });
        Ok(store)
    }

    fn failure(&self, error: &wasmtime::Error, state: &CallState) -> PluginError {
        let slot = self.slot;
        if error.is::<OutOfTime>() {
            return PluginError::Deadline { slot, budget: self.limits.cpu_time };
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return PluginError::Busy { slot };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => PluginError::Fuel { slot, fuel: self.limits.fuel },
            // A guest's allocator traps when it gets no memory.
            _ if state.memory.was_refused() => {
                PluginError::Memory { slot, limit_mib: (self.limits.memory >> 20) as u64 }
            }
            _ => self.trapped(error),
        }
    }

    /// The innermost reason alone: it is a constant of wasmtime's, so it carries
    /// neither paths nor what the guest was working on.
    fn trapped(&self, error: &wasmtime::Error) -> PluginError {
        PluginError::Trapped { slot: self.slot, message: error.root_cause().to_string() }
    }
}

/// How long this thread has worked.
pub(crate) fn thread_time() -> Duration {
    // Every Linux that we run on has this clock.
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::MAX, Duration::from)
}
