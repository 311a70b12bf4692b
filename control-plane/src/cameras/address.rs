//! Which hosts a camera's address may name.
//!
//! The edge pulls whatever people type here, so the address must not reach services of the edge itself or of
//! the cloud it may run in (server-side request forgery). Private networks are where cameras are. A name is
//! checked as written only: what it resolves to is known at the edge.

use std::net::{IpAddr, Ipv6Addr};

use server_kit::ApiError;
use url::{Host, Url};

/// Refuses addresses that are no camera's.
pub(super) fn check(url: &Url, allow_loopback: bool) -> Result<(), ApiError> {
    // Its host is a device's code: the device comes to us.
    if url.scheme() == "gb28181" {
        return Ok(());
    }
    let refused = match url.host() {
        Some(Host::Ipv4(ip)) => refused(IpAddr::V4(ip)),
        Some(Host::Ipv6(ip)) => refused(IpAddr::V6(ip)),
        // `rtsp` is no special scheme to the URL parser: it keeps numbers as a name.
        Some(Host::Domain(name)) => match name.parse::<IpAddr>() {
            Ok(ip) => refused(ip),
            Err(_) => refused_name(name),
        },
        None => Some(Refused::Never),
    };
    match refused {
        None => Ok(()),
        Some(Refused::Loopback) if allow_loopback => Ok(()),
        Some(Refused::Loopback) => Err(ApiError::invalid(
            "url",
            "the address is this machine itself; give the camera's own address",
            "该地址指向本机，请填写摄像头自身的地址",
        )),
        Some(Refused::Never) => Err(ApiError::invalid(
            "url",
            "the address cannot be a camera's (link-local, metadata, multicast or unspecified)",
            "该地址不可能是摄像头（链路本地、云元数据、组播或未指定地址）",
        )),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    Loopback,
    Never,
}

fn refused(ip: IpAddr) -> Option<Refused> {
    let ip = ip.to_canonical();
    let link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local() || ip.is_broadcast() || ip.octets()[0] == 0,
        // fd00:ec2::254 is a cloud's metadata service.
        IpAddr::V6(ip) => ip.is_unicast_link_local() || ip == Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    };
    if ip.is_loopback() {
        Some(Refused::Loopback)
    } else if link_local || ip.is_multicast() || ip.is_unspecified() {
        Some(Refused::Never)
    } else {
        None
    }
}

fn refused_name(name: &str) -> Option<Refused> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") || name.starts_with("localhost.") {
        return Some(Refused::Loopback);
    }
    // 2130706433, 0x7f000001, 127.1: other ways to write an address, which resolvers take and people do not.
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|b| b.is_ascii_digit())
        || last.strip_prefix("0x").is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
    (is_number || name.starts_with("metadata.") || name == "metadata").then_some(Refused::Never)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_host(host: &str, allow_loopback: bool) -> bool {
        check(&Url::parse(&format!("rtsp://{host}/stream")).unwrap(), allow_loopback).is_ok()
    }

    #[test]
    fn cameras_are_on_networks_not_on_the_box() {
        for good in ["10.0.0.7", "192.168.1.64:554", "172.16.3.4", "8.8.8.8", "camera-3.site.local", "[fd12::7]"] {
            assert!(check_host(good, false), "{good}");
        }
        let loopback =
            ["127.0.0.1", "127.9.9.9:8554", "localhost", "LOCALHOST.", "a.localhost", "[::1]", "[::ffff:127.0.0.1]"];
        for host in loopback {
            assert!(!check_host(host, false), "{host}");
            assert!(check_host(host, true), "{host}");
        }
        let never = [
            "169.254.169.254",
            "[::ffff:169.254.169.254]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "0.0.0.0",
            "0.1.2.3",
            "[::]",
            "224.0.0.1",
            "255.255.255.255",
            "2130706433",
            "0x7f000001",
            "127.1",
            "0177.0.0.1",
            "metadata.google.internal",
        ];
        for host in never {
            assert!(!check_host(host, true), "{host}");
        }
    }
}
