//! Addresses to listen on, as people write them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use serde::{Deserialize, Deserializer, de};

/// Reads `127.0.0.1:8000`, `[::1]:8000`, `localhost:8000` and `8000`; the last two are on this machine only.
///
/// Errors: what is expected.
pub fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let here = |port: &str| port.parse().ok().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    let text = text.trim();
    let found = text.parse().ok().or_else(|| here(text)).or_else(|| here(text.strip_prefix("localhost:")?));
    found.ok_or_else(|| match text.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => format!("the port is missing, as in {address}:8000"),
        Ok(IpAddr::V6(address)) => format!("the port is missing, as in [{address}]:8000"),
        Err(_) => {
            "expected ADDRESS:PORT with a numeric address, such as 127.0.0.1:8000 for this machine, 0.0.0.0:8000 for \
                   the network; or PORT, such as 8000"
                .to_owned()
        }
    })
}

/// The same in a configuration file, where a port may be a number.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected an address as text, such as \"127.0.0.1:8000\", or a port")]
    enum Written {
        Port(u16),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Port(port) => Ok(Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))),
        Written::Text(text) => parse_listen(&text).map(Some).map_err(de::Error::custom),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_one_of_this_machine() {
        for (text, expected) in [
            ("8220", "127.0.0.1:8220"),
            ("localhost:8220", "127.0.0.1:8220"),
            ("0.0.0.0:80", "0.0.0.0:80"),
            ("[::1]:8000", "[::1]:8000"),
            (" 127.0.0.1:0 ", "127.0.0.1:0"),
        ] {
            assert_eq!(parse_listen(text).unwrap().to_string(), expected);
        }
        let error = |text: &str| parse_listen(text).unwrap_err();
        assert!(error("0.0.0.0").contains("as in 0.0.0.0:8000"));
        assert!(error("::1").contains("as in [::1]:8000"));
        for text in ["", "70000", "example.org:80", "localhost", ":8000"] {
            assert!(error(text).contains("ADDRESS:PORT"), "{text}");
        }
    }
}
