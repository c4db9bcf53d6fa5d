//! The server: HTTP/1.1 and HTTP/2 without TLS, limits on connections and request heads, graceful shutdown.

use std::{future::Future, io, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo, http::Request};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use tokio::{net::TcpListener, pin, select, sync::Semaphore, time};
use tower::ServiceExt as _;

use super::{heads::Heads, origin::Hangup, paced_stream::PacedStream};
use crate::{app::App, config::ConfigError};

/// The most bytes of a head that hyper holds: more than [`heads`](super::heads) lets pass, with a piece of what follows.
const MAX_HEAD_BYTES: usize = 64 << 10;
/// What an HTTP/2 client may send before it is read: of all its streams, and of each.
const CONNECTION_WINDOW_BYTES: u32 = 512 << 10;
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
/// What an HTTP/2 stream may have on its way to a client that does not take it.
const MAX_SEND_BUFFER_BYTES: usize = 64 << 10;
/// The part of the time for stopping that running answers have to finish; what remains is for work to notice that it is not wanted.
const GRACE: f64 = 0.9;
/// The interval of HTTP/2 pings to a silent client.
const KEEP_ALIVE: Duration = Duration::from_secs(20);

/// Refuses to serve everything to everyone on the network by mistake.
pub fn check_openness(app: &App, has_logins: bool) -> Result<(), ConfigError> {
    let config = &app.config;
    if config.listen.ip().is_loopback() || config.public || config.has_rules() || has_logins {
        return Ok(());
    }
    Err(ConfigError::Value(format!(
        "there are no accounts and no mount has roles, so anyone who can reach {} could read everything: \
         listen on 127.0.0.1, add accounts with `apus user add NAME`, or give --public",
        config.listen
    )))
}

/// Serves until `stop` is ready, then lets running answers finish, for as long as the configuration allows.
pub async fn serve(app: &App, router: Router, listener: TcpListener, stop: impl Future<Output = ()>) {
    let builder = Arc::new(connection_builder(app));
    let places = Arc::new(Semaphore::new(app.config.limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let (head_limit, stall_limit) = (Duration::from_millis(app.config.limits.head_ms), app.config.limits.stall());
    pin!(stop);
    loop {
        let accepted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        let (accepted, place) = select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                wait_out(&error).await;
                continue;
            }
        };
        // Without Nagle's algorithm: heads and small blocks must not wait for each other.
        let _ = stream.set_nodelay(true);
        let (stream, heads) = Heads::watch(PacedStream::new(stream, head_limit, stall_limit));
        let hangup = Hangup::new();
        let of_requests = hangup.clone();
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            heads.note(&mut request);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(of_requests.clone());
            request
        });
        let service = TowerToHyperService::new(service);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            tokio::select! {
                ended = watched => {
                    if let Err(error) = ended {
                        tracing::debug!(%error, "connection ended");
                    }
                }
                () = hangup.wanted() => tracing::debug!("connection closed: nothing of its answers is read"),
            }
            drop(place);
        });
    }
    drop(listener);
    let limit = Duration::from_millis(app.config.limits.shutdown_ms).mul_f64(GRACE);
    if time::timeout(limit, graceful.shutdown()).await.is_err() {
        tracing::warn!(shutdown_ms = app.config.limits.shutdown_ms, "some answers did not finish in time: cut off");
    }
    app.work.stop();
}

fn connection_builder(app: &App) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(app.config.limits.head_ms))
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .max_header_list_size(64 << 10)
        .max_concurrent_streams(app.config.limits.streams)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .max_send_buf_size(MAX_SEND_BUFFER_BYTES);
    builder
}

/// Ignores a connection that broke while it was accepted. Waits after any other error, such as a lack of file descriptors.
async fn wait_out(error: &io::Error) {
    let kinds = [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::ConnectionRefused];
    if !kinds.contains(&error.kind()) {
        tracing::error!(%error, "cannot accept connections");
        time::sleep(Duration::from_secs(1)).await;
    }
}
