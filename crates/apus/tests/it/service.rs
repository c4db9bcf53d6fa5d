//! The service under test: everything behind the socket.

use std::{path::Path, sync::LazyLock};

use apus::{
    app::App,
    auth::{AuthSettings, Authenticator, hash_password},
    config::Config,
    router,
    state::State,
};
use apus_data::store::{Mount, MountSource};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, Response, header},
};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// The blocks that bodies are made of here: small, so that much is still to be made when the first has come.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;
/// A body of more bytes than this is not made at once: what the service makes with the first block, and some blocks.
pub(crate) const LARGE_BYTES: usize = (1 << 20) + 2 * BLOCK_BYTES;

/// Accounts with the roles that mounts here ask for: `insider` has `secret`, `stranger` has `other`. Their passwords are their names.
const ACCOUNTS: [(&str, &str); 2] = [("insider", "secret"), ("stranger", "other")];

/// What all services run on.
pub(crate) static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

static AUTHENTICATOR: LazyLock<Authenticator> = LazyLock::new(|| {
    RUNTIME.block_on(async {
        let state = State::in_memory().await.unwrap();
        for (name, role) in ACCOUNTS {
            let hash = hash_password(&name.into()).unwrap();
            let roles = [role.parse().unwrap()].into();
            state.add_account(&name.parse().unwrap(), Some(&hash), &roles).await.unwrap();
        }
        Authenticator::new(state, AuthSettings::default()).await.unwrap()
    })
});

/// The service.
pub(crate) struct Service {
    pub(crate) app: App,
    router: Router,
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) is_complete: bool,
}

impl Service {
    /// Serves a folder, to anybody.
    pub(crate) fn over(folder: &Path) -> Self {
        Self::with(folder_mount("", folder), |_| {})
    }

    /// Serves that mount, configured in some other way.
    pub(crate) fn with(mount: Mount, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::of_mounts(vec![mount]);
        config.limits.block_bytes = BLOCK_BYTES;
        config.limits.work_ahead_bytes = 4 * BLOCK_BYTES;
        config.limits.decode_threads = 1;
        config.limits.wait_ms = 60_000;
        change(&mut config);
        Self::new(config, AUTHENTICATOR.clone())
    }

    pub(crate) fn new(config: Config, authenticator: Authenticator) -> Self {
        let app = App::new(config, authenticator).unwrap();
        Self { router: router(app.clone()), app }
    }

    /// Asks, and takes the whole body.
    pub(crate) fn ask(&self, request: Request<Body>) -> Answer {
        RUNTIME.block_on(self.answer(request))
    }

    pub(crate) async fn answer(&self, request: Request<Body>) -> Answer {
        let (mut answer, body) = self.begin(request).await;
        answer.finish(body).await;
        answer
    }

    /// Asks, and takes nothing of the body yet.
    pub(crate) async fn begin(&self, request: Request<Body>) -> (Answer, Body) {
        let response = self.respond(request).await;
        let (parts, body) = response.into_parts();
        let mut headers = parts.headers;
        headers.remove("x-request-id");
        headers.remove(header::DATE);
        (Answer { status: parts.status.as_u16(), headers, body: Vec::new(), is_complete: false }, body)
    }

    /// The answer as the router gives it.
    pub(crate) async fn respond(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }
}

impl Answer {
    /// Takes the next frame of the body; whether there was one.
    pub(crate) async fn take_frame(&mut self, body: &mut Body) -> bool {
        match body.frame().await {
            Some(Ok(frame)) => {
                self.body.extend_from_slice(frame.data_ref().unwrap());
                true
            }
            Some(Err(_)) => false,
            None => {
                self.is_complete = true;
                false
            }
        }
    }

    /// Takes the rest of the body.
    pub(crate) async fn finish(&mut self, mut body: Body) {
        while self.take_frame(&mut body).await {}
        // What was announced came, or the body is not complete, whatever the stream said.
        let announced = self.header("content-length").and_then(|text| text.parse::<usize>().ok());
        assert!(
            !self.is_complete || announced.is_none_or(|n| n == self.body.len() || self.body.is_empty()),
            "{self:?}"
        );
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn tag(&self) -> Option<&str> {
        self.header("etag")
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.status == 200 && self.is_complete
    }

    /// In a line, for messages.
    pub(crate) fn shown(&self) -> String {
        let start: String = self.body.iter().take(200).flat_map(|&byte| byte.escape_ascii()).map(char::from).collect();
        let (n_bytes, complete, tag) = (self.body.len(), self.is_complete, self.tag());
        format!("{} {tag:?} {n_bytes} bytes, complete: {complete}: {start}", self.status)
    }
}

pub(crate) fn folder_mount(name: &str, folder: &Path) -> Mount {
    Mount::new(name, MountSource::Folder(folder.to_owned()))
}

impl Answer {
    /// Whether this is the other answer, but for the name of a file.
    pub(crate) fn is_renamed(&self, other: &Self, name: &str, other_name: &str) -> bool {
        assert_eq!(name.len(), other_name.len(), "lengths stand in headers");
        let renamed = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            for at in 0..bytes.len().saturating_sub(name.len() - 1) {
                if bytes[at..].starts_with(name.as_bytes()) {
                    bytes[at..at + name.len()].copy_from_slice(other_name.as_bytes());
                }
            }
            bytes
        };
        let headers = |headers: &HeaderMap| -> Vec<(String, Vec<u8>)> {
            headers.iter().map(|(name, value)| (name.to_string(), renamed(value.as_bytes()))).collect()
        };
        self.status == other.status
            && self.is_complete == other.is_complete
            && headers(&self.headers) == headers(&other.headers)
            && renamed(&self.body) == renamed(&other.body)
    }
}
