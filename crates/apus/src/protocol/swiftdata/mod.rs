//! The older `/swiftdata` API, for scripts and clients that were written against it.
//!
//! | routes | what |
//! |---|---|
//! | `POST /token` | a JWT for a name and password |
//! | `GET /protected/`, `GET /unprotected/` | whether a token is good |
//! | `POST /swiftdata/{filepath, mask_boxsize, units_dict}` | small things as JSON |
//! | `POST /swiftdata/{units, metadata, metadata_remoteunits, mask}` | swiftsimio 7's objects as pickles |
//! | `POST /swiftdata/{unmasked_dataset, masked_dataset}` | arrays as JSON |
//!
//! Every `/swiftdata` route wants credentials, also for what is public elsewhere, and a body `{"data_spec": {...}}`. The order of
//! decisions is the older service's: the route, who asks, the body, the file, the work. Errors are `{"detail": ...}`.

mod authorized;
mod dataset;
mod error;
mod file;
mod json_body;
mod login;
mod mask;
mod metadata;
mod pickle;
mod spec;

use axum::{
    Router,
    routing::{get, post},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

use self::{
    dataset::{post_masked_dataset, post_unmasked_dataset},
    login::{get_protected, get_unprotected, post_token},
    metadata::{
        post_filepath, post_mask, post_mask_boxsize, post_metadata, post_metadata_remoteunits, post_units,
        post_units_dict,
    },
};
use crate::{app::App, http::protocol::Protocol};

/// What the documentation says of the older API.
#[derive(OpenApi)]
#[openapi(
    paths(
        login::post_token,
        login::get_protected,
        login::get_unprotected,
        metadata::post_filepath,
        metadata::post_mask_boxsize,
        metadata::post_mask,
        metadata::post_metadata,
        metadata::post_metadata_remoteunits,
        metadata::post_units,
        metadata::post_units_dict,
        dataset::post_masked_dataset,
        dataset::post_unmasked_dataset,
    ),
    modifiers(&Credentials),
    tags((name = "older API", description = "For scripts that were written against the older `/swiftdata` service"))
)]
struct Document;

/// Tells the documentation how credentials are given.
struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let schemes = [("basic", HttpAuthScheme::Basic), ("bearer", HttpAuthScheme::Bearer)];
        for (name, scheme) in schemes {
            components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
        }
    }
}

/// The older API.
pub(super) fn protocol(app: &App) -> Protocol {
    let router = Router::new()
        .route("/token", post(post_token))
        .route("/protected/", get(get_protected))
        .route("/protected", get(get_protected))
        .route("/unprotected/", get(get_unprotected))
        .route("/unprotected", get(get_unprotected))
        .route("/swiftdata/filepath", post(post_filepath))
        .route("/swiftdata/mask_boxsize", post(post_mask_boxsize))
        .route("/swiftdata/mask", post(post_mask))
        .route("/swiftdata/metadata", post(post_metadata))
        .route("/swiftdata/metadata_remoteunits", post(post_metadata_remoteunits))
        .route("/swiftdata/units", post(post_units))
        .route("/swiftdata/units_dict", post(post_units_dict))
        .route("/swiftdata/masked_dataset", post(post_masked_dataset))
        .route("/swiftdata/unmasked_dataset", post(post_unmasked_dataset))
        .with_state(app.clone());
    // The older service had a /ping as well.
    let prefixes = &["/token", "/protected", "/unprotected", "/swiftdata", "/ping"];
    Protocol { prefixes, router, openapi: Document::openapi(), errors: error::no_handler }
}
