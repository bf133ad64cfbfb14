//! The threads that guests run on, and who may use them. They serve nothing
//! else: a guest that spins takes time from other guests alone.

use std::{sync::Arc, time::Duration};

use pairing_core::plugin::{PluginError, Slot};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use crate::{config::PluginsConfig, error::LoadError};

/// Guests' stacks are a part of it; the rest is for the host's own frames.
const HOST_STACK: usize = 2 << 20;
/// A thread without work ends after this time.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Threads and the lanes that lead to them.
pub(crate) struct GuestThreads {
    /// Only its blocking threads are used. None while it is being dropped.
    runtime: Option<Runtime>,
    lanes: [Lane; Slot::ALL.len()],
    max_wait: Duration,
}

/// The way of one slot's calls, so that no slot can keep all threads busy.
struct Lane {
    /// Calls that wait or run.
    places: Arc<Semaphore>,
    /// Calls that run.
    turns: Arc<Semaphore>,
}

impl GuestThreads {
    pub(crate) fn start(config: &PluginsConfig) -> Result<Self, LoadError> {
        let runtime = Builder::new_current_thread()
            .thread_name("plugin-guest")
            .thread_stack_size(config.limits.stack + HOST_STACK)
            .thread_keep_alive(KEEP_ALIVE)
            .max_blocking_threads(config.threads.max(1))
            .build()
            .map_err(|error| LoadError::Machine(error.to_string()))?;
        let lane = |_| Lane {
            places: Arc::new(Semaphore::new(config.queue.max(1))),
            turns: Arc::new(Semaphore::new((config.threads / 2).max(1))),
        };
        let lanes = Slot::ALL.map(lane);
        Ok(Self { runtime: Some(runtime), lanes, max_wait: config.max_wait })
    }

    /// Runs a call to its end, even if nobody waits for it any more. One that
    /// has not begun by then does not begin.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        slot: Slot,
        call: impl FnOnce() -> Result<T, PluginError> + Send + 'static,
    ) -> Result<T, PluginError> {
        let permits = self.admit(slot).await.ok_or(PluginError::Busy { slot })?;
        let Some(runtime) = &self.runtime else { return Err(PluginError::Busy { slot }) };
        let ended = runtime.spawn_blocking(move || {
            let _permits = permits;
            call()
        });
        // Our own code has panicked: a bug, but of this call alone.
        let lost = |_| PluginError::Trapped { slot, message: "the host failed in the call".into() };
        ended.await.map_err(lost)?
    }

    async fn admit(&self, slot: Slot) -> Option<[OwnedSemaphorePermit; 2]> {
        let lane = &self.lanes[slot as usize];
        let place = lane.places.clone().try_acquire_owned().ok()?;
        let turn = match lane.turns.clone().try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => {
                timeout(self.max_wait, lane.turns.clone().acquire_owned()).await.ok()?.ok()?
            }
        };
        Some([place, turn])
    }
}

impl Drop for GuestThreads {
    /// Calls that run are not waited for: each of them ends by its limits.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn threads(queue: usize) -> Arc<GuestThreads> {
        let max_wait = Duration::from_millis(20);
        let config = PluginsConfig { threads: 2, queue, max_wait, ..Default::default() };
        Arc::new(GuestThreads::start(&config).unwrap())
    }

    /// Occupies the one thread of the workflow's lane until the sender is dropped.
    async fn occupied(threads: &Arc<GuestThreads>) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel();
        let threads = threads.clone();
        tokio::spawn(async move {
            let hold = move || {
                let _ = begin.send(());
                let _ = released.recv();
                Ok(())
            };
            threads.run(Slot::Workflow, hold).await
        });
        begun.await.unwrap();
        release
    }

    #[tokio::test]
    async fn a_full_queue_and_a_long_wait_are_busy_and_other_slots_go_on() {
        let busy = Err(PluginError::Busy { slot: Slot::Workflow });
        for queue in [1, 2] {
            let threads = threads(queue);
            let release = occupied(&threads).await;
            assert_eq!(threads.run(Slot::Workflow, || Ok(())).await, busy);
            assert_eq!(threads.run(Slot::FanOut, || Ok(1)).await, Ok(1));
            drop(release);
        }
    }

    #[tokio::test]
    async fn a_panic_of_the_host_ends_that_call_alone() {
        let threads = threads(2);
        let lost = threads.run::<()>(Slot::Workflow, || panic!("on purpose")).await;
        assert!(matches!(lost, Err(PluginError::Trapped { .. })));
        assert_eq!(threads.run(Slot::Workflow, || Ok(2)).await, Ok(2));
    }
}
