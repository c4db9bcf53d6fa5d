//! `apus serve`.

use std::{io::IsTerminal, process::ExitCode, time::Duration};

use anyhow::{Context, ensure};
use apus::{
    app::App,
    auth::{AuthSettings, Authenticator},
    config::{Config, Flags},
    descriptors,
    http::server,
    router,
    state::{self, State, StateError},
};
use clap::Args;
use tokio::{net::TcpListener, runtime, signal};
use tracing_subscriber::EnvFilter;

use crate::terminal::print;

/// Serve folders of simulation output
///
/// Each DIR is served under /NAME; a single DIR without a name is served at the root. Without accounts, roles or a login
/// service, everything is open to everyone; the service then refuses to listen beyond this machine unless --public is given.
#[derive(Args)]
#[command(after_help = "Settings not given as flags come from the environment, then from a file .env in the working \
                        directory, then from apus.toml, then from the defaults. APUS_LOG filters the log on standard error \
                        [default: info].\n\n\
                        Examples:\n  \
                        apus serve /data/snapshots\n  \
                        apus serve L0025=/data/L0025 L0100=/data/L0100 --listen 127.0.0.1:9000\n  \
                        apus serve --config /etc/apus.toml")]
pub(crate) struct Serve {
    #[command(flatten)]
    flags: Flags,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let config = Config::new(self.flags)?;
        ensure!(!config.mounts.is_empty(), "nothing to serve: name a folder, as in `apus serve /data/snapshots`");
        start(config, open_auth, |url| {
            format!("Apus serves at {url}\nOpen {url} in a browser, or try: curl '{url}/v1/list/'")
        })
    }
}

/// The part of the time for stopping that blocking work has to end, after the answers are over.
const MARGIN: f64 = 0.05;

/// Serves until told to stop. `open_auth` opens the accounts; `greeting` turns the URL into the text printed when the service is ready.
pub(crate) fn start<F: Future<Output = anyhow::Result<Authenticator>>>(
    mut config: Config,
    open_auth: impl FnOnce(Config) -> F,
    greeting: impl FnOnce(&str) -> String,
) -> anyhow::Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_env("APUS_LOG").unwrap_or_else(|_| EnvFilter::new("info")))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    descriptors::make_room(&mut config)?;
    let shutdown = Duration::from_millis(config.limits.shutdown_ms);
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let auth = open_auth(config.clone()).await?;
        let app = App::new(config, auth)?;
        server::check_openness(&app, app.auth.has_logins().await?)?;
        let listener = TcpListener::bind(app.config.listen)
            .await
            .with_context(|| format!("cannot listen on {}", app.config.listen))?;
        // The service is ready, whether or not anybody reads so.
        if let Err(error) = print(greeting(&format!("http://{}", listener.local_addr()?))) {
            tracing::warn!("{error:#}");
        }
        server::serve(&app, router(app.clone()), listener, stop_signal()).await;
        Ok(ExitCode::SUCCESS)
    });
    // Work that does not notice in time that nobody wants it must not keep the process.
    runtime.shutdown_timeout(shutdown.mul_f64(MARGIN));
    outcome
}

/// Opens the accounts. If no state folder is configured and the default one cannot be written to, there are no accounts.
async fn open_auth(config: Config) -> anyhow::Result<Authenticator> {
    let folder = config.state.clone().map_or_else(state::default_folder, Ok)?;
    tracing::info!(state = %folder.display(), "accounts, tokens and zone maps");
    let state = match &config.state {
        Some(folder) => State::open(folder).await?,
        None => match State::open(&folder).await {
            Err(error @ StateError::Open { .. }) => {
                tracing::warn!(%error, "no usable state folder: no accounts, and generated keys last only until the service stops");
                State::in_memory().await?
            }
            opened => opened?,
        },
    };
    let settings = AuthSettings {
        jwt_secret_key: config.auth.jwt_secret_key.clone(),
        db_url: config.auth.db_url.clone(),
        trusted_proxies: config.auth.trusted_proxies.clone(),
    };
    Ok(Authenticator::new(state, settings).await?)
}

/// Ready on SIGINT or SIGTERM.
async fn stop_signal() {
    let interrupt = async {
        // If no handler can be installed, SIGINT ends the process by default.
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = interrupt => {},
        _ = terminate => {},
    }
}
