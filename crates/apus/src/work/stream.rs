//! Bodies on their way to clients.
//!
//! While the client keeps reading, a thread makes blocks; when it stalls, the thread returns to the pool and the rest waits as plain data.
//! So a slow client costs a socket and the blocks that it has not read, never a thread.
//!
//! Blocks are short at first and get longer while the client takes them, so that one that reads nothing holds little. An answer that waits
//! gives back what was decoded ahead, and is counted in the budget for answers that wait; where that is spent, those are broken off that have
//! waited longest, and their connections closed: nothing less gives the memory back that they hold on their way to the socket.

use std::{
    collections::VecDeque,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use apus_data::values::{Body, Cancelled, CheckedBlocks, Waiting};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::{
    sync::{mpsc, oneshot},
    task, time,
};
use tracing::{Instrument, Span};

use super::Work;
use crate::{
    http::{
        body::BodyMemory,
        origin::{Hangup, Origin},
    },
    memory::Held,
};

/// If at most this much follows the first block, produce it in the same task: waking another thread takes longer.
const MAX_REST_BYTES: u64 = 1 << 20;
/// The longest block for a client of whom it is not known whether it reads.
const SHORT_BLOCK_BYTES: usize = 32 << 10;
/// So many of those may wait for it, and a thread is woken when all but one are taken.
const SHORT_BLOCKS_AHEAD: usize = 4;
/// No further block is made for it beyond so many bytes: blocks of text and of variable-length values have the length that they have.
const SHORT_AHEAD_BYTES: usize = SHORT_BLOCKS_AHEAD * SHORT_BLOCK_BYTES;
/// Blocks get longer when the client has taken so much: what the buffers of the sockets swallow says nothing.
const PROBATION_BYTES: u64 = 6 << 20;
/// A client that takes nothing for so long is one that is waited for.
const PARK_AFTER: Duration = Duration::from_millis(250);
/// What an answer that waits holds beside its blocks: its state, and that of its connection.
const ANSWER_BYTES: u64 = 32 << 10;
/// The connection is given no more at once, so that it is known what it has taken.
const MAX_FRAME_BYTES: usize = 1 << 20;
/// What is made already is watched from so many bytes on: less is as much as any connection may hold.
const MIN_WATCHED_BYTES: usize = 64 << 10;

/// The blocks produced before an answer begins, and the source of the others.
pub(super) struct Made {
    blocks: VecDeque<Bytes>,
    rest: Option<CheckedBlocks>,
    size_bytes: Option<u64>,
}

impl Made {
    /// Produces the first block, and the others if they are small.
    pub(super) fn first(body: Body) -> Result<Self, apus_data::Error> {
        let size_bytes = body.size_bytes();
        let mut rest = match body {
            Body::Whole(bytes) => return Ok(Self { blocks: VecDeque::from([bytes]), rest: None, size_bytes }),
            Body::Blocks(blocks) => blocks,
        };
        if size_bytes.is_none_or(|size| size > MAX_REST_BYTES) {
            rest.pace().set_block_bytes(SHORT_BLOCK_BYTES);
        }
        let Some(first) = rest.next().transpose()? else {
            return Ok(Self { blocks: VecDeque::new(), rest: None, size_bytes });
        };
        let rest_bytes = size_bytes.map(|size| size.saturating_sub(first.len() as u64));
        if rest_bytes.is_none_or(|bytes| bytes > MAX_REST_BYTES) {
            return Ok(Self { blocks: VecDeque::from([alone(first)]), rest: Some(rest), size_bytes });
        }
        rest.pace().set_block_bytes(usize::MAX);
        let mut blocks = VecDeque::from([first]);
        for block in rest {
            blocks.push_back(block?);
        }
        Ok(Self { blocks, rest: None, size_bytes })
    }

    fn made_bytes(&self) -> usize {
        self.blocks.iter().map(Bytes::len).sum()
    }
}

/// The block without what else its buffer holds, if it is short: a part of a buffer keeps all of it.
fn alone(block: Bytes) -> Bytes {
    if block.len() <= SHORT_BLOCK_BYTES { Bytes::copy_from_slice(&block) } else { block }
}

enum Message {
    Block(Bytes),
    End,
}

enum Burst {
    /// The channel is full, or has enough bytes.
    Full { has_long_blocks: bool },
    /// All blocks are sent, or the receiver is gone.
    Over,
    /// The body must break off.
    Failed(apus_data::Error),
}

/// What the two ends of a body know of each other, in bytes.
#[derive(Debug, Default)]
struct Progress {
    /// Bytes that the connection has taken.
    taken: AtomicU64,
    /// The last block that it took: it may hold all of that still.
    last: AtomicU64,
    /// Bytes that were made for it beside these.
    made: AtomicU64,
}

impl Progress {
    fn take(&self, block: &Bytes) {
        self.taken.fetch_add(block.len() as u64, Ordering::Relaxed);
        self.last.store(block.len() as u64, Ordering::Relaxed);
    }

    fn make(&self, block: &Bytes) {
        self.made.fetch_add(block.len() as u64, Ordering::Relaxed);
    }

    /// What waits to be taken, and what may still be on its way to the socket.
    fn held_bytes(&self) -> u64 {
        let queued = self.made.load(Ordering::Relaxed).saturating_sub(self.taken_bytes());
        queued + 2 * self.last.load(Ordering::Relaxed)
    }

    fn taken_bytes(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

/// What a body that is being sent knows of its client.
struct Client {
    origin: Origin,
    hangup: Option<Hangup>,
    /// What the request's body takes.
    body: Option<BodyMemory>,
    progress: Arc<Progress>,
}

impl Work {
    pub(super) fn stream(&self, waiting: Waiting, made: Made) -> BodyStream {
        let made_bytes = made.made_bytes();
        let Made { blocks, rest, size_bytes } = made;
        let progress: Arc<Progress> = Arc::default();
        blocks.iter().for_each(|block| progress.make(block));
        let client = Client {
            origin: Origin::current(),
            hangup: Hangup::current(),
            body: BodyMemory::current(),
            progress: Arc::clone(&progress),
        };
        let (work, span) = (self.clone(), Span::current());
        let (mut taken, mut blocks_to_come) = (None, None);
        if let Some(rest) = rest {
            let (sender, receiver) = mpsc::channel(SHORT_BLOCKS_AHEAD);
            blocks_to_come = Some(receiver);
            let cancelled = waiting.cancelled();
            let pump = async move {
                work.0.gauges.answers.inc();
                work.pump(rest, sender, &client, cancelled).await;
                work.0.gauges.answers.dec();
            };
            task::spawn(pump.instrument(span));
        } else if made_bytes > MIN_WATCHED_BYTES {
            let (sender, receiver) = oneshot::channel();
            taken = Some(sender);
            task::spawn(async move { work.watch(receiver, &client).await }.instrument(span));
        }
        let rest = blocks_to_come;
        BodyStream { made: blocks, rest, remaining: size_bytes, progress, _taken: taken, _waiting: waiting }
    }

    /// Produces blocks while there is room in the channel; waits without a thread while there is none.
    async fn pump(
        &self,
        mut blocks: CheckedBlocks,
        sender: mpsc::Sender<Message>,
        client: &Client,
        cancelled: Cancelled,
    ) {
        let pace = blocks.pace();
        // When it took nothing last, in bytes taken by then.
        let mut stalled_at = 0;
        let mut waits_for_all = false;
        loop {
            let n_free = if waits_for_all { SHORT_BLOCKS_AHEAD } else { SHORT_BLOCKS_AHEAD - 1 };
            if time::timeout(PARK_AFTER, sender.reserve_many(n_free)).await.is_err() {
                pace.park();
                pace.set_block_bytes(SHORT_BLOCK_BYTES);
                stalled_at = client.progress.taken_bytes();
                let held_bytes = ANSWER_BYTES + pace.held_bytes() + client.progress.held_bytes();
                if self.wait_for_client(held_bytes, client, sender.reserve_many(n_free)).await.is_none() {
                    return;
                }
            }
            if sender.is_closed() {
                return;
            }
            let is_slow = client.progress.taken_bytes().saturating_sub(stalled_at) < PROBATION_BYTES;
            pace.set_block_bytes(if is_slow { SHORT_BLOCK_BYTES } else { usize::MAX });
            let thread = self.0.threads.take(client.origin).await;
            let (burst_sender, progress) = (sender.clone(), Arc::clone(&client.progress));
            let burst = move || {
                let state = make_blocks(&mut blocks, &burst_sender, &progress, is_slow);
                (blocks, state)
            };
            match self.on_thread(client.origin, thread, cancelled.clone(), burst).await {
                Ok((rest, Burst::Full { has_long_blocks })) => {
                    blocks = rest;
                    waits_for_all = has_long_blocks;
                }
                Ok((_, Burst::Over | Burst::Failed(apus_data::Error::Gone))) => return,
                Ok((_, Burst::Failed(error))) => {
                    tracing::warn!(%error, "the answer was broken off");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "the answer was broken off");
                    return;
                }
            }
        }
    }

    /// Watches an answer that was made whole, until all of it is taken.
    async fn watch(&self, taken: oneshot::Receiver<()>, client: &Client) {
        let mut taken = pin!(taken);
        loop {
            let before = client.progress.taken_bytes();
            if time::timeout(PARK_AFTER, &mut taken).await.is_ok() {
                return;
            }
            if client.progress.taken_bytes() != before {
                continue;
            }
            let moves = async {
                while client.progress.taken_bytes() == before {
                    time::sleep(PARK_AFTER).await;
                }
            };
            let moves = async {
                tokio::select! {
                    () = moves => false,
                    _ = &mut taken => true,
                }
            };
            match self.wait_for_client(ANSWER_BYTES + client.progress.held_bytes(), client, moves).await {
                Some(false) => {}
                Some(true) | None => return,
            }
        }
    }

    /// Waits until the client moves, as long as it may take; meanwhile so many bytes are counted. `None` where its connection is closed.
    async fn wait_for_client<T>(&self, held_bytes: u64, client: &Client, moves: impl Future<Output = T>) -> Option<T> {
        let held: Held = self.0.waiting.nothing();
        held.waits_for_client();
        held.count(held_bytes);
        let body_evicted = async {
            match &client.body {
                Some(body) => {
                    body.set_waiting(true);
                    body.evicted().await;
                }
                None => std::future::pending().await,
            }
        };
        let why = tokio::select! {
            moved = moves => {
                if let Some(body) = &client.body {
                    body.set_waiting(false);
                }
                return Some(moved);
            }
            () = time::sleep(self.0.stall) => "the client stopped reading",
            () = held.evicted() => "others need the memory of those that do not read",
            () = body_evicted => "others need the memory of its request",
        };
        self.0.gauges.stalled.inc();
        let stall_ms = self.0.stall.as_millis();
        tracing::info!(stall_ms, held_bytes, why, "answer broken off");
        if let Some(hangup) = &client.hangup {
            hangup.hang_up();
        }
        None
    }
}

fn make_blocks(
    blocks: &mut CheckedBlocks,
    sender: &mpsc::Sender<Message>,
    progress: &Progress,
    is_slow: bool,
) -> Burst {
    let mut n_bytes = 0;
    loop {
        // Of long blocks, one waits.
        let is_enough = if is_slow { n_bytes >= SHORT_AHEAD_BYTES } else { sender.capacity() < sender.max_capacity() };
        let room = match sender.try_reserve() {
            Ok(room) if !is_enough => room,
            Ok(_) | Err(mpsc::error::TrySendError::Full(())) => return Burst::Full { has_long_blocks: is_enough },
            Err(mpsc::error::TrySendError::Closed(())) => return Burst::Over,
        };
        match blocks.next() {
            Some(Ok(block)) => {
                let block = if is_slow { alone(block) } else { block };
                progress.make(&block);
                n_bytes += block.len();
                room.send(Message::Block(block));
            }
            Some(Err(error)) => return Burst::Failed(error),
            None => {
                room.send(Message::End);
                return Burst::Over;
            }
        }
    }
}

/// The body as the socket takes it. Only `Message::End` ends it normally: if the sender vanishes, the body breaks off.
#[derive(Debug)]
pub struct BodyStream {
    made: VecDeque<Bytes>,
    /// The blocks after these, if there are more.
    rest: Option<mpsc::Receiver<Message>>,
    /// The bytes still to come, if the length is known.
    remaining: Option<u64>,
    progress: Arc<Progress>,
    /// Dropped when the connection is done with it.
    _taken: Option<oneshot::Sender<()>>,
    /// What is still to be read is read for this.
    _waiting: Waiting,
}

/// Why a body breaks off; the log has the details.
#[derive(Debug, thiserror::Error)]
#[error("the answer could not be completed")]
pub struct BrokenOff;

impl http_body::Body for BodyStream {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let piece = match (self.made.pop_front(), &mut self.rest) {
            (Some(made), _) => Some(Message::Block(made)),
            (None, None) => return Poll::Ready(None),
            (None, Some(rest)) => match rest.poll_recv(context) {
                Poll::Ready(piece) => piece,
                Poll::Pending => return Poll::Pending,
            },
        };
        match piece {
            Some(Message::Block(mut block)) => {
                if block.len() > MAX_FRAME_BYTES {
                    let rest = block.split_off(MAX_FRAME_BYTES);
                    self.made.push_front(rest);
                }
                self.progress.take(&block);
                if let Some(remaining) = &mut self.remaining {
                    *remaining = remaining.saturating_sub(block.len() as u64);
                }
                Poll::Ready(Some(Ok(Frame::data(block))))
            }
            Some(Message::End) => {
                self.rest = None;
                Poll::Ready(None)
            }
            None => {
                self.rest = None;
                Poll::Ready(Some(Err(BrokenOff)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.made.is_empty() && (self.rest.is_none() || self.remaining == Some(0))
    }

    fn size_hint(&self) -> SizeHint {
        self.remaining.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
