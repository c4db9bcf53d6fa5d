//! Conditions and byte ranges of requests, by RFC 9110.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};

use crate::{
    error::{ApiError, ApiResult},
    read_task::Answer,
};

/// Which part of a body is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All.
    Whole,
    /// These bytes.
    Bytes(Range<u64>),
}

/// The headers of a request that conditions stand in.
#[derive(Clone, Debug, Default)]
pub(super) struct Conditions {
    if_match: Option<String>,
    if_none_match: Option<String>,
    if_range: Option<String>,
    range: Option<String>,
}

impl Conditions {
    pub(super) fn of(headers: &HeaderMap) -> Self {
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

    /// The answer that the tag alone decides: 304 where the client has the body already.
    ///
    /// Errors: 412 where the client wants another state of it.
    pub(super) fn decide(&self, tag: &str) -> ApiResult<Option<Answer>> {
        if let Some(wanted) = &self.if_match
            && !any_tag(wanted, |other| other == "*" || (other == tag && !tag.starts_with("W/")))
        {
            return Err(ApiError::PreconditionFailed(
                format!("the file was changed: its entity tag is {tag} now, not {wanted}").into(),
            ));
        }
        let weak = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
        if let Some(known) = &self.if_none_match
            && any_tag(known, |other| other == "*" || weak(other) == weak(tag))
        {
            return Ok(Some(Answer::empty(StatusCode::NOT_MODIFIED).with_header(header::ETAG, tag)));
        }
        Ok(None)
    }

    /// The part that is wanted of a body of `size_bytes` with that tag. A range that is not understood, that is one of
    /// several, or that belongs to another state of the body, is as good as none.
    ///
    /// Errors: 416 where it lies outside.
    pub(super) fn part(&self, tag: &str, size_bytes: u64) -> ApiResult<Part> {
        let Some(range) = &self.range else { return Ok(Part::Whole) };
        if self.if_range.as_ref().is_some_and(|state| state != tag) {
            return Ok(Part::Whole);
        }
        let Some(spec) = range.strip_prefix("bytes=").map(str::trim) else { return Ok(Part::Whole) };
        let Some((first, last)) = spec.split_once('-') else { return Ok(Part::Whole) };
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            // Longer ones than 64 bits hold are past every end.
            is_number.then(|| text.parse().unwrap_or(u64::MAX))
        };
        let bytes = match (number(first), number(last)) {
            (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size_bytes),
            (Some(first), None) if last.is_empty() => first..size_bytes,
            (None, Some(n)) if first.is_empty() => size_bytes.saturating_sub(n)..size_bytes,
            _ => return Ok(Part::Whole),
        };
        if bytes.is_empty() {
            return Err(ApiError::RangeNotSatisfiable { size_bytes });
        }
        Ok(Part::Bytes(bytes))
    }
}

fn any_tag(list: &str, is_match: impl Fn(&str) -> bool) -> bool {
    list.split(',').map(str::trim).any(is_match)
}

/// Marks an answer as that part of a body of `size_bytes`; its body must be the part alone.
pub(super) fn mark_part(answer: Answer, part: &Part, size_bytes: u64) -> Answer {
    match part {
        Part::Whole => answer,
        Part::Bytes(bytes) => {
            let range = format!("bytes {}-{}/{size_bytes}", bytes.start, bytes.end.saturating_sub(1));
            let mut answer = answer.with_header(header::CONTENT_RANGE, range);
            answer.status = StatusCode::PARTIAL_CONTENT;
            answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(range: &str, if_range: Option<&str>) -> Result<Part, u16> {
        let conditions = Conditions {
            range: Some(range.to_owned()),
            if_range: if_range.map(str::to_owned),
            ..Conditions::default()
        };
        conditions.part("\"tag\"", 100).map_err(|error| error.status().as_u16())
    }

    #[test]
    fn ranges_are_taken_by_the_book() {
        assert_eq!(part("bytes=0-9", None), Ok(Part::Bytes(0..10)));
        assert_eq!(part("bytes=90-", None), Ok(Part::Bytes(90..100)));
        assert_eq!(part("bytes=90-1000", None), Ok(Part::Bytes(90..100)));
        assert_eq!(part("bytes=-7", None), Ok(Part::Bytes(93..100)));
        assert_eq!(part("bytes=-1000", None), Ok(Part::Bytes(0..100)));
        assert_eq!(part("bytes=100-", None), Err(416));
        assert_eq!(part("bytes=-0", None), Err(416));
        assert_eq!(part("bytes=99999999999999999999-", None), Err(416));
        for ignored in ["bytes=5-2", "bytes=a-b", "lines=0-5", "bytes=0-1,5-6", "bytes=-", "bytes=--5", "bytes=+1-2"] {
            assert_eq!(part(ignored, None), Ok(Part::Whole), "{ignored}");
        }
    }

    #[test]
    fn a_range_of_another_state_is_none() {
        assert_eq!(part("bytes=0-9", Some("\"tag\"")), Ok(Part::Bytes(0..10)));
        assert_eq!(part("bytes=0-9", Some("\"other\"")), Ok(Part::Whole));
    }

    #[test]
    fn tags_decide() {
        let none_match = |list: &str| Conditions { if_none_match: Some(list.to_owned()), ..Conditions::default() };
        assert!(none_match("\"a\", W/\"b\"").decide("\"b\"").unwrap().is_some());
        assert!(none_match("*").decide("\"b\"").unwrap().is_some());
        assert!(none_match("\"a\"").decide("\"b\"").unwrap().is_none());
        let matches = |list: &str| Conditions { if_match: Some(list.to_owned()), ..Conditions::default() };
        assert!(matches("\"b\"").decide("\"b\"").unwrap().is_none());
        assert_eq!(matches("\"a\"").decide("\"b\"").err().unwrap().status(), 412);
    }
}
