//! How much of a processor a guest uses that gives its thread back while it
//! waits: the time of all its turns.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use crate::{call::thread_time, clock::Running};

/// The processor time of one call.
#[derive(Clone, Default)]
pub(crate) struct Meter(Arc<Times>);

#[derive(Default)]
struct Times {
    /// Nanoseconds of the turns that are over.
    used: AtomicU64,
    /// The thread's time at the beginning of this turn.
    turn_began: AtomicU64,
}

impl Meter {
    /// To be asked from within the guest's turn, or when all are over.
    pub(crate) fn used(&self) -> Duration {
        let used = self.0.used.load(Relaxed);
        match self.0.turn_began.load(Relaxed) {
            0 => Duration::from_nanos(used),
            began => Duration::from_nanos(used + nanos(thread_time()).saturating_sub(began)),
        }
    }

    /// Measures the turns of this call.
    pub(crate) fn measure<F: Future>(&self, call: F) -> Metered<F> {
        Metered { call: Box::pin(call), meter: self.clone() }
    }
}

/// A call whose turns are measured. The clock ticks during them alone.
pub(crate) struct Metered<F> {
    call: Pin<Box<F>>,
    meter: Meter,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _running = Running::begin();
        let began = nanos(thread_time());
        self.meter.0.turn_began.store(began, Relaxed);
        let polled = self.call.as_mut().poll(context);
        let used = nanos(thread_time()).saturating_sub(began);
        self.meter.0.used.fetch_add(used, Relaxed);
        self.meter.0.turn_began.store(0, Relaxed);
        polled
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
