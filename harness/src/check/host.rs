//! A host on the command line: `ADDRESS[/PREFIX][,ROLE]`. Knows text.

use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use checks::Answers;
use checks::observed::{Given, Part};
use wire::{Mac, PortSet};

/// What `--host` says of a host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostSpec {
    /// As it was typed.
    pub word: String,
    /// What it means.
    pub given: Given,
}

/// The roles: name, what it means.
const ROLES: &[(&str, &str)] = &[
    ("closed", "every TCP port is closed: each segment but a reset is answered with a reset"),
    ("closed=PORTS", "these TCP ports are closed, of the others nothing is asked"),
    ("host", "some TCP stack: only what holds in every state is asked (the role of all others)"),
    ("silent", "it emits no answer, ever"),
    ("router", "it passes datagrams on"),
    ("reject=PORTS", "a router that answers TCP to these ports with a reset"),
    ("tester", "what it emits is a test's choice; only the answers to it are judged"),
];

impl HostSpec {
    /// Reads `ADDRESS[/PREFIX][,ADDRESS…][,mac=MAC…][,ROLE]`.
    ///
    /// # Errors
    /// Names the part that means nothing and what would.
    pub fn parse(text: &str) -> Result<Self> {
        let part = Part::Judged(Answers::Unknown);
        let mut given =
            Given { addresses: Vec::new(), broadcasts: Vec::new(), stations: Vec::new(), part };
        let mut role: Option<(&str, Option<String>)> = None;
        let mut ports_go_on = false;
        for word in text.split(',').map(str::trim) {
            let ported = |word: &str| word.bytes().all(|b| b.is_ascii_digit() || b == b'-');
            if let Some((_, Some(ports))) = &mut role
                && ports_go_on
                && !word.is_empty()
                && ported(word)
            {
                *ports += &format!(",{word}");
                continue;
            }
            ports_go_on = false;
            if let Some(mac) = word.strip_prefix("mac=") {
                given.stations.push(mac.parse::<Mac>().with_context(|| format!("`{word}`"))?);
            } else if word.starts_with(|c: char| c.is_ascii_digit()) || word.contains(':') {
                let address = crate::spec::address(word)?;
                given.addresses.push(address.ip);
                // Only a prefix that was given tells of a broadcast address.
                given.broadcasts.extend(word.contains('/').then(|| address.broadcast()).flatten());
            } else if role.is_some() {
                bail!("`{text}`: a host has one role; `{word}` is a second one");
            } else {
                let (name, ports) = match word.split_once('=') {
                    Some((name, ports)) => (name, Some(ports.to_owned())),
                    None => (word, None),
                };
                ports_go_on = ports.is_some();
                role = Some((name, ports));
            }
        }
        if given.addresses.is_empty() && given.stations.is_empty() {
            bail!("`{text}`: a host is ADDRESS[,ROLE], such as 10.0.0.2,closed");
        }
        if let Some((name, ports)) = role {
            given.part = part_of(name, ports.as_deref()).with_context(|| format!("`{text}`"))?;
        }
        Ok(Self { word: text.to_owned(), given })
    }

    /// Reads several, of which no two have an address in common.
    ///
    /// # Errors
    /// As [`HostSpec::parse`], and names the address that two hosts have.
    pub fn parse_all(words: &[String]) -> Result<Vec<Self>> {
        let mut hosts: Vec<Self> = Vec::new();
        for word in words {
            let host = Self::parse(word).context("--host")?;
            let taken = |ip: &&IpAddr| hosts.iter().any(|other| other.given.addresses.contains(ip));
            if let Some(ip) = host.given.addresses.iter().find(taken) {
                bail!("--host {word}: {ip} is given twice; name all of a host in one --host");
            }
            hosts.push(host);
        }
        Ok(hosts)
    }
}

pub(crate) fn part_of(name: &str, ports: Option<&str>) -> Result<Part> {
    let forwards = Answers::Forwards { rejects: PortSet::none(), may_reject: PortSet::all() };
    let set = || ports.map_or(Ok(PortSet::all()), str::parse::<PortSet>);
    Ok(match (name, ports) {
        ("closed", _) => Part::Judged(Answers::ClosedPorts(set()?)),
        ("reject", Some(_)) => {
            Part::Judged(Answers::Forwards { rejects: set()?, may_reject: PortSet::all() })
        }
        ("host", None) => Part::Judged(Answers::Unknown),
        ("silent", None) => Part::Judged(Answers::Never),
        ("router", None) => Part::Judged(forwards),
        ("tester", None) => Part::Scripted,
        _ => {
            let roles: Vec<&str> = ROLES.iter().map(|(name, _)| *name).collect();
            let word = ports.map_or(name.to_owned(), |ports| format!("{name}={ports}"));
            bail!("`{word}` is no role; there are {}", roles.join(", "))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_in_one_word() {
        let host = HostSpec::parse("10.0.0.2/24,fd00::2,mac=02:00:00:00:00:02,closed=1-1024,8080")
            .expect("a host");
        assert_eq!(host.given.addresses.len(), 2);
        assert_eq!(host.given.broadcasts, ["10.0.0.255".parse::<std::net::Ipv4Addr>().unwrap()]);
        assert_eq!(host.given.stations, [Mac([2, 0, 0, 0, 0, 2])]);
        let ports = "1-1024,8080".parse().expect("ports");
        assert_eq!(host.given.part, Part::Judged(Answers::ClosedPorts(ports)));
        let plain = HostSpec::parse("10.0.0.2").expect("a host").given;
        assert_eq!((plain.part, plain.broadcasts), (Part::Judged(Answers::Unknown), vec![]));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, word) in [
            ("", "ADDRESS"),
            ("closed", "ADDRESS"),
            ("10.0.0", "10.0.0`"),
            ("10.0.0.2,open", "`open` is no role; there are closed"),
            ("10.0.0.2,closed,silent", "second"),
            ("10.0.0.2,closed=x", "`x`"),
            ("10.0.0.2,mac=02", "mac=02"),
        ] {
            let error = format!("{:#}", HostSpec::parse(text).unwrap_err());
            assert!(error.contains(word), "{text}: {error}");
        }
        let twice = ["10.0.0.2".to_owned(), "10.0.0.2,closed".to_owned()];
        assert!(HostSpec::parse_all(&twice).unwrap_err().to_string().contains("twice"));
    }
}
