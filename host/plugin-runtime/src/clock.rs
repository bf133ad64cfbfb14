//! The clock that guests are looked at by. The process has one, whatever the
//! number of its engines. It stands still while no guest runs.

use std::{
    io,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::{Engine, EngineWeak};

/// How often guests are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(1);

/// The clock stops after so many ticks without a guest. Guests that run one
/// after the other need not wake it each time.
const LINGER: u32 = 100;

static CLOCK: Clock = Clock {
    engines: Mutex::new(Vec::new()),
    guests: AtomicUsize::new(0),
    stands_still: AtomicBool::new(false),
    thread: OnceLock::new(),
};

struct Clock {
    engines: Mutex<Vec<EngineWeak>>,
    /// How many run now.
    guests: AtomicUsize,
    stands_still: AtomicBool,
    thread: OnceLock<Thread>,
}

/// The clock ticks for this engine for as long as the engine lives. Fails if
/// there is no thread to be had.
pub(crate) fn tick_for(engine: &Engine) -> io::Result<()> {
    let mut engines = CLOCK.engines.lock().unwrap_or_else(PoisonError::into_inner);
    engines.retain(|engine| engine.upgrade().is_some());
    engines.push(engine.weak());
    if CLOCK.thread.get().is_none() {
        let started = thread::Builder::new().name("plugin-clock".into()).spawn(|| CLOCK.run())?;
        // Nobody else sets it: the lock is held.
        let _ = CLOCK.thread.set(started.thread().clone());
    }
    Ok(())
}

/// A guest runs as long as this lives.
pub(crate) struct Running;

impl Running {
    pub(crate) fn begin() -> Self {
        CLOCK.guests.fetch_add(1, SeqCst);
        if CLOCK.stands_still.load(SeqCst)
            && let Some(clock) = CLOCK.thread.get()
        {
            clock.unpark();
        }
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        CLOCK.guests.fetch_sub(1, SeqCst);
    }
}

impl Clock {
    fn run(&self) {
        let mut unused = 0;
        loop {
            if self.guests.load(SeqCst) > 0 {
                unused = 0;
            } else {
                unused += 1;
            }
            if unused > LINGER {
                self.stand_still();
                unused = 0;
            }
            thread::sleep(TICK);
            for engine in &*self.engines.lock().unwrap_or_else(PoisonError::into_inner) {
                if let Some(engine) = engine.upgrade() {
                    engine.increment_epoch();
                }
            }
        }
    }

    /// Until there is a guest. One that comes between the look and the wait has
    /// seen the mark, and its waking is remembered.
    fn stand_still(&self) {
        self.stands_still.store(true, SeqCst);
        while self.guests.load(SeqCst) == 0 {
            thread::park();
        }
        self.stands_still.store(false, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module, Store, UpdateDeadline};

    use super::*;
    use crate::{config::PluginsConfig, engine};

    /// Calls a function that never returns, until the clock has ticked thrice.
    fn is_ended_at_the_third_tick() {
        let engine = engine::build(&PluginsConfig::default()).unwrap();
        let module =
            Module::new(&engine, "(module (func (export \"spin\") (loop (br 0))))").unwrap();
        let mut store = Store::new(&engine, 0);
        store.set_fuel(u64::MAX).unwrap();
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut ticks| {
            *ticks.data_mut() += 1;
            if *ticks.data() < 3 {
                Ok(UpdateDeadline::Continue(1))
            } else {
                Err(wasmtime::Error::msg("enough"))
            }
        });
        let instance = Instance::new(&mut store, &module, &[]).unwrap();
        let spin = instance.get_typed_func::<(), ()>(&mut store, "spin").unwrap();
        let _running = Running::begin();
        assert_eq!(spin.call(&mut store, ()).unwrap_err().root_cause().to_string(), "enough");
        assert_eq!(*store.data(), 3);
    }

    #[test]
    fn it_ticks_for_every_engine_and_stands_still_without_guests() {
        for _ in 0..2 {
            is_ended_at_the_third_tick();
            while !CLOCK.stands_still.load(SeqCst) {
                thread::yield_now();
            }
        }
    }

    #[test]
    fn it_does_not_keep_an_engine_alive() {
        let engine = engine::build(&PluginsConfig::default()).unwrap();
        let weak = engine.weak();
        drop(engine);
        // The clock may be in the middle of a tick.
        while weak.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
