//! Paths and parameters of requests, parsed strictly: an unknown name is refused, and the nearest known one suggested.

use apus_data::store::VPath;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::de::DeserializeOwned;

use super::error::{ApiError, ApiResult};

/// The path behind the route's prefix.
pub(crate) struct FilePath(pub(crate) VPath);

impl<S: Send + Sync> FromRequestParts<S> for FilePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|error| ApiError::bad_request(format!("malformed path: {}", error.body_text())))?;
        let path = params.iter().next().map_or("", |(_, value)| value);
        Ok(VPath::parse(path).map(Self)?)
    }
}

/// The parameters behind the `?`.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Parses the query; every name must be one of `known`, and occur once.
    ///
    /// Errors: 400; for an unknown name with the nearest known one.
    pub(crate) fn parse(query: Option<&str>, known: &[&str]) -> ApiResult<Self> {
        let mut params: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(unknown("parameter", &name, known));
            }
            if params.iter().any(|(other, _)| *other == name) {
                return Err(ApiError::bad_request(format!("the parameter {name:?} is given twice")));
            }
            params.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(params))
    }

    /// Removes a parameter and returns its value.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let position = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.swap_remove(position).1)
    }
}

/// A 400 that lists the known names, after the nearest one.
pub(crate) fn unknown(what: &str, name: &str, known: &[&str]) -> ApiError {
    let shown: String = name.chars().take(100).collect();
    if known.is_empty() {
        return ApiError::bad_request(format!("unknown {what} {shown:?}: none is accepted here"));
    }
    let nearest = known
        .iter()
        .map(|known| (strsim::normalized_damerau_levenshtein(&shown.to_lowercase(), known), known))
        .filter(|(likeness, _)| *likeness >= 0.5)
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    let hint = nearest.map(|(_, known)| format!("did you mean {known:?}? ")).unwrap_or_default();
    ApiError::bad_request(format!("unknown {what} {shown:?}: {hint}known are {}", known.join(", ")))
}

/// The body of a POST that is JSON, still to be parsed.
pub(crate) struct JsonText(Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonText {
    type Rejection = ApiError;

    /// Errors: 415 for another content type, 413 if it is too long, 400 if it cannot be read.
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        check_content_type(request.headers())?;
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                ApiError::too_large("the request's body is larger than this server accepts")
            }
            _ => ApiError::bad_request(format!("the body cannot be read: {}", rejection.body_text())),
        })?;
        Ok(Self(bytes))
    }
}

impl JsonText {
    /// What it says. Long lists take long: for threads that may block.
    ///
    /// Errors: 400 if it cannot be parsed.
    pub(crate) fn parse<T: DeserializeOwned>(self) -> ApiResult<T> {
        serde_json::from_slice(&self.0)
            .map_err(|error| ApiError::bad_request(format!("the body cannot be parsed: {error}")))
    }
}

fn check_content_type(headers: &HeaderMap) -> ApiResult<()> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::UnsupportedMediaType(
            format!("the body's Content-Type is {media_type:?}; it must be application/json").into(),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_parameter_is_told_its_nearest() {
        let error = Params::parse(Some("row=0:5"), &["object", "rows"]).unwrap_err().to_string();
        assert_eq!(error, "unknown parameter \"row\": did you mean \"rows\"? known are object, rows");
        let error = Params::parse(Some("zzz=1"), &["object", "rows"]).unwrap_err().to_string();
        assert_eq!(error, "unknown parameter \"zzz\": known are object, rows");
    }

    #[test]
    fn a_parameter_comes_once() {
        assert!(Params::parse(Some("rows=0:5&rows=1:2"), &["rows"]).is_err());
        assert_eq!(Params::parse(Some("rows=0%3A5"), &["rows"]).unwrap().take("rows").as_deref(), Some("0:5"));
    }
}
