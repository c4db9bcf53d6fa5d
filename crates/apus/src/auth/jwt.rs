//! JSON web tokens: HS256 only, valid for one hour, signed with the service's own key.

use std::time::Duration;

use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use signature::{Signer, Verifier};

use crate::state::now;

/// How long a token is valid.
pub const LIFETIME: Duration = Duration::from_hours(1);

/// The shortest key that is accepted: as long as the signature (RFC 7518, section 3.2).
pub const MIN_KEY_BYTES: usize = 32;

/// The key that tokens are signed with.
pub(crate) struct JwtKey {
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The claims of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims {
    /// The account's name.
    pub(crate) subject: String,
    /// When it was issued, in Unix seconds: its expiry minus [`LIFETIME`].
    pub(crate) issued_at: i64,
}

/// Why a token is not valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwtError {
    /// It is malformed, of another algorithm, signed with another key, or its claims are not acceptable.
    Invalid,
    /// It has expired.
    Expired,
    /// It has no subject.
    NoSubject,
}

/// The claims that are issued, the same as the older service's.
#[derive(Serialize)]
struct Issued<'a> {
    exp: i64,
    sub: &'a str,
}

/// The claims that are checked, as received.
#[derive(Deserialize)]
struct Received {
    #[serde(default)]
    aud: Value,
    #[serde(default)]
    exp: Value,
    #[serde(default)]
    iat: Value,
    #[serde(default)]
    nbf: Value,
    #[serde(default)]
    sub: Value,
}

impl JwtKey {
    /// A key of at least [`MIN_KEY_BYTES`] bytes; `None` for a shorter one.
    pub(crate) fn new(key: &SecretSlice<u8>) -> Option<Self> {
        // An error means that an earlier key of this process installed it.
        let _ = PROVIDER.install_default();
        let bytes = key.expose_secret();
        (bytes.len() >= MIN_KEY_BYTES)
            .then(|| Self { encoding: EncodingKey::from_secret(bytes), decoding: DecodingKey::from_secret(bytes) })
    }

    /// A token for `subject`, valid for [`LIFETIME`] from now.
    pub(crate) fn sign(&self, subject: &str) -> Result<SecretString, Error> {
        let exp = now().saturating_add_unsigned(LIFETIME.as_secs());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &Issued { exp, sub: subject }, &self.encoding)
            .map(Into::into)
    }

    /// The claims of the token, if it is valid. The signature is checked before anything that it covers.
    pub(crate) fn verify(&self, token: &str) -> Result<Claims, JwtError> {
        let mut validation = Validation::new(Algorithm::HS256);
        // The times are checked below: the library would accept a token in the second of its expiry.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        let received = jsonwebtoken::decode::<Received>(token, &self.decoding, &validation);
        received.map_err(|_| JwtError::Invalid)?.claims.check(now())
    }
}

impl Received {
    fn check(self, now: i64) -> Result<Claims, JwtError> {
        let exp = seconds(&self.exp).ok_or(JwtError::Invalid)?;
        if exp <= now {
            return Err(JwtError::Expired);
        }
        for begin in [&self.nbf, &self.iat] {
            if !begin.is_null() && seconds(begin).is_none_or(|t| t > now) {
                return Err(JwtError::Invalid);
            }
        }
        // A token with an audience is meant for another service: this one issues none.
        if !self.aud.is_null() {
            return Err(JwtError::Invalid);
        }
        let subject = match self.sub {
            Value::Null => return Err(JwtError::NoSubject),
            Value::String(s) if s.is_empty() => return Err(JwtError::NoSubject),
            Value::String(s) => s,
            _ => return Err(JwtError::Invalid),
        };
        Ok(Claims { subject, issued_at: exp.saturating_sub_unsigned(LIFETIME.as_secs()) })
    }
}

/// A `NumericDate`, rounded down to whole seconds.
fn seconds(value: &Value) -> Option<i64> {
    if let Some(n) = value.as_i64() {
        return Some(n);
    }
    let x = value.as_f64().filter(|x| x.abs() < 1e15)?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 1e15 fits")]
    let n = x.floor() as i64;
    Some(n)
}

/// HMAC-SHA-256 by `ring`, which the TLS client uses anyway.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => {
            Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))) as Box<dyn JwtSigner>)
        }
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    verifier_factory: |algorithm, key| match algorithm {
        Algorithm::HS256 => {
            Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.try_get_as_bytes()?))) as Box<dyn JwtVerifier>)
        }
        _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    },
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(hmac::Key);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, message).as_ref().to_vec())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, message, signature).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn key(bytes: &[u8]) -> Option<JwtKey> {
        JwtKey::new(&bytes.to_vec().into())
    }

    #[test]
    fn a_short_key_is_refused() {
        assert!(key(&[7; 31]).is_none());
        assert!(key(&[7; 32]).is_some());
    }

    #[test]
    fn a_token_names_its_subject_under_its_own_key_only() {
        let (ours, theirs) = (key(&[7; 32]).unwrap(), key(&[8; 32]).unwrap());
        let token = ours.sign("alice").unwrap();
        let claims = ours.verify(token.expose_secret()).unwrap();
        assert_eq!(claims.subject, "alice");
        assert!((now() - claims.issued_at).abs() < 5);
        assert_eq!(theirs.verify(token.expose_secret()), Err(JwtError::Invalid));
    }

    #[test]
    fn a_token_signed_elsewhere_with_the_same_key_is_read() {
        // Made with Python: hmac.new(b"k" * 32, b"<header>.<claims>", "sha256"), claims {"sub": "x", "exp": 4102444800}.
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJ4IiwiZXhwIjo0MTAyNDQ0ODAwfQ.\
                     fPRxj28f0jGOUnqKhQ1HzwGvaL25J4xwey5tmgT8sSQ";
        let claims = key(&[b'k'; 32]).unwrap().verify(token).unwrap();
        assert_eq!(claims, Claims { subject: "x".into(), issued_at: 4_102_444_800 - 3600 });
    }

    #[test]
    fn claims_are_checked() {
        let check = |claims: Value| serde_json::from_value::<Received>(claims).unwrap().check(1000);
        assert_eq!(check(json!({"sub": "x", "exp": 1001})).unwrap().subject, "x");
        assert_eq!(check(json!({"sub": "x", "exp": 1000})), Err(JwtError::Expired));
        assert_eq!(check(json!({"sub": "x"})), Err(JwtError::Invalid));
        assert_eq!(check(json!({"sub": "x", "exp": "soon"})), Err(JwtError::Invalid));
        assert_eq!(check(json!({"exp": 2000})), Err(JwtError::NoSubject));
        assert_eq!(check(json!({"sub": "", "exp": 2000})), Err(JwtError::NoSubject));
        assert_eq!(check(json!({"sub": 7, "exp": 2000})), Err(JwtError::Invalid));
        assert_eq!(check(json!({"sub": "x", "exp": 2000, "nbf": 1001})), Err(JwtError::Invalid));
        assert_eq!(check(json!({"sub": "x", "exp": 2000, "iat": 1001})), Err(JwtError::Invalid));
        assert_eq!(check(json!({"sub": "x", "exp": 2000, "aud": "y"})), Err(JwtError::Invalid));
        assert_eq!(check(json!({"sub": "x", "exp": 2000, "aud": 7})), Err(JwtError::Invalid));
    }
}
