//! A node on the command line: `KIND[,option=value]…`, with the names of the scenario file's node
//! fields. Knows text; makes no node.

use std::collections::BTreeMap;
use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use link::{Address, Datum};
use wire::Mac;

/// What `--to` and `--swap` say of a node.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeSpec {
    /// The kind.
    pub kind: String,
    /// `mac=…`.
    pub mac: Option<Mac>,
    /// `ip=…`, given once or more.
    pub addresses: Vec<Address>,
    /// Everything else; an option given twice is a list.
    pub options: BTreeMap<String, Datum>,
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
            match name {
                "mac" if spec.mac.is_some() => bail!("`{part}`: `mac` is given twice"),
                "mac" => spec.mac = Some(value.parse().with_context(|| format!("`{part}`"))?),
                "ip" => spec.addresses.push(address(value)?),
                _ => spec.add(name, Datum::Text(value.to_owned())),
            }
        }
        Ok(spec)
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

/// `10.0.0.1`, `10.0.0.1/24`, `fd00::1`, `fd00::1/64`.
fn address(text: &str) -> Result<Address> {
    let (ip, prefix) = match text.split_once('/') {
        Some((ip, prefix)) => (ip, Some(prefix)),
        None => (text, None),
    };
    let wants = || format!("`{text}`: an address is 10.0.0.1, 10.0.0.1/24 or fd00::1/64");
    let ip: IpAddr = ip.parse().with_context(wants)?;
    let (default, most) = if ip.is_ipv4() { (24, 32) } else { (64, 128) };
    let prefix = prefix.map_or(Ok(default), str::parse::<u8>).with_context(wants)?;
    if prefix > most {
        bail!("{}; its prefix has at most {most} bits", wants());
    }
    Ok(Address { ip, prefix })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_in_one_line() {
        let text = "reject,profile=linux,ip=10.0.0.2,ip=fd00::2/48,mac=02:00:00:00:00:02,a=1,a=2";
        let spec = NodeSpec::parse(text).unwrap();
        assert_eq!(spec.kind, "reject");
        assert_eq!(spec.mac, Some(Mac([2, 0, 0, 0, 0, 2])));
        let prefixes: Vec<u8> = spec.addresses.iter().map(|address| address.prefix).collect();
        assert_eq!(prefixes, [24, 48]);
        assert_eq!(spec.options["profile"], Datum::Text("linux".into()));
        assert!(matches!(&spec.options["a"], Datum::List(values) if values.len() == 2));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("", "KIND"),
            ("profile=linux", "KIND"),
            ("reject,linux", "`linux`"),
            ("reject,mac=02:00", "mac=02:00"),
            ("reject,mac=02:00:00:00:00:02,mac=02:00:00:00:00:03", "twice"),
            ("reject,ip=10.0.0", "10.0.0`"),
            ("reject,ip=10.0.0.1/33", "at most 32"),
        ] {
            let error = format!("{:#}", NodeSpec::parse(text).unwrap_err());
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
