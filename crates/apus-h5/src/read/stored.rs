//! Reads a dataset that has storage of its own, some way ahead of what is asked for.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use super::{
    Block, DecodePool, Pace, ReadOptions,
    buffers::Buffer,
    plan::{Plan, Tiling},
    pool::Borrowed,
    segments::{ChunkContext, KeptChunks},
    storage::Storage,
    wanted::Wanted,
};
use crate::{Result, check_cancelled};

/// So many segments are started before the first one is waited for, and at every further call, so that work ahead grows while
/// blocks flow but the first block does not wait for it. They need no leave: what clients hold that take nothing keeps nobody
/// from having two threads at work.
const MIN_STARTED: usize = 2;
/// No more are under way until so many were taken: what the sockets of a slow client swallow at first says nothing.
const N_TAKEN_BEFORE_GROWING: u64 = 8;
/// At most so many segments are under way, however small they are and however much the configuration allows.
const MAX_WINDOW: usize = 1024;

/// Yields the blocks of one answer.
#[derive(Debug)]
pub(super) struct StoredReader(Arc<Mutex<Stored>>);

/// The reader itself. Its request's [`Pace`] can reach it between two blocks.
#[derive(Debug)]
pub(super) struct Stored {
    context: Arc<ChunkContext>,
    plan: Plan,
    pace: Pace,
    way: Way,
    pool: DecodePool,
    block_bytes: usize,
    work_ahead_bytes: usize,
    kept: KeptChunks,
    /// Segments under way, in order.
    queue: VecDeque<UnderWay>,
    queued_bytes: usize,
    /// How many may be under way: one more whenever the caller had to wait, one less whenever all were ready before it came. So
    /// a caller that takes blocks as fast as they come keeps all threads busy, and one that does not holds a segment or two.
    window: usize,
    n_taken: u64,
    /// What the last segment took.
    last_bytes: usize,
    /// What could not be started, to be told when its turn comes.
    failed: Option<crate::Error>,
    /// The segment that is being handed out, and how far.
    current: Option<(Arc<Buffer>, usize)>,
    /// Where the plan was before that segment.
    current_plan: Plan,
    /// How much of the next segment was handed out before it was given back.
    n_skipped: usize,
}

/// How segments come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Read to their place.
    Direct,
    /// Read and rearranged by the caller's thread: there are no filters.
    Inline,
    /// Read by the caller's thread, decoded on the pool.
    Pool,
}

#[derive(Debug)]
struct UnderWay {
    decoded: mpsc::Receiver<Result<Buffer>>,
    size_bytes: usize,
    ready: Option<Result<Buffer>>,
    /// Where the plan was before it.
    plan: Plan,
    /// Leave to be under way; the first ones in the queue need none.
    _leave: Option<Borrowed>,
}

impl UnderWay {
    fn is_ready(&mut self) -> bool {
        if self.ready.is_none() {
            self.ready = self.decoded.try_recv().ok();
        }
        self.ready.is_some()
    }
}

impl StoredReader {
    pub(super) fn new(storage: Storage, wanted: Wanted, options: &ReadOptions) -> Result<Self> {
        let stored = Arc::new(Mutex::new(Stored::new(storage, wanted, options)?));
        options.pace.join(Arc::downgrade(&stored));
        Ok(Self(stored))
    }

    /// Starts the first segments.
    pub(super) fn start(&mut self) {
        self.lock().start();
    }

    /// Whether nothing is left to be started.
    pub(super) fn is_all_started(&self) -> bool {
        self.lock().plan.is_done()
    }

    pub(super) fn next(&mut self) -> Option<Result<Block>> {
        self.lock().next()
    }

    fn lock(&self) -> MutexGuard<'_, Stored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stored {
    fn new(storage: Storage, wanted: Wanted, options: &ReadOptions) -> Result<Self> {
        let axes = wanted.axes();
        let whole_after = (0..axes.len())
            .find(|axis| axes.iter().zip(&storage.dims).skip(axis + 1).all(|(axis, extent)| axis.is_whole(*extent)))
            .unwrap_or(axes.len() - 1);
        let (grid, chunk_bytes) =
            storage.grid(whole_after).ok_or_else(|| storage.damaged(format!("an extent of {:?}", storage.dims)))?;
        let tiling = Tiling::new(grid, wanted, storage.native_bytes as u64, chunk_bytes);
        let mut context = ChunkContext::new(Arc::new(storage), Arc::new(tiling), options.pool.buffers().clone());
        let way = if context.is_direct() {
            context.shorten_segments();
            Way::Direct
        } else if options.pool.n_threads() == 0 || context.storage.is_all_plain() {
            Way::Inline
        } else {
            Way::Pool
        };
        let plan = Plan::new(Arc::clone(&context.tiling));
        Ok(Self {
            current_plan: plan.clone(),
            plan,
            pace: options.pace.clone(),
            n_skipped: 0,
            context: Arc::new(context),
            way,
            pool: options.pool.clone(),
            block_bytes: options.block_bytes,
            work_ahead_bytes: options.work_ahead_bytes,
            kept: KeptChunks::default(),
            queue: VecDeque::new(),
            queued_bytes: 0,
            window: MIN_STARTED,
            n_taken: 0,
            last_bytes: 0,
            failed: None,
            current: None,
        })
    }

    fn start(&mut self) {
        if self.way == Way::Pool {
            while self.queue.len() < MIN_STARTED && self.start_one() {}
        }
    }

    /// Gives back what was read ahead, and what is left of the segment that is being handed out: the next block is read again.
    pub(super) fn park(&mut self) {
        let at = self.current.take().map(|(_, at)| (self.current_plan.clone(), at));
        let at = at.or_else(|| self.queue.front().map(|first| (first.plan.clone(), 0)));
        if let Some((plan, n_skipped)) = at {
            (self.plan, self.n_skipped, self.failed) = (plan, n_skipped, None);
        }
        self.queue.clear();
        self.queued_bytes = 0;
        self.window = MIN_STARTED;
        self.kept = KeptChunks::default();
    }

    /// The most bytes of the next block: whole elements.
    fn block_bytes(&self) -> usize {
        let native_bytes = self.context.storage.native_bytes;
        (self.block_bytes.min(self.pace.block_bytes()) / native_bytes).max(1) * native_bytes
    }

    fn next(&mut self) -> Option<Result<Block>> {
        loop {
            let block_bytes = self.block_bytes();
            if let Some((buffer, at)) = &mut self.current
                && *at < buffer.len()
            {
                let end = at.saturating_add(block_bytes).min(buffer.len());
                let block = Block::new(Arc::clone(buffer), *at..end);
                *at = end;
                if end == buffer.len() {
                    // So that the block that holds the last of it gives it back.
                    self.current = None;
                }
                return Some(Ok(block));
            }
            self.current = None;
            match self.next_segment()? {
                Ok(buffer) => self.current = Some((Arc::new(buffer), std::mem::take(&mut self.n_skipped))),
                Err(error) => {
                    self.context.cancel();
                    return Some(Err(error));
                }
            }
        }
    }

    fn next_segment(&mut self) -> Option<Result<Buffer>> {
        if let Err(error) = check_cancelled() {
            return Some(Err(error));
        }
        if self.way != Way::Pool {
            self.current_plan = self.plan.clone();
        }
        match self.way {
            Way::Direct => self.plan.next().map(|segment| self.context.read_direct(&segment)),
            Way::Inline => self.plan.next().map(|segment| {
                let fetched = self.context.fetch(segment, &mut self.kept)?;
                self.context.decode(&fetched)
            }),
            Way::Pool => self.next_decoded(),
        }
    }

    fn next_decoded(&mut self) -> Option<Result<Buffer>> {
        if !self.queue.is_empty() && self.queue.iter_mut().all(UnderWay::is_ready) {
            self.window = (self.window - 1).max(1);
        }
        let mut n_started = 0;
        while (n_started < MIN_STARTED || !self.queue.front_mut().is_some_and(UnderWay::is_ready)) && self.start_one() {
            n_started += 1;
        }
        let Some(mut first) = self.queue.pop_front() else { return self.failed.take().map(Err) };
        self.current_plan = first.plan.clone();
        self.n_taken += 1;
        if !first.is_ready() {
            let most = if self.n_taken < N_TAKEN_BEFORE_GROWING { MIN_STARTED } else { MAX_WINDOW };
            self.window = (self.window + 1).min(most);
        }
        self.queued_bytes -= first.size_bytes;
        let decoded = first.ready.or_else(|| first.decoded.recv().ok());
        Some(decoded.unwrap_or_else(|| Err(self.context.storage.damaged("the thread that decoded it failed"))))
    }

    /// Starts one more segment if there is one, and room for it.
    fn start_one(&mut self) -> bool {
        let has_room = self.queue.is_empty()
            || self.queue.len() < self.window
                && self.queued_bytes.saturating_add(self.last_bytes) <= self.work_ahead_bytes;
        if self.failed.is_some() || !has_room || self.plan.is_done() {
            return false;
        }
        // What the next segment takes is known only when it is planned; it is much like the one before.
        let needs_leave = self.queue.len() >= MIN_STARTED;
        let leave = if needs_leave { self.pool.borrow_ahead(self.last_bytes) } else { None };
        if leave.is_none() && needs_leave {
            return false;
        }
        let plan = self.plan.clone();
        let Some(segment) = self.plan.next() else { return false };
        let fetched = match self.context.fetch(segment, &mut self.kept) {
            Ok(fetched) => fetched,
            Err(error) => {
                self.failed = Some(error);
                return false;
            }
        };
        let size_bytes = fetched.size_bytes();
        if fetched.is_decoded() {
            // Only to be copied, which is less than waking a thread.
            let (_, decoded) = mpsc::sync_channel(1);
            let ready = Some(self.context.decode(&fetched));
            self.queue.push_back(UnderWay { decoded, size_bytes, ready, plan, _leave: leave });
            self.queued_bytes += size_bytes;
            self.last_bytes = size_bytes;
            return true;
        }
        let (sender, decoded) = mpsc::sync_channel(1);
        let context = Arc::clone(&self.context);
        self.pool.spawn(fetched.out_len(), move || {
            if !context.is_cancelled() {
                let decoded = context.decode(&fetched);
                drop(fetched);
                // Nobody may be there to receive it.
                let _ = sender.send(decoded);
            }
        });
        self.queue.push_back(UnderWay { decoded, size_bytes, ready: None, plan, _leave: leave });
        self.queued_bytes += size_bytes;
        self.last_bytes = size_bytes;
        true
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        self.context.cancel();
    }
}
