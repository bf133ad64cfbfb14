//! Who may run guests, and when. Guests have threads of their own, so that one
//! that spins takes time from other guests alone; and a call that turns out to
//! be slow makes way for the others of its slot.

use std::{
    array,
    cell::RefCell,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use pairing_core::plugin::{PluginError, Slot};
use thread_priority::{
    ThreadPriority,
    unix::{
        NormalThreadSchedulePolicy, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    },
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use crate::{config::PluginsConfig, thread_pool::ThreadPool};

/// Guests' stacks are a part of it; the rest is for the host's own frames.
const HOST_STACK: usize = 2 << 20;
/// A thread without work ends after this time.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Threads and the lanes that lead to them.
pub(crate) struct GuestThreads {
    pool: ThreadPool,
    lanes: [Lane; Slot::OWN.len()],
    /// Of all slots together.
    turns: Arc<Semaphore>,
    slow_places: Arc<Semaphore>,
    max_wait: Duration,
}

/// The way of one slot's calls, so that no slot can keep all threads busy.
struct Lane {
    /// Calls that wait or run.
    places: Arc<Semaphore>,
    /// Calls that run and are not known to be slow.
    turns: Arc<Semaphore>,
    /// Calls that are slow.
    slow_places: Arc<Semaphore>,
}

/// How many calls may run at once: so many, and as many slow ones.
pub(crate) fn most_calls(config: &PluginsConfig) -> usize {
    config.threads.max(1).saturating_mul(2)
}

impl GuestThreads {
    pub(crate) fn start(config: &PluginsConfig) -> Self {
        let semaphore = |permits: usize| Arc::new(Semaphore::new(permits.max(1)));
        let half = config.threads / 2;
        Self {
            pool: ThreadPool::new(config.limits.stack + HOST_STACK, KEEP_ALIVE),
            lanes: array::from_fn(|_| Lane {
                places: semaphore(config.queue),
                turns: semaphore(half),
                slow_places: semaphore(half),
            }),
            turns: semaphore(config.threads),
            slow_places: semaphore(config.threads),
            max_wait: config.max_wait,
        }
    }

    /// Runs a call to its end, even if nobody waits for it any more. One that
    /// has not begun by then does not begin.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        slot: Slot,
        call: impl FnOnce() -> Result<T, PluginError> + Send + 'static,
    ) -> Result<T, PluginError> {
        let turn = self.admit(slot).await.ok_or(PluginError::Busy { slot })?;
        // Our own code has panicked: a bug, but of this call alone.
        let lost =
            move || PluginError::Trapped { slot, message: "the host failed in the call".into() };
        let (answer, answered) = oneshot::channel();
        let job = move || {
            TURN.set(Some(turn));
            let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(lost()));
            // Given back before the caller can ask for the next one.
            let was_slow = TURN.take().is_some_and(|turn| turn.is_slow);
            let _ = answer.send(result);
            if was_slow { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        if let Err(error) = self.pool.run(Box::new(job)) {
            tracing::error!(%error, "no thread for a plugin's call");
            return Err(PluginError::Busy { slot });
        }
        answered.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn admit(&self, slot: Slot) -> Option<Turn> {
        let lane = &self.lanes[Slot::OWN.iter().position(|own| *own == slot)?];
        let place = lane.places.clone().try_acquire_owned().ok()?;
        let turn = async {
            let of_slot = lane.turns.clone().acquire_owned().await.ok()?;
            Some([of_slot, self.turns.clone().acquire_owned().await.ok()?])
        };
        Some(Turn {
            slot,
            is_slow: false,
            has_made_way: false,
            slow_places: [lane.slow_places.clone(), self.slow_places.clone()],
            _place: place,
            held: timeout(self.max_wait, turn).await.ok()??,
        })
    }
}

thread_local! {
    /// By what right this thread runs a call.
    static TURN: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

/// Marks the call that runs on this thread as slow: it goes on with what time
/// nobody else wants, and not in the way of its slot's other calls as soon as
/// there is a place for slow ones. May be said again and again. Elsewhere than
/// on a guest's thread it does nothing.
pub(crate) fn make_way() {
    TURN.with_borrow_mut(|turn| {
        if let Some(turn) = turn {
            turn.make_way();
        }
    });
}

/// What a call has in its hands while it runs.
struct Turn {
    slot: Slot,
    is_slow: bool,
    has_made_way: bool,
    /// Of the slot, and of all slots.
    slow_places: [Arc<Semaphore>; 2],
    _place: OwnedSemaphorePermit,
    /// Of the slot, and of all slots: the turn, later the slow place.
    held: [OwnedSemaphorePermit; 2],
}

impl Turn {
    fn make_way(&mut self) {
        if !self.is_slow {
            self.is_slow = true;
            // With a mere `nice` others would wait for its slice to end, each
            // time that they wake. Who has no privileges can't undo it, so the
            // thread ends with the call. If it may not even be done, the call
            // goes on as it was.
            let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
            let _ = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle);
            metrics::counter!("plugin_slow_calls_total", "plugin" => self.slot.label())
                .increment(1);
        }
        if self.has_made_way {
            return;
        }
        let take = |places: &Arc<Semaphore>| places.clone().try_acquire_owned().ok();
        let [of_slot, of_all] = &self.slow_places;
        if let Some((of_slot, of_all)) = take(of_slot).zip(take(of_all)) {
            self.held = [of_slot, of_all];
            self.has_made_way = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use thread_priority::unix::thread_schedule_policy;

    use super::*;

    fn threads(queue: usize) -> Arc<GuestThreads> {
        let max_wait = Duration::from_millis(20);
        let config = PluginsConfig { threads: 2, queue, max_wait, ..Default::default() };
        Arc::new(GuestThreads::start(&config))
    }

    const BUSY: PluginError = PluginError::Busy { slot: Slot::Workflow };

    /// Runs a call of the workflow, which has one turn and one slow place, until
    /// the sender is dropped.
    async fn occupied(
        threads: &Arc<GuestThreads>,
        begin: impl FnOnce() + Send + 'static,
    ) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel::<()>();
        let (say, begun) = oneshot::channel();
        let threads = threads.clone();
        tokio::spawn(async move {
            let hold = move || {
                begin();
                let _ = say.send(());
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
        for queue in [1, 2] {
            let threads = threads(queue);
            let release = occupied(&threads, || {}).await;
            assert_eq!(threads.run(Slot::Workflow, || Ok(())).await, Err(BUSY));
            assert_eq!(threads.run(Slot::FanOut, || Ok(1)).await, Ok(1));
            drop(release);
        }
    }

    #[tokio::test]
    async fn a_slow_call_makes_way_for_others_and_a_second_one_waits_for_the_place() {
        let threads = threads(9);
        let first = occupied(&threads, make_way).await;
        assert_eq!(threads.run(Slot::Workflow, || Ok(1)).await, Ok(1));
        let second = occupied(&threads, make_way).await;
        assert_eq!(threads.run(Slot::Workflow, || Ok(1)).await, Err(BUSY));
        assert_eq!(threads.run(Slot::FanOut, || Ok(1)).await, Ok(1));
        drop(second);
        while threads.run(Slot::Workflow, || Ok(1)).await.is_err() {}
        drop(first);
    }

    #[tokio::test]
    async fn a_slow_call_gets_what_time_is_left_and_its_thread_ends_with_it() {
        let threads = threads(9);
        let look = || {
            let before = thread_schedule_policy().unwrap();
            make_way();
            Ok((before, thread_schedule_policy().unwrap(), thread::current().id()))
        };
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let (before, slow, first) = threads.run(Slot::Workflow, look).await.unwrap();
        assert_eq!(slow, idle);
        let (anew, _, second) = threads.run(Slot::Workflow, look).await.unwrap();
        assert_eq!(anew, before);
        assert!(before != idle && second != first);
    }

    #[tokio::test]
    async fn a_panic_of_the_host_ends_that_call_alone() {
        let threads = threads(2);
        let lost = threads.run::<()>(Slot::Workflow, || panic!("on purpose")).await;
        assert!(matches!(lost, Err(PluginError::Trapped { .. })));
        assert_eq!(threads.run(Slot::Workflow, || Ok(2)).await, Ok(2));
    }

    #[tokio::test]
    async fn who_stops_does_not_wait_for_calls_that_run() {
        let threads = Arc::into_inner(threads(2)).unwrap();
        let (release, released) = mpsc::channel::<()>();
        let (say, begun) = oneshot::channel();
        let hold = move || {
            let _ = say.send(());
            let _ = released.recv();
            Ok(())
        };
        tokio::select! {
            _ = threads.run(Slot::Workflow, hold) => panic!("it was not released"),
            _ = begun => {}
        }
        drop(threads);
        drop(release);
    }

    /// Whoever takes all that one slot may have leaves half of the pool to others.
    #[test]
    fn no_slot_can_hold_more_than_half_of_the_pool() {
        for threads in [1, 2, 3, 8, 9] {
            let config = PluginsConfig { threads, ..Default::default() };
            let started = GuestThreads::start(&config);
            let lane = &started.lanes[0];
            let most = lane.turns.available_permits() + lane.slow_places.available_permits();
            assert!(most <= crate::engine::stores(&config) / 2, "{threads} threads");
        }
    }
}
