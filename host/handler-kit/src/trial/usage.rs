//! What a call has used: taken from the runtime's own metrics.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use metrics::{
    Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// The last value of each histogram.
#[derive(Default)]
pub(super) struct Usage(Arc<Mutex<BTreeMap<String, f64>>>);

impl Usage {
    /// Does the work and gives processor time and memory of the last call in it.
    pub(super) fn measure<T>(&self, work: impl FnOnce() -> T) -> (T, Duration, u64) {
        self.values().clear();
        let done = metrics::with_local_recorder(self, work);
        let values = self.values();
        let of = |name: &str| values.get(name).copied().unwrap_or(0.0);
        let cpu_time = Duration::try_from_secs_f64(of("plugin_call_cpu_seconds"));
        let memory = of("plugin_call_memory_bytes");
        // Both are counted in whole numbers, and small.
        (done, cpu_time.unwrap_or_default(), memory as u64)
    }

    fn values(&self) -> MutexGuard<'_, BTreeMap<String, f64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Last {
    name: String,
    values: Arc<Mutex<BTreeMap<String, f64>>>,
}

impl HistogramFn for Last {
    fn record(&self, value: f64) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.insert(self.name.clone(), value);
    }
}

impl Recorder for Usage {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let values = self.0.clone();
        Histogram::from_arc(Arc::new(Last { name: key.name().to_owned(), values }))
    }
}
