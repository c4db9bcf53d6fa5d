//! What a browser sees at the addresses where the original has its pages.

use axum::{
    http::header,
    response::{Html, IntoResponse},
};

const PAGE: &str = include_str!("page.html");

/// Says what is served here.
pub(super) async fn get_page() -> impl IntoResponse {
    ([(header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'")], Html(PAGE))
}
