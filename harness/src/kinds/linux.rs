//! The kind `linux`: the running kernel in a node's place. Knows its options; a wire with
//! namespaces makes the kernel node.

mod fit;
mod label;

use std::collections::BTreeMap;
use std::sync::Arc;

use link::{Datum, PortConfig};
use linux::{Hook, Kernel, Reject, Rules, check_rule, check_setting};
use nodes::{
    ConfigError, Home, Kind, Made, MakeError, NodeConfig, Occupant, OptionSpec, PortRule, Recipe,
    Replaced, Role, Site,
};
use wire::PortSet;

pub(super) use fit::{is_bridge, unfit};
pub(super) use label::answers;

/// Its name.
pub(super) const NAME: &str = "linux";

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
        takes: "`input`, `prerouting`, `ingress`, `forward` or `bridge`",
        default: "input",
        about: "where the rule stands; at forward the kernel routes between its ports, at bridge \
                it joins them by a bridge",
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
    OptionSpec {
        name: "reject-ports",
        takes: "ports",
        default: "all",
        about: "the same as the option ports, for a scenario that names the node's own ports too",
    },
    OptionSpec {
        name: "dnat",
        takes: "lines of nft",
        default: "none",
        about: "rules that translate destinations as packets come in",
    },
    OptionSpec {
        name: "snat",
        takes: "lines of nft",
        default: "none",
        about: "rules that translate sources as packets go out",
    },
];

const HOOKS: [(&str, Hook); 5] = [
    ("input", Hook::Input),
    ("prerouting", Hook::Prerouting),
    ("ingress", Hook::Ingress),
    ("forward", Hook::Forward),
    ("bridge", Hook::Bridge),
];
const REJECTS: [(&str, Reject); 3] =
    [("nft", Reject::Nft), ("iptables", Reject::Iptables), ("none", Reject::None)];

/// The kind.
#[must_use]
pub fn kind() -> Kind {
    Kind::new(NAME, "the running kernel, in a namespace of its own (--on veth)", |config, _| {
        let recipe: Arc<dyn Recipe> = Arc::new(Running(kernel(config)?));
        Ok(recipe)
    })
    .options(OPTIONS)
    .ports(PortRule::AtLeast(1))
    .home(Home::Namespace)
    .takes_over(takes_over)
    .bridges(is_bridge)
}

/// The running kernel as configured.
#[derive(Debug)]
struct Running(Kernel);

impl Recipe for Running {
    fn role(&self) -> Role {
        role_of(&self.0)
    }

    fn lacks(&self) -> Option<String> {
        fit::lacks(&self.0)
    }

    fn unfit(&self, ports: &[PortConfig], linked: &[&PortConfig]) -> Option<ConfigError> {
        unfit(&self.0, ports, linked)
    }

    fn make(&self, _: &Site<'_>) -> Result<Made, MakeError> {
        let occupant = Occupant::Kernel(Box::new(self.0.clone()));
        Ok(Made { occupant, who: Some(label::who(&self.0)), remarks: Vec::new() })
    }
}

/// A kernel in a node's place rejects what the node rejects, and reaches whom it reaches.
pub(super) fn takes_over(
    mut options: BTreeMap<String, Datum>,
    replaced: &Replaced<'_>,
) -> BTreeMap<String, Datum> {
    let written = |name: &str| replaced.options.get(name).cloned();
    let has_rule = options.get("reject") != Some(&Datum::Text("none".to_owned()));
    let names_ports = ["ports", "reject-ports"].iter().any(|name| options.contains_key(*name));
    let takes_ports = has_rule && !names_ports;
    for (theirs, ours, takes) in [
        ("reject", "ports", takes_ports),
        ("default-route", "default-route", !options.contains_key("default-route")),
    ] {
        if let (Some(value), true) = (written(theirs), takes) {
            options.insert(ours.to_owned(), value);
        }
    }
    // Its TTL is a setting of the whole kernel.
    if let (Some(value), false) = (written("ttl"), options.contains_key("sysctls")) {
        let ttl = crate::text::line(&value.to_string());
        let names =
            ["ipv4.ip_default_ttl", "ipv6.conf.all.hop_limit", "ipv6.conf.default.hop_limit"];
        let setting = |name: &str| Datum::Text(format!("net.{name}={ttl}"));
        options.insert("sysctls".to_owned(), Datum::List(names.map(setting).into()));
    }
    // A firewall passes on whatever it is not told to reject.
    if replaced.kind == "firewall" && takes_ports && !options.contains_key("ports") {
        options.insert("ports".to_owned(), Datum::Text("none".to_owned()));
    }
    options
}

/// Reads the options.
///
/// # Errors
/// Names the option that is wrong and what would be right.
pub(super) fn kernel(config: &NodeConfig) -> Result<Kernel, ConfigError> {
    let options = config.read();
    let reject = options.one_of("reject", &REJECTS)?.unwrap_or(Reject::Nft);
    let hook = options.one_of("hook", &HOOKS)?.unwrap_or(Hook::Input);
    let ports = rejected(config)?.unwrap_or_else(PortSet::all);
    let [own, dnat, snat] = ["rules", "dnat", "snat"].map(|name| lines(config, name));
    let accept = options.ports("listen")?.unwrap_or_default();
    let listen = listening(&accept)?;
    let default_route = options.bool("default-route")?.unwrap_or(false);
    let rules = Rules { reject, hook, ports, accept, own: own?, dnat: dnat?, snat: snat? };
    let kernel = Kernel { rules, sysctls: settings(config)?, listen, default_route };
    fit::together(config, &kernel)?;
    Ok(kernel)
}

/// The TCP ports that are rejected, where an option says so, by either of its names.
///
/// # Errors
/// When it is no set of ports, or both are written.
pub(super) fn rejected(config: &NodeConfig) -> Result<Option<PortSet>, ConfigError> {
    let options = config.read();
    match (options.ports("ports")?, options.ports("reject-ports")?) {
        (Some(_), Some(_)) => {
            let text = "`ports` and `reject-ports` are one option by two names; write one of them";
            Err(ConfigError::at("reject-ports", text))
        }
        (ports, other) => Ok(ports.or(other)),
    }
}

/// An option whose texts are rules, each held against what a rule may be.
fn lines(config: &NodeConfig, name: &str) -> Result<Vec<String>, ConfigError> {
    let lines = texts(config, name)?;
    match lines.iter().try_for_each(|line| check_rule(line)) {
        Ok(()) => Ok(lines),
        Err(text) => Err(ConfigError::at(name, text)),
    }
}

/// The settings of the user's: of the node's own network, and nothing else of the machine.
fn settings(config: &NodeConfig) -> Result<Vec<(String, String)>, ConfigError> {
    let pair = |text: String| match text.split_once('=') {
        Some((name, value)) => {
            let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
            let message = check_setting(&name, &value);
            message.map_err(|message| ConfigError::at("sysctls", message))?;
            Ok((name, value))
        }
        None => {
            let text = text.escape_debug();
            let message = format!("`{text}`: a setting is NAME=VALUE, net.ipv4.tcp_sack=0 for one");
            Err(ConfigError::at("sysctls", message))
        }
    };
    texts(config, "sysctls")?.into_iter().map(pair).collect()
}

/// A socket is opened for each.
const MOST_LISTENING: usize = 100;

fn listening(ports: &PortSet) -> Result<Vec<u16>, ConfigError> {
    let all: Vec<u16> = ports.ranges().iter().cloned().flatten().collect();
    if all.len() > MOST_LISTENING || all.contains(&0) {
        let message = format!("`{ports}`: at most {MOST_LISTENING} ports accept, from 1 to 65535");
        return Err(ConfigError::at("listen", message));
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

/// What the checks may expect of a kernel: rules of the user's own and listening ports change it.
pub(super) fn role_of(Kernel { rules, listen, .. }: &Kernel) -> Role {
    // A line of the user's may take a segment away before the rule, so no reset is owed then; and
    // one that matches nothing makes no other node of it.
    let owed = match rules.reject {
        Reject::None => PortSet::default(),
        _ if rules.has_own() => PortSet::default(),
        _ => rules.ports.without(&rules.accept),
    };
    match rules.hook {
        Hook::Forward => {
            let any = rules.has_own();
            let may_reject = if any { PortSet::all() } else { PortSet::none() };
            Role::Forwarder { reject: owed, may_reject }
        }
        Hook::Bridge => Role::Bridge { reject: owed },
        _ if rules.has_own() || !listen.is_empty() || rules.reject == Reject::None => Role::Other,
        Hook::Input => Role::ClosedPort { ports: rules.ports.clone() },
        Hook::Prerouting | Hook::Ingress => Role::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn with(options: &[(&str, &str)]) -> Result<Kernel, ConfigError> {
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
            ("sysctls", "kernel.core_pattern=x", "begin with `net.`"),
            ("sysctls", "net/../kernel/hostname=x", "no name"),
            ("rules", "include \"/etc/passwd\"", "reads a file"),
            ("dnat", "accept; drop", "`;`"),
            ("snat", "} table inet x {", "`}`"),
        ] {
            let error = with(&[(name, value)]).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
        let error = with(&[("reject", "iptables"), ("hook", "ingress")]).unwrap_err();
        assert_eq!(error.option.as_deref(), Some("hook"));
    }
}
