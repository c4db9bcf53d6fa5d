//! The protocols, a folder each. Handlers parse text into a request, ask [`apus_data`], and answer.
//!
//! | protocol | addresses | for |
//! |---|---|---|
//! | `service` | `/ping`, `/healthz`, `/metrics`, `/docs`, `/openapi.json` | operators and readers |
//! | `page` | `/`, `/browse`, `/file`, `/explore`, `/ask`, `/points`, `/raw`, `/login`, `/assets` | people, in a browser |
//! | `rest` | `/v1` | any language |
//! | `hdfstream` | `/hdfstream` | the Python module `hdfstream`, and what opens files through it |
//! | `h5grove` | `/h5grove` | the viewer h5web, and what else reads from an h5grove server |
//! | `swiftdata` | `/token`, `/protected`, `/unprotected`, `/swiftdata` | scripts that were written against the older service |
//!
//! Adding one is a folder and a line in [`all`].

mod h5grove;
mod hdfstream;
mod page;
mod rest;
mod service;
mod swiftdata;

use crate::{app::App, http::protocol::Protocol};

/// All protocols.
pub fn all(app: &App) -> Vec<Protocol> {
    let mut protocols = vec![
        rest::protocol(app),
        hdfstream::protocol(app),
        h5grove::protocol(app),
        swiftdata::protocol(app),
        page::protocol(),
    ];
    let mut openapi = service::openapi();
    protocols.iter().for_each(|protocol| openapi.merge(protocol.openapi.clone()));
    protocols.push(service::protocol(app, openapi));
    protocols
}
