//! The engine for pure guests: what they may be made of, and the pool that their
//! memories come from.

use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{clock, config::PluginsConfig, error::LoadError, guest_threads};

/// Stores that may live beside those of the guest threads: of components that
/// are being loaded.
pub(crate) const LOADING: usize = 4;

/// Core instances, memories and tables of one component, each.
pub(crate) const PARTS: u32 = 8;

/// Makes an engine that the clock ticks for.
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
    clock::tick_for(&engine).map_err(|error| LoadError::Machine(format!("no thread: {error}")))?;
    Ok(engine)
}

/// What all guests have in common. Whatever could make two runs differ is off,
/// and so is whatever no guest of ours needs; threads, garbage collection and
/// exceptions are not even compiled in. Each memory has wasmtime's 4 GiB of
/// address space, which saves a comparison at every access.
pub(crate) fn pure(config: &PluginsConfig) -> Config {
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

/// How many stores the pool has room for.
pub(crate) fn stores(config: &PluginsConfig) -> usize {
    guest_threads::most_calls(config).saturating_add(LOADING)
}

fn pooled(config: &PluginsConfig) -> Config {
    let stores = u32::try_from(stores(config)).unwrap_or(u32::MAX);
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

#[cfg(test)]
mod tests {
    use wasmtime::Module;

    use super::*;

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
