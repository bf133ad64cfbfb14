//! The engine for pure guests: what they may be made of, the pool that their
//! memories come from, and the clock that ends those that do not end.

use std::{thread, time::Duration};

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{config::PluginsConfig, error::LoadError};

/// How often guests are looked at.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Stores that may live beside those of the guest threads: of components that
/// are being loaded.
const LOADING: usize = 4;

/// Core instances, memories and tables of one component, each.
const PARTS: u32 = 8;

/// Makes an engine whose clock ticks for as long as the engine lives.
pub(crate) fn build(config: &PluginsConfig) -> Result<Engine, LoadError> {
    let engine = match Engine::new(&pooled(config)) {
        Ok(engine) => {
            metrics::gauge!("plugin_pool_unavailable").set(0.0);
            engine
        }
        Err(error) => {
            // Slower by far, but right. Seen where `ulimit -v` is low.
            tracing::error!(
                "no address space for the pool of plugin memories, so each call asks the system \
                 for its own; raise `ulimit -v`: {error:#}"
            );
            metrics::gauge!("plugin_pool_unavailable").set(1.0);
            Engine::new(&pure(config)).map_err(|error| LoadError::Machine(format!("{error:#}")))?
        }
    };
    start_clock(&engine).map_err(|error| LoadError::Machine(format!("no thread: {error}")))?;
    Ok(engine)
}

/// What all guests have in common. Whatever could make two runs differ is off,
/// and so is whatever no guest of ours needs; threads, garbage collection and
/// exceptions are not even compiled in. Each memory has wasmtime's 4 GiB of
/// address space, which saves a comparison at every access.
fn pure(config: &PluginsConfig) -> Config {
    let mut engine = Config::new();
    engine
        .epoch_interruption(true)
        .consume_fuel(true)
        .max_wasm_stack(config.limits.stack)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_stack_switching(false)
        .concurrency_support(false)
        .native_unwind_info(false);
    engine
}

fn pooled(config: &PluginsConfig) -> Config {
    let stores = u32::try_from(config.threads + LOADING).unwrap_or(u32::MAX);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(stores)
        .total_core_instances(stores.saturating_mul(PARTS))
        .total_memories(stores.saturating_mul(PARTS))
        .total_tables(stores.saturating_mul(PARTS))
        .total_stacks(0)
        .max_core_instances_per_component(PARTS)
        .max_memories_per_component(PARTS)
        .max_tables_per_component(PARTS)
        .max_memories_per_module(PARTS)
        .max_tables_per_module(PARTS)
        .max_memory_size(config.limits.memory)
        .linear_memory_keep_resident(64 << 10)
        .table_keep_resident(16 << 10)
        // Where the kernel can tell which pages a guest wrote to (Linux 6.7 on),
        // only these are cleaned: 13 µs less a call of the workflow.
        .pagemap_scan(Enabled::Auto);
    let mut engine = pure(config);
    engine.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    engine
}

fn start_clock(engine: &Engine) -> std::io::Result<()> {
    let engine = engine.weak();
    let tick = move || {
        while let Some(engine) = engine.upgrade() {
            engine.increment_epoch();
            drop(engine);
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("plugin-clock".into()).spawn(tick).map(drop)
}

#[cfg(test)]
mod tests {
    use wasmtime::{Instance, Module, Store, UpdateDeadline};

    use super::*;

    /// Calls a function that never returns, until the clock has ticked thrice.
    #[test]
    fn the_clock_ticks() {
        let engine = build(&PluginsConfig::default()).unwrap();
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
        assert_eq!(spin.call(&mut store, ()).unwrap_err().root_cause().to_string(), "enough");
        assert_eq!(*store.data(), 3);
    }

    #[test]
    fn the_clock_does_not_keep_its_engine_alive() {
        let engine = build(&PluginsConfig::default()).unwrap();
        let weak = engine.weak();
        drop(engine);
        // The clock may be in the middle of a tick.
        while weak.upgrade().is_some() {
            thread::yield_now();
        }
    }

    #[test]
    fn without_room_for_the_pool_there_is_an_engine_all_the_same() {
        let config = PluginsConfig { threads: 1_000_000, ..Default::default() };
        assert!(Engine::new(&pooled(&config)).is_err());
        assert!(build(&config).unwrap().pooling_allocator_metrics().is_none());
    }

    #[test]
    fn what_is_not_needed_is_off() {
        let engine = build(&PluginsConfig::default()).unwrap();
        for (what, module) in [
            ("threads", "(module (memory 1 1 shared))"),
            ("gc", "(module (type (struct)) (func (result anyref) (struct.new 0)))"),
            ("exceptions", "(module (tag))"),
            ("memory64", "(module (memory i64 1))"),
            (
                "relaxed simd",
                "(module (func (param v128 v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))",
            ),
            ("stack switching", "(module (type $f (func)) (type $c (cont $f)))"),
        ] {
            assert!(Module::new(&engine, module).is_err(), "{what} is on");
        }
    }
}
