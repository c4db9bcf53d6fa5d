//! The caller, from a request's head.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, FromRef, FromRequestParts},
    http::{Extensions, request::Parts},
};

use super::error::ApiError;
use crate::{app::App, auth::Caller};

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let app = App::from_ref(state);
        let caller = app.auth.authenticate(&parts.headers, peer(&parts.extensions)).await?;
        note(&caller);
        Ok(caller)
    }
}

/// Records the caller's name in the request's span.
pub(crate) fn note(caller: &Caller) {
    if let Some(name) = &caller.name {
        tracing::Span::current().record("user", name);
    }
}

/// The address at the other end of the connection.
pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
}
