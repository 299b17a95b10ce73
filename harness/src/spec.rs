//! A node on the command line: `KIND[,option=value]…`, with the names of the scenario file's node
//! fields. Knows text; makes no node.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, Result, anyhow, bail};
use link::{Address, Datum, Peer, PortConfig};
use wire::Mac;
use wire::address::AddressError;

/// What `--to` and `--swap` say of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeSpec {
    /// The kind.
    pub kind: String,
    /// `mac=…` and `ip=…`, for the one port that there is.
    pub port: PortSpec,
    /// `PORT.mac=…` and `PORT.ip=…`, by the port's name.
    pub ports: BTreeMap<String, PortSpec>,
    /// Everything else; an option given twice is a list.
    pub options: BTreeMap<String, Datum>,
}

/// The addresses of one port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PortSpec {
    /// Its Ethernet address.
    pub mac: Option<Mac>,
    /// Its IP addresses, given once or more.
    pub addresses: Vec<Address>,
    /// It has none: `ip=none`.
    pub bare: bool,
    /// Who is at the other end of its link, where no link says so.
    pub neighbour: Option<Peer>,
}

impl NodeSpec {
    /// Reads `KIND[,option=value]…`.
    ///
    /// # Errors
    /// Names the part that is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split(',');
        let kind = parts.next().unwrap_or("").trim().to_owned();
        if kind.is_empty() || kind.contains('=') {
            bail!("`{text}`: a node is KIND[,option=value]…, such as reject,profile=linux");
        }
        let mut spec = Self { kind, ..Self::default() };
        for part in parts {
            let (name, value) = part.split_once('=').with_context(|| {
                format!("`{part}` in `{text}`: an option is name=value, such as profile=linux")
            })?;
            let (name, value) = (name.trim(), value.trim());
            let (port, key) = match name.rsplit_once('.') {
                Some((port, key @ ("mac" | "ip" | "neighbour"))) => (Some(port), key),
                _ => (None, name),
            };
            match (port, key) {
                (None, "mac" | "ip" | "neighbour") => spec.port.add(key, value),
                (Some(port), _) => spec.ports.entry(port.to_owned()).or_default().add(key, value),
                (None, _) => {
                    spec.add(name, Datum::Text(value.to_owned()));
                    Ok(())
                }
            }
            .with_context(|| format!("`{part}`"))?;
        }
        Ok(spec)
    }

    /// The same where links say who is at their other ends.
    ///
    /// # Errors
    /// When a neighbour is named.
    pub fn on_links(self) -> Result<Self> {
        let named = self.port.neighbour.is_some()
            || self.ports.values().any(|port| port.neighbour.is_some());
        if named {
            bail!("`neighbour` goes with inject; here the links say who is at their other ends");
        }
        Ok(self)
    }

    /// Gives a node's ports the addresses that are asked for.
    ///
    /// # Errors
    /// Names the port that is not there, or what to write where a node has several ports.
    pub fn address(&self, ports: &mut [PortConfig]) -> Result<()> {
        let names = ports.iter().map(|port| port.name.as_str()).collect::<Vec<_>>().join(", ");
        if let Some(name) = self.ports.keys().find(|name| ports.iter().all(|p| p.name != **name)) {
            bail!("there is no port `{name}`; its ports are {names}");
        }
        match ports {
            [port] => self.port.give(port),
            [first, ..] if self.port != PortSpec::default() => bail!(
                "`mac` and `ip` are those of a node with one port; the ports of this one are \
                 {names}: write {first}.mac=… and {first}.ip=…",
                first = first.name
            ),
            _ => {}
        }
        for port in ports {
            if let Some(given) = self.ports.get(&port.name) {
                given.give(port);
            }
        }
        Ok(())
    }

    /// It says an address of some port.
    #[must_use]
    pub fn has_addresses(&self) -> bool {
        self.port != PortSpec::default() || !self.ports.is_empty()
    }

    fn add(&mut self, name: &str, value: Datum) {
        match self.options.get_mut(name) {
            None => {
                self.options.insert(name.to_owned(), value);
            }
            Some(Datum::List(values)) => values.push(value),
            Some(first) => *first = Datum::List(vec![first.clone(), value]),
        }
    }
}

impl PortSpec {
    fn add(&mut self, key: &str, value: &str) -> Result<()> {
        match key {
            "mac" if self.mac.is_some() => bail!("`mac` is given twice"),
            "mac" => self.mac = Some(value.parse()?),
            _ if value == "none" => self.bare = true,
            "neighbour" if self.neighbour.is_some() => bail!("`neighbour` is given twice"),
            "neighbour" => self.neighbour = Some(neighbour(value)?),
            _ => self.addresses.push(address(value)?),
        }
        if self.bare && !self.addresses.is_empty() {
            bail!("`ip=none` stands by itself: a port has addresses or none");
        }
        Ok(())
    }

    /// What is not given stays.
    fn give(&self, port: &mut PortConfig) {
        port.mac = self.mac.unwrap_or(port.mac);
        if self.neighbour.is_some() {
            port.peer.clone_from(&self.neighbour);
        }
        if self.bare || !self.addresses.is_empty() {
            port.addresses.clone_from(&self.addresses);
        }
    }
}

/// `10.0.0.1/02:00:00:00:00:01`: an address and the station that has it.
fn neighbour(text: &str) -> Result<Peer> {
    let wants = || format!("`{text}`: a neighbour is IP/MAC, such as 10.0.0.1/02:00:00:00:00:01");
    let (ip, mac) = text.split_once('/').with_context(wants)?;
    let ip: IpAddr = ip.parse().with_context(wants)?;
    Ok(Peer { mac: mac.parse().with_context(wants)?, addresses: vec![Address::new(ip)] })
}

/// `10.0.0.1`, `10.0.0.1/24`, `fd00::1`, `fd00::1/64`.
pub(crate) fn address(text: &str) -> Result<Address> {
    let wants = || format!("`{text}`: an address is 10.0.0.1, 10.0.0.1/24 or fd00::1/64");
    text.parse().map_err(|error| match error {
        AddressError::Ip => anyhow!(wants()),
        AddressError::Prefix(most) => anyhow!("{}; its prefix has at most {most} bits", wants()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_in_one_line() {
        let text = "reject,profile=linux,ip=10.0.0.2,ip=fd00::2/48,mac=02:00:00:00:00:02,a=1,a=2";
        let spec = NodeSpec::parse(text).unwrap();
        assert_eq!(spec.kind, "reject");
        assert_eq!(spec.port.mac, Some(Mac([2, 0, 0, 0, 0, 2])));
        let prefixes: Vec<u8> = spec.port.addresses.iter().map(|address| address.prefix).collect();
        assert_eq!(prefixes, [24, 48]);
        assert_eq!(spec.options["profile"], Datum::Text("linux".into()));
        assert!(matches!(&spec.options["a"], Datum::List(values) if values.len() == 2));
    }

    fn ports(names: &[&str]) -> Vec<PortConfig> {
        let port = |(number, name): (u8, &&str)| PortConfig {
            name: (*name).to_owned(),
            mac: Mac([2, 0, 0, 0, 0, number]),
            addresses: vec![address("10.0.0.1").unwrap()],
            peer: None,
            mtu: None,
        };
        (1..).zip(names).map(port).collect()
    }

    #[test]
    fn ports_are_given_addresses_by_name_and_a_single_one_without() {
        let mut two = ports(&["in", "out.1"]);
        let spec = NodeSpec::parse("sink,out.1.mac=02:00:00:00:00:aa,in.ip=10.9.0.1/16").unwrap();
        spec.address(&mut two).unwrap();
        let mac = |port: &PortConfig| port.mac.0[5];
        let ip = |port: &PortConfig| port.addresses[0].ip.to_string();
        assert_eq!([mac(&two[0]), mac(&two[1])], [1, 0xaa]);
        assert_eq!([ip(&two[0]), ip(&two[1])], ["10.9.0.1", "10.0.0.1"]);
        NodeSpec::parse("sink,in.ip=none").unwrap().address(&mut two).unwrap();
        assert!(two[0].addresses.is_empty() && !two[1].addresses.is_empty());
        let mut one = ports(&["eth0"]);
        NodeSpec::parse("sink,ip=10.9.0.1").unwrap().address(&mut one).unwrap();
        assert_eq!((mac(&one[0]), ip(&one[0]).as_str()), (1, "10.9.0.1"));
        for (spec, names, text) in [
            ("sink,ip=10.9.0.1", &["in", "out"][..], "write in.mac=… and in.ip=…"),
            ("sink,up.ip=10.9.0.1", &["in", "out"], "no port `up`; its ports are in, out"),
            ("sink,in.ip=10.9.0.1", &["eth0"], "no port `in`; its ports are eth0"),
        ] {
            let error = NodeSpec::parse(spec).unwrap().address(&mut ports(names)).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("", "KIND"),
            ("profile=linux", "KIND"),
            ("reject,linux", "`linux`"),
            ("reject,mac=02:00", "mac=02:00"),
            ("reject,mac=02:00:00:00:00:02,mac=02:00:00:00:00:03", "twice"),
            ("reject,a.mac=02:00:00:00:00:02,a.mac=02:00:00:00:00:03", "twice"),
            ("reject,a.ip=10.0.0", "10.0.0`"),
            ("reject,ip=10.0.0", "10.0.0`"),
            ("reject,ip=none,ip=10.0.0.1", "addresses or none"),
            ("reject,ip=10.0.0.1/33", "at most 32"),
        ] {
            let error = format!("{:#}", NodeSpec::parse(text).unwrap_err());
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
