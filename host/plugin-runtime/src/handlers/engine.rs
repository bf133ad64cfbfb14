//! The engine for guests with effects, and the pool that their memories come
//! from.

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::{clock, config::HandlerLimits, error::LoadError};

/// Core instances, memories and tables of one component. A language's runtime is
/// linked from many modules.
pub(crate) const PARTS: u32 = 64;
/// Stores that may live beside those that serve events: of components that are
/// being loaded.
pub(crate) const LOADING: usize = 4;

/// Makes an engine that the clock ticks for.
pub(crate) fn build(limits: &HandlerLimits) -> Result<Engine, LoadError> {
    let engine = Engine::new(&pooled(limits)).or_else(|error| {
        tracing::error!(
            "no address space for the pool of handlers' memories, so each call asks the system \
             for its own; raise `ulimit -v`: {error:#}"
        );
        Engine::new(&effects(limits))
    });
    let engine = engine.map_err(|error| LoadError::Machine(format!("{error:#}")))?;
    clock::tick_for(&engine).map_err(|error| LoadError::Machine(format!("no thread: {error}")))?;
    Ok(engine)
}

/// What all guests with effects have in common. Fuel is not counted: what they
/// do differs from call to call anyway.
pub(crate) fn effects(limits: &HandlerLimits) -> Config {
    let mut engine = Config::new();
    engine
        .epoch_interruption(true)
        .max_wasm_stack(limits.stack)
        .async_stack_size(limits.stack + (1 << 20))
        .wasm_relaxed_simd(false)
        .wasm_memory64(false)
        .wasm_stack_switching(false)
        .concurrency_support(false);
    engine
}

fn pooled(limits: &HandlerLimits) -> Config {
    let stores = u32::try_from(limits.at_once + LOADING).unwrap_or(u32::MAX);
    const MEMORIES: u32 = 4;
    const TABLES: u32 = 8;
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(stores)
        .total_core_instances(stores.saturating_mul(PARTS))
        .total_memories(stores.saturating_mul(MEMORIES))
        .total_tables(stores.saturating_mul(TABLES))
        .total_stacks(stores)
        .max_core_instances_per_component(PARTS)
        .max_memories_per_component(MEMORIES)
        .max_tables_per_component(TABLES)
        .max_memory_size(limits.memory)
        .max_core_instance_size(4 << 20)
        .max_component_instance_size(4 << 20)
        .table_elements(100_000)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .pagemap_scan(wasmtime::Enabled::Auto);
    let mut engine = effects(limits);
    engine.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    engine
}
