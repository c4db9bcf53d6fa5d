//! The `Authorization` header, parsed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, header};
use secrecy::SecretString;

/// The credentials of a request.
#[derive(Debug)]
pub(crate) enum Authorization {
    /// No header, or an empty one.
    Absent,
    /// A header without a scheme or without credentials.
    Incomplete,
    /// `Basic`: a name and a password (or a token as the password).
    Basic {
        /// The name.
        name: String,
        /// The password.
        password: SecretString,
    },
    /// `Bearer`: a JWT or an API token.
    Bearer(SecretString),
    /// Another scheme, malformed `Basic`, or more than one header.
    Unreadable,
}

impl Authorization {
    /// Parses the header. The scheme is case-insensitive (RFC 9110, section 11.1).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Self::Absent };
        if values.next().is_some() {
            return Self::Unreadable;
        }
        let Ok(text) = std::str::from_utf8(value.as_bytes()) else { return Self::Unreadable };
        if text.trim().is_empty() {
            return Self::Absent;
        }
        let Some((scheme, credentials)) = text.split_once(' ') else { return Self::Incomplete };
        let credentials = credentials.trim();
        if scheme.is_empty() || credentials.is_empty() {
            return Self::Incomplete;
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            return Self::Bearer(credentials.to_owned().into());
        }
        if scheme.eq_ignore_ascii_case("basic") {
            return basic(credentials).unwrap_or(Self::Unreadable);
        }
        Self::Unreadable
    }
}

/// Name and password are UTF-8 (RFC 7617), or Latin-1 as older clients send them.
fn basic(credentials: &str) -> Option<Authorization> {
    let bytes = BASE64_STANDARD.decode(credentials).ok()?;
    let text = String::from_utf8(bytes).unwrap_or_else(|e| e.into_bytes().iter().copied().map(char::from).collect());
    let (name, password) = text.split_once(':')?;
    Some(Authorization::Basic { name: name.to_owned(), password: password.to_owned().into() })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn check(header: &str, expect: &str) {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, header.parse().unwrap())]);
        let found = match Authorization::of(&headers) {
            Authorization::Absent => "absent".to_owned(),
            Authorization::Incomplete => "incomplete".to_owned(),
            Authorization::Basic { name, password } => format!("basic {name}|{}", password.expose_secret()),
            Authorization::Bearer(token) => format!("bearer {}", token.expose_secret()),
            Authorization::Unreadable => "unreadable".to_owned(),
        };
        assert_eq!(found, expect, "{header:?}");
    }

    #[test]
    fn reads_what_clients_send() {
        check("", "absent");
        check("Bearer", "incomplete");
        check("Bearer ", "incomplete");
        check("sometoken", "incomplete");
        check("bEARER abc", "bearer abc");
        check("Digest abc", "unreadable");
        // base64 by Python: "alice:wonder", "a:b:c", "é:ü" in UTF-8, "é:ü" in Latin-1, "nocolon".
        check("Basic YWxpY2U6d29uZGVy", "basic alice|wonder");
        check("basic YTpiOmM=", "basic a|b:c");
        check("Basic w6k6w7w=", "basic é|ü");
        check("Basic 6Tr8", "basic é|ü");
        check("Basic bm9jb2xvbg==", "unreadable");
        check("Basic !", "unreadable");
    }

    #[test]
    fn two_headers_are_no_header() {
        let mut headers = HeaderMap::new();
        headers.append(header::AUTHORIZATION, "Bearer a".parse().unwrap());
        headers.append(header::AUTHORIZATION, "Bearer b".parse().unwrap());
        assert!(matches!(Authorization::of(&headers), Authorization::Unreadable));
    }

    #[test]
    fn debug_shows_no_password() {
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, "Basic YWxpY2U6d29uZGVy".parse().unwrap())]);
        assert!(!format!("{:?}", Authorization::of(&headers)).contains("wonder"));
    }
}
