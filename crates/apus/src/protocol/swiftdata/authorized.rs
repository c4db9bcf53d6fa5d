//! Somebody with good credentials: what every `/swiftdata` route wants.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::error::{AuthRefusal, SwiftdataError};
use crate::{
    app::App,
    auth::Caller,
    http::caller::{note, peer},
};

/// Somebody with good credentials, by name.
#[derive(Clone, Debug)]
pub(crate) struct Authorized {
    /// Who it is.
    pub caller: Caller,
    /// The caller's name.
    pub name: String,
}

impl FromRequestParts<App> for Authorized {
    type Rejection = SwiftdataError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, SwiftdataError> {
        let caller = app.auth.authenticate(&parts.headers, peer(&parts.extensions)).await?;
        let Some(name) = caller.name.clone() else { return Err(SwiftdataError::Auth(AuthRefusal::Missing)) };
        note(&caller);
        Ok(Self { caller, name })
    }
}
