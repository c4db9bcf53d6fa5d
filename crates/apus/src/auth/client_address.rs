//! The address that a request comes from.

use std::net::IpAddr;

use http::HeaderMap;

/// The address that a request counts for: the peer's own, or, if the peer is one of the operator's proxies, the last address in
/// `X-Forwarded-For` that is not one of them. Whatever precedes it in the header is untrusted, and ignored.
pub(crate) fn client_address(peer: Option<IpAddr>, headers: &HeaderMap, proxies: &[IpAddr]) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    if !proxies.contains(&peer) {
        return Some(peer);
    }
    let forwarded: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|v| v.to_str().ok()).collect();
    let mut last = peer;
    for hop in forwarded.iter().flat_map(|v| v.split(',')).rev() {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { return Some(last) };
        last = address.to_canonical();
        if !proxies.contains(&last) {
            return Some(last);
        }
    }
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expect: &str) {
        let proxies = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let headers = forwarded.iter().map(|v| ("x-forwarded-for".parse().unwrap(), v.parse().unwrap())).collect();
        let found = client_address(Some(peer.parse().unwrap()), &headers, &proxies);
        assert_eq!(found, Some(expect.parse().unwrap()));
    }

    #[test]
    fn only_a_proxy_is_believed() {
        check("192.0.2.9", &["198.51.100.1"], "192.0.2.9");
        check("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["203.0.113.5, 198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["203.0.113.5, 198.51.100.1, 10.0.0.2"], "198.51.100.1");
        check("10.0.0.1", &["203.0.113.5", "198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["203.0.113.5, nonsense"], "10.0.0.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("::ffff:10.0.0.1", &["::ffff:198.51.100.1"], "198.51.100.1");
    }
}
