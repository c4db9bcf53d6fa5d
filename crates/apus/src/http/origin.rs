//! Where a request comes from: what places and memory are shared among.

use std::{
    future::Future,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Notify;

tokio::task_local! {
    static CURRENT: (Origin, Option<Hangup>);
}

/// The address and the connection of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client's address, as far as it is known.
    pub(crate) address: Option<IpAddr>,
    /// The number of the connection; 0 for requests that come over none.
    pub(crate) connection: u64,
}

/// Ends a connection from inside of its requests. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Hangup {
    connection: u64,
    notify: Arc<Notify>,
}

impl Origin {
    /// That of the request which this task answers.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(|(origin, _)| *origin).unwrap_or_default()
    }

    /// Answers a request of this origin.
    pub(crate) async fn scope<F: Future>(self, hangup: Option<Hangup>, answer: F) -> F::Output {
        CURRENT.scope((self, hangup), answer).await
    }
}

impl Hangup {
    /// Of a new connection.
    pub(crate) fn new() -> Self {
        static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
        Self { connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed), notify: Arc::default() }
    }

    /// That of the request which this task answers.
    pub(crate) fn current() -> Option<Self> {
        CURRENT.try_with(|(_, hangup)| hangup.clone()).ok().flatten()
    }

    /// The number of the connection.
    pub(crate) fn connection(&self) -> u64 {
        self.connection
    }

    /// Ends the connection, whatever it waits for.
    pub(crate) fn hang_up(&self) {
        self.notify.notify_one();
    }

    /// Waits until the connection is to end.
    pub(crate) async fn wanted(&self) {
        self.notify.notified().await;
    }
}
