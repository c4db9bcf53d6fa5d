//! The service's own headers, and what a web page from another origin may read of an answer.

use axum::http::{HeaderName, header};

/// Defines the service's own headers, and the list of them all: one that is defined here is exposed to web pages.
macro_rules! own_headers {
    ($($(#[$meta:meta])* $name:ident = $text:literal;)*) => {
        $($(#[$meta])* pub const $name: HeaderName = HeaderName::from_static($text);)*

        fn own() -> impl Iterator<Item = HeaderName> {
            [$($name),*].into_iter()
        }
    };
}

own_headers! {
    /// The type of the elements of an array, in numpy's words.
    DTYPE = "apus-dtype";
    /// The shape of an array.
    SHAPE = "apus-shape";
    /// The unit and frame of each field of a selection, as JSON.
    FIELDS = "apus-fields";
    /// The number of rows of each group of a selection, where it is known beforehand.
    ROWS = "apus-rows";
    /// The fraction of their side by which cells were widened, where they were.
    PADDING = "apus-padding";
    /// The unit of a picture's values.
    UNIT = "apus-unit";
    /// Whether a picture's values and extent are comoving or physical.
    FRAME = "apus-frame";
    /// The sides of a picture in the plane: `xmin,xmax,ymin,ymax`.
    EXTENT = "apus-extent";
    /// The values that the first and the last colour of a picture stand for.
    RANGE = "apus-range";
    /// The unit of a histogram's first axis.
    X_UNIT = "apus-x-unit";
    /// The unit of a histogram's second axis.
    Y_UNIT = "apus-y-unit";
    /// The request's id, under which the log has it.
    REQUEST_ID = "x-request-id";
}

/// The headers that web pages from other origins may read, besides those that every browser lets them read.
pub fn exposed() -> impl Iterator<Item = HeaderName> {
    own().chain([
        header::ACCEPT_RANGES,
        header::ALLOW,
        header::CONTENT_DISPOSITION,
        header::CONTENT_LENGTH,
        header::CONTENT_RANGE,
        header::ETAG,
        header::RETRY_AFTER,
        header::WWW_AUTHENTICATE,
    ])
}
