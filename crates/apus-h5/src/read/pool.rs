//! The threads that decode, and whose turn it is.

use std::{
    collections::VecDeque,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use super::buffers::Buffers;

/// What all readers together may have under way beyond the first part of each: enough that every thread finds its next job there
/// when it ends one, for more would only wait.
const AHEAD_BYTES_PER_THREAD: usize = 8 << 20;

/// One thread per core, shared by all readers. Cheap to clone.
///
/// Clones stand in one line; [`lane`](Self::lane) opens another. The lane that has had least of the threads (in bytes decoded)
/// comes next, so that a request for a few rows does not wait for those that read whole files, however many jobs these have
/// waiting. A lane that was idle saves nothing up: it goes on where the others are.
#[derive(Clone)]
pub struct DecodePool {
    threads: Arc<Threads>,
    lane: Arc<Lane>,
}

/// Ends the threads when the last handle goes.
struct Threads {
    shared: Arc<PoolState>,
    n: usize,
    buffers: Buffers,
}

#[derive(Default)]
struct PoolState {
    line: Mutex<Line>,
    wake: Condvar,
    /// Bytes that are borrowed now.
    ahead_bytes: AtomicUsize,
}

/// Jobs that wait.
#[derive(Default)]
struct Line {
    /// The lanes that have jobs, with those.
    lanes: Vec<(Arc<Lane>, VecDeque<Job>)>,
    /// What the lane had had that came last.
    now: u64,
    stopped: bool,
}

#[derive(Debug)]
struct Lane {
    number: u64,
    /// What it has had. Changes only while the line is locked.
    served: AtomicU64,
}

struct Job {
    cost: u64,
    run: Box<dyn FnOnce() + Send>,
}

/// Leave to have so many bytes under way; it goes back with this.
pub(super) struct Borrowed {
    shared: Arc<PoolState>,
    n_bytes: usize,
}

impl DecodePool {
    /// Starts `n_threads` threads (at least one).
    ///
    /// Errors: the operating system's, where it grants no more threads.
    pub fn new(n_threads: usize) -> io::Result<Self> {
        let n_threads = n_threads.max(1);
        let threads = Arc::new(Threads { shared: Arc::default(), n: n_threads, buffers: Buffers::default() });
        for i in 0..n_threads {
            let shared = Arc::clone(&threads.shared);
            thread::Builder::new().name(format!("decode-{i}")).spawn(move || shared.work())?;
        }
        Ok(Self { threads, lane: Lane::new() })
    }

    /// No threads: whoever asks for a block decodes it.
    pub fn none() -> Self {
        let threads = Arc::new(Threads { shared: Arc::default(), n: 0, buffers: Buffers::default() });
        Self { threads, lane: Lane::new() }
    }

    /// The same threads with a turn of its own: for what all readers of one request share.
    #[must_use]
    pub fn lane(&self) -> Self {
        Self { threads: Arc::clone(&self.threads), lane: Lane::new() }
    }

    /// The number of threads.
    pub fn n_threads(&self) -> usize {
        self.threads.n
    }

    /// The buffers of all readers.
    pub(super) fn buffers(&self) -> &Buffers {
        &self.threads.buffers
    }

    /// Runs a job of that cost when its turn comes.
    pub(super) fn spawn(&self, cost_bytes: usize, job: impl FnOnce() + Send + 'static) {
        let job = Job { cost: (cost_bytes as u64).max(1), run: Box::new(job) };
        self.threads.shared.line().push(&self.lane, job);
        self.threads.shared.wake.notify_one();
    }

    /// Runs jobs on the threads, as the turn of this lane comes, and waits for all of them; their results come in the order of the jobs.
    /// `cost_bytes` is what each weighs beside decoding so many bytes. Jobs must not call this themselves. `None` where one of them panicked.
    pub fn run_all<T: Send + 'static>(
        &self,
        cost_bytes: usize,
        jobs: impl IntoIterator<Item = impl FnOnce() -> T + Send + 'static>,
    ) -> Option<Vec<T>> {
        if self.threads.n == 0 {
            return Some(jobs.into_iter().map(|job| job()).collect());
        }
        let (sender, receiver) = mpsc::channel();
        let mut n_jobs = 0;
        for job in jobs {
            let (number, sender) = (n_jobs, sender.clone());
            // Nobody listens any more where the caller is gone.
            self.spawn(cost_bytes, move || drop(sender.send((number, job()))));
            n_jobs += 1;
        }
        drop(sender);
        let mut results: Vec<(usize, T)> = receiver.into_iter().collect();
        results.sort_unstable_by_key(|(number, _)| *number);
        (results.len() == n_jobs).then(|| results.into_iter().map(|(_, result)| result).collect())
    }

    /// Leave to have `n_bytes` more under way, if all readers together have not too much.
    pub(super) fn borrow_ahead(&self, n_bytes: usize) -> Option<Borrowed> {
        let limit = self.threads.n.saturating_mul(AHEAD_BYTES_PER_THREAD);
        let shared = &self.threads.shared;
        let more = |held: usize| held.checked_add(n_bytes).filter(|held| *held <= limit);
        let borrowed = shared.ahead_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        borrowed.is_ok().then(|| Borrowed { shared: Arc::clone(shared), n_bytes })
    }
}

impl Lane {
    fn new() -> Arc<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Arc::new(Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), served: AtomicU64::new(0) })
    }
}

impl PoolState {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What each thread does.
    fn work(&self) {
        loop {
            let mut line = self.line();
            let job = loop {
                if line.stopped {
                    return;
                }
                match line.pop() {
                    Some(job) => break job,
                    None => line = self.wake.wait(line).unwrap_or_else(PoisonError::into_inner),
                }
            };
            drop(line);
            // A job that panics drops its end of a channel, and its reader reports that; the thread goes on.
            let _ = catch_unwind(AssertUnwindSafe(job.run));
        }
    }
}

impl Line {
    fn push(&mut self, lane: &Arc<Lane>, job: Job) {
        if let Some((_, jobs)) = self.lanes.iter_mut().find(|(other, _)| other.number == lane.number) {
            jobs.push_back(job);
            return;
        }
        lane.served.fetch_max(self.now, Ordering::Relaxed);
        self.lanes.push((Arc::clone(lane), VecDeque::from([job])));
    }

    /// The next job of the lane that has had least.
    fn pop(&mut self) -> Option<Job> {
        let had = |lane: &Lane| (lane.served.load(Ordering::Relaxed), lane.number);
        let (i, _) = self.lanes.iter().enumerate().min_by_key(|(_, (lane, _))| had(lane))?;
        let (lane, jobs) = self.lanes.get_mut(i)?;
        let job = jobs.pop_front();
        self.now = lane.served.fetch_add(job.as_ref().map_or(0, |job| job.cost), Ordering::Relaxed);
        if jobs.is_empty() {
            self.lanes.swap_remove(i);
        }
        job
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let mut line = self.shared.line();
        line.stopped = true;
        // Nobody waits for them: a reader holds a handle.
        let left = std::mem::take(&mut line.lanes);
        drop(line);
        self.shared.wake.notify_all();
        drop(left);
    }
}

impl Drop for Borrowed {
    fn drop(&mut self) {
        self.shared.ahead_bytes.fetch_sub(self.n_bytes, Ordering::Relaxed);
    }
}

impl fmt::Debug for DecodePool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecodePool({} threads, lane {})", self.n_threads(), self.lane.number)
    }
}

impl fmt::Debug for Borrowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Borrowed({} bytes)", self.n_bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Queues jobs (lane, cost) while the only thread is held back, and tells in which order the lanes had their turns.
    fn turns(jobs: &[(usize, usize)]) -> Vec<usize> {
        let pool = DecodePool::new(1).unwrap();
        let lanes: Vec<DecodePool> = (0..4).map(|_| pool.lane()).collect();
        let (open, gate) = mpsc::channel::<()>();
        let (sender, order) = mpsc::channel();
        pool.spawn(1, move || gate.recv().unwrap());
        for &(lane, cost) in jobs {
            let sender = sender.clone();
            lanes[lane].spawn(cost, move || sender.send(lane).unwrap());
        }
        drop(sender);
        open.send(()).unwrap();
        order.into_iter().collect()
    }

    #[test]
    fn lanes_take_turns_however_much_each_has_waiting() {
        let mut jobs = vec![(0, 1000); 6];
        jobs.extend([(1, 1000), (1, 1000), (2, 1000)]);
        assert_eq!(turns(&jobs), [0, 1, 2, 0, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn turns_are_counted_in_bytes() {
        let jobs = [[(0, 4000); 2], [(1, 1000); 2], [(1, 1000); 2], [(1, 1000); 2]].concat();
        assert_eq!(turns(&jobs), [0, 1, 1, 1, 1, 0, 1, 1]);
    }

    #[test]
    fn a_lane_that_was_idle_has_saved_nothing_up() {
        let mut line = Line::default();
        let job = || Job { cost: 1000, run: Box::new(|| {}) };
        let (busy, idle) = (Lane::new(), Lane::new());
        for _ in 0..100 {
            line.push(&busy, job());
            line.pop().unwrap();
        }
        for lane in [&busy, &busy, &busy, &idle, &idle, &idle] {
            line.push(lane, job());
        }
        let had = |lane: &Lane| lane.served.load(Ordering::Relaxed);
        let before = (had(&busy), had(&idle));
        (0..4).for_each(|_| drop(line.pop().unwrap()));
        assert_eq!(
            (had(&busy) - before.0, had(&idle) - before.1),
            (2000, 2000),
            "the first turn, and then one after the other"
        );
    }

    #[test]
    fn a_job_that_panics_takes_no_thread_along() {
        let pool = DecodePool::new(1).unwrap();
        let (sender, receiver) = mpsc::channel();
        pool.spawn(1, || std::panic::resume_unwind(Box::new("on purpose")));
        pool.spawn(1, move || sender.send(7).unwrap());
        assert_eq!(receiver.recv(), Ok(7));
    }

    #[test]
    fn readers_together_borrow_no_more_than_the_threads_can_use() {
        let pool = DecodePool::new(2).unwrap();
        let first = pool.borrow_ahead(AHEAD_BYTES_PER_THREAD).unwrap();
        let second = pool.lane().borrow_ahead(AHEAD_BYTES_PER_THREAD).unwrap();
        assert!(pool.lane().borrow_ahead(1).is_none());
        drop(first);
        assert!(pool.borrow_ahead(AHEAD_BYTES_PER_THREAD).is_some());
        assert!(pool.borrow_ahead(usize::MAX).is_none());
        drop(second);
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        for pool in [DecodePool::none(), DecodePool::new(3).unwrap()] {
            let squares = pool.run_all(1, (0..100u64).map(|i| move || i * i));
            assert_eq!(squares, Some((0..100).map(|i| i * i).collect()));
        }
    }

    #[test]
    fn a_job_that_panics_leaves_no_result() {
        let pool = DecodePool::new(2).unwrap();
        let jobs = (0..4).map(|i| move || assert_ne!(i, 2, "as it should in this test"));
        assert_eq!(pool.run_all(1, jobs), None);
        assert_eq!(pool.run_all(1, [|| 7]), Some(vec![7]));
    }
}
