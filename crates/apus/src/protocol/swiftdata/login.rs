//! `/token`, `/protected/`, `/unprotected/`.

use axum::{
    Json,
    extract::{ConnectInfo, State},
    http::HeaderMap,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;

use super::{
    authorized::Authorized,
    error::{AuthRefusal, SwiftdataError},
    json_body::{JsonBody, Members, missing, no_object},
};
use crate::{app::App, auth::AuthError};

/// A name and a password.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct TokenRequest {
    /// The account's name.
    pub username: String,
    /// Its password.
    #[schema(value_type = String, format = Password)]
    pub password: SecretString,
}

/// A token.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct TokenResponse {
    /// A JSON web token, good for an hour: send it as `Authorization: Bearer ...`.
    pub access_token: String,
}

/// Who somebody is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct User {
    /// The name.
    #[serde(rename = "User")]
    pub user: String,
}

/// Gives a token for a name and a password.
#[utoipa::path(post, path = "/token", tag = "older API", request_body(content = TokenRequest, example = json!({"username": "demo", "password": "demo"})), responses(
    (status = 200, body = TokenResponse),
    (status = 401, description = "The name or the password is wrong"),
    (status = 422, description = "The body is not understood"),
    (status = 429, description = "There were many failures: come again later"),
    (status = 503, description = "The login service is not available"),
))]
pub(crate) async fn post_token(
    State(app): State<App>,
    peer: Option<axum::Extension<ConnectInfo<SocketAddr>>>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Json<TokenResponse>, SwiftdataError> {
    let request = TokenRequest::of(body)?;
    let peer = peer.map(|axum::Extension(ConnectInfo(address))| address.ip());
    let token =
        app.auth.issue_jwt(&request.username, &request.password, &headers, peer).await.map_err(
            |error| match error {
                AuthError::WrongPassword => SwiftdataError::Auth(AuthRefusal::Login),
                other => other.into(),
            },
        )?;
    Ok(Json(TokenResponse { access_token: token.expose_secret().to_owned() }))
}

/// Tells who asks.
#[utoipa::path(get, path = "/protected/", tag = "older API", security(("bearer" = []), ("basic" = [])), responses(
    (status = 200, body = User),
    (status = 401, description = "The token is not good"),
    (status = 403, description = "There are no credentials, or they are of another kind"),
))]
pub(crate) async fn get_protected(authorized: Authorized) -> Json<User> {
    Json(User { user: authorized.name })
}

/// Answers everybody.
#[utoipa::path(get, path = "/unprotected/", tag = "older API", responses((status = 200, body = User)))]
pub(crate) async fn get_unprotected() -> Json<User> {
    Json(User { user: "unauthenticated".to_owned() })
}

impl TokenRequest {
    fn of(body: JsonBody) -> Result<Self, SwiftdataError> {
        let body = match body {
            JsonBody::Json(body) => body,
            JsonBody::Absent => return Err(missing(&["body"])),
            JsonBody::Other => return Err(no_object(&["body"])),
        };
        let mut members = Members::of(&body, &["body"])?;
        let username = members.text("username");
        let password = members.text("password").map(SecretString::from);
        members.hide("password");
        members.finish(username.zip(password).map(|(username, password)| Self { username, password }))
    }
}
