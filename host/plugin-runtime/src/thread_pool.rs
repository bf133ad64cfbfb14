//! Threads for guests alone. There are as many as calls run, so how many may
//! run is for those to bound who call.

use std::{
    collections::VecDeque,
    io,
    ops::ControlFlow,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

/// Work that may spoil its thread: after `Break` the thread ends. It must not
/// panic.
pub(crate) type Job = Box<dyn FnOnce() -> ControlFlow<()> + Send>;

/// Threads that end when there has been no work for a while. Dropping the pool
/// waits for none of them.
pub(crate) struct ThreadPool {
    shared: Arc<Shared>,
    stack: usize,
}

struct Shared {
    state: Mutex<State>,
    /// There is a job, or there will be no more.
    work: Condvar,
    keep_alive: Duration,
}

#[derive(Default)]
struct State {
    /// Never more than there are idle threads.
    jobs: VecDeque<Job>,
    idle: usize,
    closed: bool,
}

impl ThreadPool {
    /// Threads with `stack` bytes of stack that stay idle for `keep_alive`.
    pub(crate) fn new(stack: usize, keep_alive: Duration) -> Self {
        let (state, work) = (Mutex::default(), Condvar::new());
        Self { shared: Arc::new(Shared { state, work, keep_alive }), stack }
    }

    /// Begins the job at once. Fails if it needs a thread and there is none to
    /// be had.
    pub(crate) fn run(&self, job: Job) -> io::Result<()> {
        let mut state = self.shared.lock();
        if state.idle > state.jobs.len() {
            state.jobs.push_back(job);
            drop(state);
            self.shared.work.notify_one();
            return Ok(());
        }
        drop(state);
        let shared = self.shared.clone();
        let thread = thread::Builder::new().name("plugin-guest".into()).stack_size(self.stack);
        thread.spawn(move || shared.work(job)).map(drop)
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
    }
}

impl Shared {
    fn work(&self, first: Job) {
        let mut next = Some(first);
        while let Some(job) = next {
            if job().is_break() {
                return;
            }
            next = self.next_job();
        }
    }

    fn next_job(&self) -> Option<Job> {
        let mut state = self.lock();
        state.idle += 1;
        let nothing = |state: &mut State| state.jobs.is_empty() && !state.closed;
        let waited = self.work.wait_timeout_while(state, self.keep_alive, nothing);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.idle -= 1;
        state.jobs.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whole at every moment: no code that may panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread::ThreadId};

    use super::*;

    fn pool(keep_alive: Duration) -> ThreadPool {
        ThreadPool::new(64 << 10, keep_alive)
    }

    fn thread_of_a_job(pool: &ThreadPool, then: ControlFlow<()>) -> ThreadId {
        let (say, said) = mpsc::channel();
        let job = move || {
            say.send(thread::current().id()).unwrap();
            then
        };
        pool.run(Box::new(job)).unwrap();
        said.recv().unwrap()
    }

    /// Waits until no thread is left but this one.
    fn ended(pool: &ThreadPool) {
        while Arc::strong_count(&pool.shared) > 1 {
            thread::yield_now();
        }
    }

    #[test]
    fn an_idle_thread_is_used_again_and_a_spoilt_one_is_not() {
        let pool = pool(Duration::from_secs(600));
        let first = thread_of_a_job(&pool, ControlFlow::Continue(()));
        while pool.shared.lock().idle == 0 {
            thread::yield_now();
        }
        assert_eq!(thread_of_a_job(&pool, ControlFlow::Break(())), first);
        ended(&pool);
        assert_ne!(thread_of_a_job(&pool, ControlFlow::Break(())), first);
    }

    #[test]
    fn idle_threads_end_after_a_while_and_when_the_pool_is_gone() {
        let short = pool(Duration::from_millis(1));
        thread_of_a_job(&short, ControlFlow::Continue(()));
        ended(&short);
        let long = pool(Duration::from_secs(600));
        thread_of_a_job(&long, ControlFlow::Continue(()));
        let shared = Arc::downgrade(&long.shared);
        drop(long);
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
