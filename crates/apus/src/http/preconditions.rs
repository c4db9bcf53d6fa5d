//! Preconditions and byte ranges of requests, by RFC 9110.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use apus_data::values::EntityTag;

use super::{
    answer::Answer,
    error::{ApiError, ApiResult},
};

/// The requested part of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BodyPart {
    /// All.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
}

/// The precondition and range headers of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Preconditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_range: Option<String>,
    range: Option<String>,
}

impl Preconditions {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let all = |name: HeaderName| {
            let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
            (!values.is_empty()).then(|| values.join(","))
        };
        Self {
            if_match: all(header::IF_MATCH),
            if_none_match: all(header::IF_NONE_MATCH),
            if_range: all(header::IF_RANGE),
            range: all(header::RANGE),
        }
    }

    /// The answer that the tag alone decides: 304 if the client already has the body.
    ///
    /// Errors: 412 if the client wants another state of it.
    pub(crate) fn decide(&self, tag: &EntityTag) -> ApiResult<Option<Answer>> {
        Ok(self.is_known(tag.as_str())?.then(|| Answer::empty(StatusCode::NOT_MODIFIED).with_tag(tag)))
    }

    /// Whether the client already has the body of that tag.
    ///
    /// Errors: 412 if it wants another.
    pub(crate) fn is_known(&self, tag: &str) -> ApiResult<bool> {
        if let Some(wanted) = &self.if_match
            && !any_tag(wanted, |other| other == "*" || (other == tag && !tag.starts_with("W/")))
        {
            return Err(ApiError::PreconditionFailed(
                format!("the file has changed: its entity tag is now {tag}, not {wanted}").into(),
            ));
        }
        let weak = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        if let Some(known) = &self.if_none_match
            && any_tag(known, |other| other == "*" || weak(other) == weak(tag))
        {
            return Ok(true);
        }
        Ok(false)
    }

    /// The requested part of a body of `size_bytes` with that tag. A malformed range, several ranges, or a range of another
    /// state of the body are ignored.
    ///
    /// Errors: 416 if it lies outside.
    pub(crate) fn part(&self, tag: &str, size_bytes: u64) -> ApiResult<BodyPart> {
        let Some(range) = &self.range else { return Ok(BodyPart::Whole) };
        if self.if_range.as_ref().is_some_and(|state| state != tag) {
            return Ok(BodyPart::Whole);
        }
        let Some(spec) = range.strip_prefix("bytes=").map(str::trim) else { return Ok(BodyPart::Whole) };
        let Some((first, last)) = spec.split_once('-') else { return Ok(BodyPart::Whole) };
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            // Numbers over 64 bits are past every end.
            is_number.then(|| text.parse().unwrap_or(u64::MAX))
        };
        let bytes = match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size_bytes),
            (Some(first), None) if last.is_empty() => first..size_bytes,
            (None, Some(n)) if first.is_empty() => size_bytes.saturating_sub(n)..size_bytes,
            _ => return Ok(BodyPart::Whole),
        };
        if bytes.is_empty() {
            return Err(ApiError::RangeNotSatisfiable { size_bytes });
        }
        Ok(BodyPart::Bytes(bytes))
    }
}

fn any_tag(list: &str, is_match: impl Fn(&str) -> bool) -> bool {
    list.split(',').map(str::trim).any(is_match)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(range: &str, if_range: Option<&str>) -> Result<BodyPart, u16> {
        let preconditions = Preconditions {
            range: Some(range.to_owned()),
            if_range: if_range.map(str::to_owned),
            ..Preconditions::default()
        };
        preconditions.part("\"tag\"", 100).map_err(|error| error.status().as_u16())
    }

    #[test]
    fn ranges_are_taken_by_the_book() {
        assert_eq!(part("bytes=0-9", None), Ok(BodyPart::Bytes(0..10)));
        assert_eq!(part("bytes=90-", None), Ok(BodyPart::Bytes(90..100)));
        assert_eq!(part("bytes=90-1000", None), Ok(BodyPart::Bytes(90..100)));
        assert_eq!(part("bytes=-7", None), Ok(BodyPart::Bytes(93..100)));
        assert_eq!(part("bytes=-1000", None), Ok(BodyPart::Bytes(0..100)));
        assert_eq!(part("bytes=100-", None), Err(416));
        assert_eq!(part("bytes=-0", None), Err(416));
        assert_eq!(part("bytes=99999999999999999999-", None), Err(416));
        for ignored in ["bytes=5-2", "bytes=a-b", "lines=0-5", "bytes=0-1,5-6", "bytes=-", "bytes=--5", "bytes=+1-2"] {
            assert_eq!(part(ignored, None), Ok(BodyPart::Whole), "{ignored}");
        }
    }

    #[test]
    fn a_range_of_another_state_is_none() {
        assert_eq!(part("bytes=0-9", Some("\"tag\"")), Ok(BodyPart::Bytes(0..10)));
        assert_eq!(part("bytes=0-9", Some("\"other\"")), Ok(BodyPart::Whole));
    }

    #[test]
    fn tags_decide() {
        let none_match =
            |list: &str| Preconditions { if_none_match: Some(list.to_owned()), ..Preconditions::default() };
        assert!(none_match("\"a\", W/\"b\"").is_known("\"b\"").unwrap());
        assert!(none_match("*").is_known("\"b\"").unwrap());
        assert!(!none_match("\"a\"").is_known("\"b\"").unwrap());
        let matches = |list: &str| Preconditions { if_match: Some(list.to_owned()), ..Preconditions::default() };
        assert!(!matches("\"b\"").is_known("\"b\"").unwrap());
        assert_eq!(matches("\"a\"").is_known("\"b\"").err().unwrap().status(), 412);
    }
}
