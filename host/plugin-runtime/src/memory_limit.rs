//! A cap over everything that a store grows. (wasmtime's own `StoreLimits`
//! looks at each memory alone, and a component may have many.)

use wasmtime::ResourceLimiter;

/// What a table holds for each element.
const TABLE_ELEMENT: usize = size_of::<usize>();

/// Sums up memories and tables. A growth that was granted and fails after all
/// stays counted, so that the sum is never too low.
#[derive(Debug)]
pub(crate) struct MemoryLimit {
    limit: usize,
    /// Instances, memories and tables, each.
    parts: usize,
    used: usize,
    was_refused: bool,
}

impl MemoryLimit {
    pub(crate) fn new(limit: usize, parts: u32) -> Self {
        Self { limit, parts: parts as usize, used: 0, was_refused: false }
    }

    /// Bytes that were granted.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Was the guest ever refused memory? It may have ended because of that.
    pub(crate) fn was_refused(&self) -> bool {
        self.was_refused
    }

    fn grant(&mut self, wanted: usize) -> bool {
        let sum = self.used.saturating_add(wanted);
        if sum > self.limit {
            self.was_refused = true;
            return false;
        }
        self.used = sum;
        true
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            self.was_refused |= desired > self.limit;
            return Ok(false);
        }
        Ok(self.grant(desired.saturating_sub(current)))
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        Ok(self.grant(desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT)))
    }

    // The pool sees to these, too, unless there is none.

    fn instances(&self) -> usize {
        self.parts
    }

    fn memories(&self) -> usize {
        self.parts
    }

    fn tables(&self) -> usize {
        self.parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_and_tables_are_summed_to_the_byte() {
        let mut limit = MemoryLimit::new(1000, 8);
        assert!(limit.memory_growing(0, 500, None).unwrap());
        assert!(limit.memory_growing(0, 420, None).unwrap());
        assert!(limit.table_growing(0, 10, None).unwrap());
        assert!(!limit.was_refused());
        assert!(!limit.memory_growing(500, 501, None).unwrap());
        assert!(limit.was_refused());
    }

    #[test]
    fn what_a_memory_forbids_itself_is_not_counted() {
        let mut limit = MemoryLimit::new(1000, 8);
        assert!(!limit.memory_growing(0, 900, Some(800)).unwrap());
        assert!(!limit.was_refused());
        assert!(limit.memory_growing(0, 1000, None).unwrap());
    }
}
