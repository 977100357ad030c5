//! Where a machine or a program is reached.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV6};

use super::fault::FaultKind;
use super::reading::Item;

/// The port that Espejo listens at where nothing else is said.
pub const PORT: u16 = 7410;

/// A host and a port: `192.168.1.10:7410`, `SERVIDOR:7410`, `[fe80::1]:7410`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    host: String,
    port: u16,
}

/// A page that can be asked for without encryption: `http://127.0.0.1:9000/health`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url {
    /// Whom to ask.
    pub address: Address,
    /// What for; begins with `/`.
    pub path: String,
}

impl Address {
    /// The address of the machine that is called `host`, at `port`. A name may be any that a network of old machines has, but
    /// has no blanks; `None` for what cannot be one.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Option<Self> {
        let is_label =
            |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
        let is_number = |label: &str| label.chars().all(|c| c.is_ascii_digit());
        let is_ip = host.parse::<IpAddr>().is_ok();
        // Four numbers are an address or a slip, never a name.
        let is_name = host.split('.').all(is_label) && !host.split('.').all(is_number) && host.len() <= 253;
        (port != 0 && (is_ip || is_name)).then(|| Self { host: host.to_owned(), port })
    }

    /// Reads `host:port`. An address of version 6 stands in brackets.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('[') {
            let address: SocketAddrV6 = text.parse().ok()?;
            let (end, _) = text.rsplit_once("]:")?;
            return (address.port() != 0).then(|| Self { host: end[1..].to_owned(), port: address.port() });
        }
        let (host, port) = text.split_once(':')?;
        let is_number = port.chars().all(|c| c.is_ascii_digit());
        Self::new(host, port.parse().ok().filter(|_| is_number)?)
    }

    /// The name or the number of the machine, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port; never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it means the machine on which it is read.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(ip) => ip.is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost"),
        }
    }

    /// Whether it means all addresses of a machine, and so none that another could reach.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified() || ip == Ipv4Addr::BROADCAST)
    }

    /// Whether both mean the same, as far as their text tells.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let host = |address: &Self| match address.host.parse::<IpAddr>() {
            Ok(ip) => ip.to_string(),
            Err(_) => address.host.to_lowercase(),
        };
        self.port == other.port && host(self) == host(other)
    }

    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        Self::parse(text).or_else(|| item.wrong(FaultKind::NoAddress(text.to_owned())))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Url {
    /// Reads `http://host:port/path`; the port is 80 when none is said.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("http://")?;
        let (address, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let is_path = |c: char| c.is_ascii_graphic() && c != '#';
        if !path.chars().all(is_path) {
            return None;
        }
        let address = Address::parse(address).or_else(|| Address::parse(&format!("{address}:80")))?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Some(Self { address, path })
    }

    pub(super) fn read(item: &Item<'_>) -> Option<Self> {
        let text = item.text()?;
        Self::parse(text).or_else(|| item.wrong(FaultKind::NoUrl(text.to_owned())))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.address, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_an_address_and_what_is_not() {
        for good in ["192.168.1.10:7410", "SERVIDOR:7410", "caja_3.tienda.local:1", "CAJA-Ñ:65535", "[fe80::1]:7410"] {
            assert_eq!(Address::parse(good).unwrap().to_string(), good);
        }
        let bad = [
            "",
            "SERVIDOR",
            ":7410",
            "SERVIDOR:",
            "SERVIDOR:0",
            "SERVIDOR:70000",
            "SERVIDOR:+1",
            "a b:1",
            "192.168.1.300:1",
            "192.168.1:1",
            "fe80::1:7410",
            "[fe80::1]",
            "http://x:1",
            "x:1:2",
            "a..b:1",
            "[x]:1",
            "a/b:1",
        ];
        for bad in bad {
            assert_eq!(Address::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_same_place_written_otherwise() {
        let same = |one: &str, other: &str| Address::parse(one).unwrap().is_same(&Address::parse(other).unwrap());
        assert!(same("SERVIDOR:1", "servidor:1") && same("[::1]:1", "[0:0:0:0:0:0:0:1]:1"));
        assert!(!same("SERVIDOR:1", "SERVIDOR:2") && !same("a:1", "b:1"));
        assert!(Address::parse("localhost:1").unwrap().is_local() && Address::parse("127.0.0.5:1").unwrap().is_local());
        assert!(Address::parse("0.0.0.0:1").unwrap().is_unspecified());
    }

    #[test]
    fn pages() {
        let page = |text: &str| Url::parse(text).map(|url| url.to_string());
        assert_eq!(page("http://pos:9000/health?a=1").as_deref(), Some("http://pos:9000/health?a=1"));
        assert_eq!(page("http://127.0.0.1").as_deref(), Some("http://127.0.0.1:80/"));
        assert_eq!(page("http://[::1]/x").as_deref(), Some("http://[::1]:80/x"));
        for bad in ["https://pos/", "pos/health", "http://", "http:///x", "http://pos/a b", "http://pos:0/"] {
            assert_eq!(page(bad), None, "{bad}");
        }
    }
}
