//! Who asks, and what they may see.

use std::collections::BTreeSet;

/// Who asks: an account, or anybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The account's name; `None` for a request without credentials.
    pub name: Option<String>,
    /// The roles of the account.
    pub roles: BTreeSet<String>,
}

impl Caller {
    /// Somebody without credentials, who sees what is public.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Whether the caller has every one of `required`: what has no required roles is public.
    pub fn has_all(&self, required: &BTreeSet<String>) -> bool {
        required.is_subset(&self.roles)
    }
}

/// The accounts: who may be who.
#[derive(Debug, Default)]
pub struct Accounts {}

impl axum::extract::FromRequestParts<crate::app::App> for Caller {
    type Rejection = crate::error::ApiError;

    async fn from_request_parts(
        _parts: &mut axum::http::request::Parts,
        _app: &crate::app::App,
    ) -> Result<Self, Self::Rejection> {
        Ok(Self::anonymous())
    }
}
