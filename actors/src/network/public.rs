//! Connections to hosts that somebody else has named: only where everybody could connect to.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use actix_rt::net::TcpStream;
use tokio::net::lookup_host;

/// Whether an address is one of the public Internet: not of this machine, of a network of our own, or of a special purpose
/// (IANA's registries of special-purpose addresses).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    let shared = first == 100 && (64..128).contains(&second);
    let assigned = first == 192 && second == 0 && third == 0;
    let benchmark = first == 198 && (18..20).contains(&second);
    !(first == 0
        || first >= 224
        || shared
        || assigned
        || benchmark
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let four = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match segments {
        // Mapped addresses, and those that a translator on the way turns into old ones.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(four(high, low)),
        [0x2002, high, low, ..] => is_public_v4(four(high, low)),
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x3fff, ..] => false,
        // All others that may be given out for everybody.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

/// Connects to `host`, unless any address of it is not public. The address that was judged is the one that is used.
///
/// # Errors
/// There is none, or none that is public, or the connection fails.
pub async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    let found: Vec<_> = lookup_host((host, port)).await?.collect();
    if !found.iter().all(|address| is_public(address.ip())) {
        return Err(io::Error::new(ErrorKind::PermissionDenied, "it leads into a network of this machine's own"));
    }
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in found {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_everybodys_is_not_public() {
        for address in ["8.8.8.8", "100.63.0.1", "172.32.0.1", "2606:4700::1111", "2002:808:808::1", "64:ff9b::808:808"]
        {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "2001:db8::1",
            "2001:1::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "ff02::1",
            "3fff::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[actix_rt::test]
    async fn a_name_that_leads_to_this_machine_is_refused() {
        assert_eq!(connect("localhost", 9).await.unwrap_err().kind(), ErrorKind::PermissionDenied);
    }
}
