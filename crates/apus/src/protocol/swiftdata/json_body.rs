//! Bodies as the older service reads them: any JSON text, members checked one by one, all faults told at once.
//!
//! Source: pydantic 2.1 behind FastAPI 0.103, whose error items clients may look into.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use serde_json::{Map, Value, json};

use super::error::SwiftdataError;
use crate::{app::App, http::error::ApiError};

/// Longer bodies are parsed on a thread that may block.
const MAX_AT_ONCE_BYTES: usize = 64 << 10;
/// More values than any body needs: long lists stand in texts.
const MAX_VALUES: usize = 10_000;

/// One fault of a body.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    kind: &'static str,
    location: Vec<Value>,
    message: &'static str,
    input: Value,
    /// More about it, for text that is no JSON.
    context: Option<String>,
}

const MISSING: (&str, &str) = ("missing", "Field required");
const STRING: (&str, &str) = ("string_type", "Input should be a valid string");
const INTEGER: (&str, &str) = ("int_type", "Input should be a valid integer");
const INTEGER_TEXT: (&str, &str) =
    ("int_parsing", "Input should be a valid integer, unable to parse string as an integer");
const INTEGER_FRACTION: (&str, &str) =
    ("int_from_float", "Input should be a valid integer, got a number with a fractional part");
const INTEGER_SIZE: (&str, &str) =
    ("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size");
const OBJECT: (&str, &str) =
    ("model_attributes_type", "Input should be a valid dictionary or object to extract fields from");

impl Fault {
    fn new((kind, message): (&'static str, &'static str), location: &[&str], input: Value) -> Self {
        let location = location.iter().map(|&part| part.into()).collect();
        Self { kind, location, message, input, context: None }
    }

    pub(super) fn to_json(&self) -> Value {
        let Self { kind, location, message, input, context } = self;
        if let Some(error) = context {
            json!({"type": kind, "loc": location, "msg": message, "input": input, "ctx": {"error": error}})
        } else {
            let url = format!("https://errors.pydantic.dev/2.1/v/{kind}");
            json!({"type": kind, "loc": location, "msg": message, "input": input, "url": url})
        }
    }
}

/// A body as it came: JSON, nothing, or something that is no JSON by its own account.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum JsonBody {
    /// JSON.
    Json(Value),
    /// No body.
    Absent,
    /// Of another media type.
    Other,
}

impl FromRequest<App> for JsonBody {
    type Rejection = SwiftdataError;

    async fn from_request(request: Request, app: &App) -> Result<Self, SwiftdataError> {
        let is_json = is_json(request.headers());
        let bytes = Bytes::from_request(request, app).await.map_err(|rejection| {
            let limit = app.config.limits.query_bytes;
            match rejection.status() {
                status if status == axum::http::StatusCode::PAYLOAD_TOO_LARGE => {
                    ApiError::too_large(format!("the body has more than {limit} bytes"))
                }
                _ => ApiError::bad_request("the body could not be read"),
            }
        })?;
        match (bytes.is_empty(), is_json) {
            (true, _) => Ok(Self::Absent),
            (false, false) => Ok(Self::Other),
            (false, true) if bytes.len() > MAX_AT_ONCE_BYTES => {
                app.work.run(move |_| parse(&bytes)).await.map(Self::Json)
            }
            (false, true) => parse(&bytes).map(Self::Json),
        }
    }
}

/// A body without a type counts as JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return true };
    let text = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    text == "application/json" || (text.starts_with("application/") && text.ends_with("+json"))
}

fn parse(bytes: &[u8]) -> Result<Value, SwiftdataError> {
    let Some(text) = decode(bytes) else {
        return Err(SwiftdataError::bad_request("There was an error parsing the body"));
    };
    if n_values(&text) > MAX_VALUES {
        return Err(SwiftdataError::bad_request(format!("the body has more than {MAX_VALUES} values")));
    }
    serde_json::from_str(&text).map_err(|error| {
        let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let position = line_start.saturating_add(error.column().saturating_sub(1));
        SwiftdataError::Body(vec![Fault {
            kind: "json_invalid",
            location: vec!["body".into(), position.into()],
            message: "JSON decode error",
            input: json!({}),
            context: Some(error.to_string()),
        }])
    })
}

/// About how many values a JSON text has, each of which takes far more room than its text.
fn n_values(text: &str) -> usize {
    let (mut n, mut is_string, mut is_escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_string => is_escaped = true,
            b'"' => is_string = !is_string,
            b',' | b'[' | b'{' if !is_string => n += 1,
            _ => {}
        }
    }
    n
}

/// UTF-8 with or without a byte order mark, or UTF-16.
fn decode(bytes: &[u8]) -> Option<String> {
    let utf16 = |unit: fn([u8; 2]) -> u16, bytes: &[u8]| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
        rest.is_empty().then(|| String::from_utf16(&units).ok()).flatten()
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        [0xff, 0xfe, rest @ ..] => utf16(u16::from_le_bytes, rest),
        [0xfe, 0xff, rest @ ..] => utf16(u16::from_be_bytes, rest),
        // The first character of a JSON text is ASCII.
        [0, _, ..] => utf16(u16::from_be_bytes, bytes),
        [_, 0, ..] => utf16(u16::from_le_bytes, bytes),
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}

/// The members of an object, taken one by one; every fault is kept.
#[derive(Debug)]
pub(super) struct Members<'a> {
    object: &'a Map<String, Value>,
    location: &'a [&'a str],
    faults: Vec<Fault>,
}

impl<'a> Members<'a> {
    /// The members of `value`, which stands at `location`.
    pub(super) fn of(value: &'a Value, location: &'a [&'a str]) -> Result<Self, SwiftdataError> {
        match value {
            Value::Object(object) => Ok(Self { object, location, faults: Vec::new() }),
            other => Err(SwiftdataError::Body(vec![Fault::new(OBJECT, location, other.clone())])),
        }
    }

    /// What was found, unless there were faults.
    pub(super) fn finish<T>(self, found: Option<T>) -> Result<T, SwiftdataError> {
        match found {
            Some(found) if self.faults.is_empty() => Ok(found),
            _ => Err(SwiftdataError::Body(self.faults)),
        }
    }

    /// A text that must be there.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let value = self.required(name)?;
        match value {
            Value::String(text) => Some(text.clone()),
            other => self.fault(STRING, name, other.clone()),
        }
    }

    /// A text that need not be there; null is as good as nothing.
    pub(super) fn optional_text(&mut self, name: &'static str) -> Option<String> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => self.text(name),
        }
    }

    /// An integer that must be there.
    pub(super) fn integer(&mut self, name: &'static str) -> Option<i64> {
        let value = self.required(name)?.clone();
        match integer(&value) {
            Ok(number) => Some(number),
            Err(kind) => self.fault(kind, name, value),
        }
    }

    /// An integer that need not be there; null is as good as nothing.
    pub(super) fn optional_integer(&mut self, name: &'static str) -> Option<i64> {
        match self.object.get(name) {
            None | Some(Value::Null) => None,
            Some(_) => self.integer(name),
        }
    }

    /// Replaces what the faults say was given in `name`, wherever it is repeated.
    pub(super) fn hide(&mut self, name: &str) {
        for fault in &mut self.faults {
            if fault.location.last().is_some_and(|last| last == name) && fault.input.is_string() {
                fault.input = "**********".into();
            }
            if let Some(value) = fault.input.as_object_mut().and_then(|object| object.get_mut(name)) {
                *value = "**********".into();
            }
        }
    }

    fn required(&mut self, name: &'static str) -> Option<&'a Value> {
        let found = self.object.get(name);
        if found.is_none() {
            self.fault::<()>(MISSING, name, Value::Object(self.object.clone()));
        }
        found
    }

    fn fault<T>(&mut self, kind: (&'static str, &'static str), name: &'static str, input: Value) -> Option<T> {
        let location: Vec<&str> = self.location.iter().copied().chain([name]).collect();
        self.faults.push(Fault::new(kind, &location, input));
        None
    }
}

/// A member that is missing altogether.
pub(super) fn missing(location: &[&str]) -> SwiftdataError {
    SwiftdataError::Body(vec![Fault::new(MISSING, location, Value::Null)])
}

/// A body that is no object.
pub(super) fn no_object(location: &[&str]) -> SwiftdataError {
    SwiftdataError::Body(vec![Fault::new(OBJECT, location, Value::Null)])
}

/// Integers are read leniently: whole floats, texts of digits and booleans count.
fn integer(value: &Value) -> Result<i64, (&'static str, &'static str)> {
    match value {
        Value::Bool(flag) => Ok((*flag).into()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(number),
            (None, Some(x)) if x.fract() != 0.0 => Err(INTEGER_FRACTION),
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53 fits")]
            (None, Some(x)) if x.abs() < 9e15 => Ok(x as i64),
            _ => Err(INTEGER_SIZE),
        },
        Value::String(text) => match text.trim().parse() {
            Ok(number) => Ok(number),
            Err(_)
                if text.trim().trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit())
                    && text.len() > 18 =>
            {
                Err(INTEGER_SIZE)
            }
            Err(_) => Err(INTEGER_TEXT),
        },
        _ => Err(INTEGER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_of_json() {
        // Python: '{"a":"é"}'.encode("utf-8-sig"), .encode("utf-16-le"), .encode("utf-16-be").
        let text = "{\"a\":\"é\"}";
        let with_mark: Vec<u8> = [0xef, 0xbb, 0xbf].into_iter().chain(text.bytes()).collect();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [text.as_bytes().to_vec(), with_mark, little, big] {
            assert_eq!(decode(&bytes).as_deref(), Some(text));
        }
        assert_eq!(decode(b"\"\xff\""), None);
        assert_eq!(decode(&[0, 34, 0]), None);
    }

    #[test]
    fn integers_are_lenient() {
        for (value, expect) in [
            (json!(2), Ok(2)),
            (json!("2"), Ok(2)),
            (json!(2.0), Ok(2)),
            (json!(true), Ok(1)),
            (json!(2.5), Err(INTEGER_FRACTION)),
            (json!("x"), Err(INTEGER_TEXT)),
            (json!([2]), Err(INTEGER)),
            (json!(1e300), Err(INTEGER_SIZE)),
            (json!("99999999999999999999"), Err(INTEGER_SIZE)),
        ] {
            assert_eq!(integer(&value), expect, "{value}");
        }
    }

    #[test]
    fn a_password_is_not_repeated() {
        let body = json!({"password": "wonder"});
        let mut members = Members::of(&body, &["body"]).unwrap();
        members.text("username");
        members.hide("password");
        let faults = format!("{:?}", members.faults);
        assert!(faults.contains("**********") && !faults.contains("wonder"), "{faults}");
    }
}
