//! The kind `linux`: the running kernel in a node's place. Knows its options; the crate `veth`
//! makes the kernel node.

use std::collections::BTreeMap;

use link::Datum;
use linux::{Hook, Kernel, Reject, Rules};
use nodes::{ConfigError, Kind, NodeConfig, OptionSpec, PortRule, Role};
use wire::PortSet;

/// Its name.
pub const KIND: &str = "linux";

/// What it is told, wherever it runs.
pub(super) const OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "reject",
        takes: "`nft`, `iptables` or `none`",
        default: "nft",
        about: "whose rule rejects; with none the closed port answers",
    },
    OptionSpec {
        name: "hook",
        takes: "`input`, `prerouting`, `ingress` or `forward`",
        default: "input",
        about: "where the rule stands; at forward the kernel routes between its ports",
    },
    OptionSpec {
        name: "ports",
        takes: "ports",
        default: "all",
        about: "TCP destination ports that are rejected; segments to others are dropped",
    },
    OptionSpec {
        name: "rules",
        takes: "lines of nft",
        default: "none",
        about: "rules of your own, before the one that rejects",
    },
    OptionSpec {
        name: "sysctls",
        takes: "texts NAME=VALUE",
        default: "none",
        about: "settings beside the pinned ones, which -v shows, or instead",
    },
    OptionSpec {
        name: "listen",
        takes: "ports",
        default: "none",
        about: "TCP ports that accept; the rule lets them",
    },
    OptionSpec {
        name: "default-route",
        takes: "true or false",
        default: "false",
        about: "sources outside the port's subnets are answered too",
    },
];

/// The kind. Its node is a stand-in that only says that the options are right: on the veth wire a
/// kernel takes its place, and no other wire takes it.
#[must_use]
pub fn kind() -> Kind {
    Kind::new(KIND, "the running kernel, in a namespace of its own (--on veth)", |config, kinds| {
        kernel(config)?;
        let mut stand_in = config.with_options(BTreeMap::new());
        stand_in.ports.truncate(1);
        kinds.build("sink", &stand_in)
    })
    .options(OPTIONS)
    .ports(PortRule::AtLeast(1))
    .role(|config, _| role(config))
}

/// Reads the options.
///
/// # Errors
/// Names the option that is wrong and what would be right.
pub fn kernel(config: &NodeConfig) -> Result<Kernel, ConfigError> {
    let options = config.read();
    let reject = match options.one_of("reject", &["nft", "iptables", "none"])? {
        Some(1) => Reject::Iptables,
        Some(2) => Reject::None,
        _ => Reject::Nft,
    };
    let hook = match options.one_of("hook", &["input", "prerouting", "ingress", "forward"])? {
        Some(1) => Hook::Prerouting,
        Some(2) => Hook::Ingress,
        Some(3) => Hook::Forward,
        _ => Hook::Input,
    };
    if reject == Reject::Iptables && matches!(hook, Hook::Prerouting | Hook::Ingress) {
        let told = "iptables rejects at input and forward only; reject=nft does it everywhere";
        return Err(ConfigError::at("hook", told));
    }
    let ports = options.ports("ports")?.unwrap_or_else(PortSet::all);
    let own = texts(config, "rules")?;
    let sysctls = texts(config, "sysctls")?;
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => {
            let told = format!("`{text}`: a setting is NAME=VALUE, net.ipv4.tcp_sack=0 for one");
            Err(ConfigError::at("sysctls", told))
        }
    };
    let sysctls: Result<Vec<_>, _> = sysctls.into_iter().map(pair).collect();
    let accept = options.ports("listen")?.unwrap_or_default();
    let listen = listening(&accept)?;
    let default_route = options.bool("default-route")?.unwrap_or(false);
    let rules = Rules { reject, hook, ports, accept, own };
    Ok(Kernel { rules, sysctls: sysctls?, listen, default_route })
}

/// A socket is opened for each.
const MOST_LISTENING: usize = 100;

fn listening(ports: &PortSet) -> Result<Vec<u16>, ConfigError> {
    let all: Vec<u16> = ports.ranges().iter().cloned().flatten().collect();
    if all.len() > MOST_LISTENING || all.contains(&0) {
        let told = format!("`{ports}`: at most {MOST_LISTENING} ports accept, from 1 to 65535");
        return Err(ConfigError::at("listen", told));
    }
    Ok(all)
}

/// An option that is a text or a list of texts.
pub(super) fn texts(config: &NodeConfig, name: &str) -> Result<Vec<String>, ConfigError> {
    let text = |datum: &Datum| match datum {
        Datum::Text(text) => Ok(text.clone()),
        _ => Err(ConfigError::at(name, format!("`{name}` is a text or a list of texts"))),
    };
    match config.options.get(name) {
        None => Ok(Vec::new()),
        Some(Datum::List(list)) => list.iter().map(text).collect(),
        Some(one) => text(one).map(|text| vec![text]),
    }
}

/// What the checks may expect: rules of the user's own and listening ports change it.
fn role(config: &NodeConfig) -> Role {
    kernel(config).map_or(Role::Other, |kernel| role_of(&kernel))
}

/// The same of a kernel.
pub(super) fn role_of(Kernel { rules, listen, .. }: &Kernel) -> Role {
    if !rules.own.is_empty() || !listen.is_empty() {
        return Role::Other;
    }
    match (rules.reject, rules.hook) {
        (Reject::None, _) => Role::Other,
        (_, Hook::Input) => Role::ClosedPort { ports: rules.ports.clone() },
        (_, Hook::Forward) => Role::Forwarder { reject: rules.ports.clone() },
        _ => Role::Other,
    }
}

/// What of a kernel speaks, in words: `nft at input`.
pub(super) fn speaks(kernel: &Kernel) -> String {
    let hook = match kernel.rules.hook {
        Hook::Input => "input",
        Hook::Prerouting => "prerouting",
        Hook::Ingress => "ingress",
        Hook::Forward => "forward",
    };
    match kernel.rules.reject {
        Reject::Nft => format!("nft at {hook}"),
        Reject::Iptables => format!("iptables at {hook}"),
        Reject::None => "its closed port".to_owned(),
    }
}

/// Who a running kernel is, for the report.
pub(super) fn who(kernel: &Kernel) -> String {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("running kernel {} ({})", release.trim(), speaks(kernel))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(options: &[(&str, &str)]) -> Result<Kernel, ConfigError> {
        let text =
            |(name, value): &(&str, &str)| ((*name).to_owned(), Datum::Text((*value).into()));
        let options = options.iter().map(text).collect();
        kernel(&NodeConfig { options, ..NodeConfig::default() })
    }

    #[test]
    fn options_are_read() {
        let kernel = with(&[
            ("reject", "iptables"),
            ("hook", "forward"),
            ("ports", "80"),
            ("sysctls", "net.ipv4.tcp_sack=0"),
        ]);
        let kernel = kernel.unwrap();
        assert_eq!((kernel.rules.reject, kernel.rules.hook), (Reject::Iptables, Hook::Forward));
        assert!(kernel.rules.ports.contains(80) && !kernel.rules.ports.contains(81));
        assert_eq!(kernel.sysctls, [("net.ipv4.tcp_sack".to_owned(), "0".to_owned())]);
        assert_eq!(with(&[]).unwrap().rules.reject, Reject::Nft);
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value, word) in [
            ("reject", "pf", "pf"),
            ("hook", "output", "output"),
            ("ports", "eighty", "eighty"),
            ("sysctls", "net.ipv4.tcp_sack", "NAME=VALUE"),
            ("listen", "all", "at most 100"),
            ("listen", "0,80", "from 1 to 65535"),
        ] {
            let error = with(&[(name, value)]).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
        let error = with(&[("reject", "iptables"), ("hook", "ingress")]).unwrap_err();
        assert_eq!(error.option.as_deref(), Some("hook"));
    }
}
