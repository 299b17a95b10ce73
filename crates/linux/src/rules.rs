//! The rules of a kernel node, as text for `nft` and for `iptables-restore`. Knows those two
//! languages; runs no program.

use std::ops::RangeInclusive;

use wire::PortSet;

use crate::nft_rule::check_rule;

/// Which program's rule rejects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reject {
    /// `nft … reject with tcp reset`.
    #[default]
    Nft,
    /// `iptables … -j REJECT --reject-with tcp-reset`.
    Iptables,
    /// None: the closed port answers.
    None,
}

/// Where the rule stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hook {
    /// Before a packet reaches the host itself.
    #[default]
    Input,
    /// Before it is routed.
    Prerouting,
    /// Where a frame comes in from its interface.
    Ingress,
    /// On the way from one interface to another; the kernel then routes.
    Forward,
    /// Where a frame comes into a bridge, which joins the node's ports.
    Bridge,
}

impl Hook {
    /// Whoever stands there passes on what is not rejected; others drop it.
    #[must_use]
    pub fn passes_on(self) -> bool {
        matches!(self, Self::Forward | Self::Bridge)
    }
}

/// What is rejected, where, by whom.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// By whom.
    pub reject: Reject,
    /// Where.
    pub hook: Hook,
    /// TCP destination ports; what goes to others is dropped, but on the way through.
    pub ports: PortSet,
    /// TCP destination ports that pass, though they are rejected or dropped otherwise.
    pub accept: PortSet,
    /// The user's own lines of nft, before the rule that rejects.
    pub own: Vec<String>,
    /// The user's lines in a chain that translates addresses as packets come in.
    pub dnat: Vec<String>,
    /// The same as packets go out.
    pub snat: Vec<String>,
}

impl Default for Rules {
    fn default() -> Self {
        let (reject, hook) = (Reject::default(), Hook::default());
        let (ports, accept) = (PortSet::all(), PortSet::default());
        let (own, dnat, snat) = (Vec::new(), Vec::new(), Vec::new());
        Self { reject, hook, ports, accept, own, dnat, snat }
    }
}

/// A text of rules and what reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The language, as a reader knows it: `nft` or `iptables`.
    pub language: &'static str,
    /// The programs that are given the text on their standard input, each in turn.
    pub programs: &'static [&'static str],
    /// Their arguments.
    pub arguments: &'static [&'static str],
    /// The Debian package that has them.
    pub package: &'static str,
    /// The rules.
    pub text: String,
}

impl Load {
    fn nft(text: String) -> Self {
        // Where an `include` would look, were one to get so far.
        let arguments: &[&str] = &["-I", "/nonexistent", "-f", "-"];
        Self { language: "nft", programs: &["nft"], arguments, package: "nftables", text }
    }

    /// Rules that a kernel takes only if it can reject at a bridge; with `-c` nft loads nothing.
    #[must_use]
    pub fn bridge_probe() -> Self {
        let rules = Rules { hook: Hook::Bridge, ..Rules::default() };
        let arguments: &[&str] = &["-c", "-f", "-"];
        Self { arguments, ..Self::nft(rules.nft(&[])) }
    }

    /// The rules for a reader, line by line.
    pub fn shown_lines(&self) -> impl Iterator<Item = String> {
        self.text.lines().map(|line| format!("{} {line}", self.language))
    }
}

/// Rules that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);

impl Rules {
    /// The rules as texts to be loaded one after the other, for a node with these interfaces.
    ///
    /// # Errors
    /// When the program that rejects cannot do so at the hook, or a line of the user's is no rule.
    pub fn loads(&self, interfaces: &[String]) -> Result<Vec<Load>, Unfit> {
        let mut loads = Vec::new();
        // Whoever made these rules has checked them; nothing unchecked ever reaches nft.
        self.lines().try_for_each(|line| check_rule(line).map_err(Unfit))?;
        if self.reject == Reject::Nft || self.lines().next().is_some() {
            loads.push(Load::nft(self.nft(interfaces)));
        }
        if self.reject == Reject::Iptables {
            loads.push(Load {
                language: "iptables",
                programs: &["iptables-restore", "ip6tables-restore"],
                arguments: &[],
                package: "iptables",
                text: self.iptables()?,
            });
        }
        Ok(loads)
    }

    /// All lines of the user's.
    fn lines(&self) -> impl Iterator<Item = &String> {
        self.own.iter().chain(&self.dnat).chain(&self.snat)
    }

    /// Lines of the user's decide about packets, beside the rule that rejects or without it.
    #[must_use]
    pub fn has_own(&self) -> bool {
        self.lines().next().is_some()
    }

    fn nft(&self, interfaces: &[String]) -> String {
        let mut body: String = indented(&self.own);
        if self.reject == Reject::Nft {
            let listed = |ports: &PortSet| {
                let range = |r: &RangeInclusive<u16>| format!("{}-{}", r.start(), r.end());
                ports.ranges().iter().map(range).collect::<Vec<_>>().join(", ")
            };
            if !self.accept.is_empty() {
                body += &format!("    tcp dport {{ {} }} accept\n", listed(&self.accept));
            }
            let which = match self.ports == PortSet::all() {
                true => "meta l4proto tcp".to_owned(),
                false => format!("tcp dport {{ {} }}", listed(&self.ports)),
            };
            if !self.ports.is_empty() {
                body += &format!("    {which} reject with tcp reset\n");
            }
            if !self.hook.passes_on() {
                body += "    meta l4proto tcp drop\n";
            }
        }
        let chain = |name: &str, hook: &str| {
            format!("  chain {name} {{\n    type filter hook {hook} priority 0;\n{body}  }}\n")
        };
        let mut chains = match self.hook {
            Hook::Input => chain("rules", "input"),
            Hook::Prerouting => chain("rules", "prerouting"),
            Hook::Forward => chain("rules", "forward"),
            // Of a bridge's hooks those where frames come in are the only ones that can reject.
            Hook::Bridge => chain("rules", "prerouting"),
            // In the family inet too: not every kernel has a reject in the family netdev.
            Hook::Ingress => {
                let at = |(number, name): (usize, &String)| {
                    chain(&format!("rules{number}"), &format!("ingress device \"{name}\""))
                };
                interfaces.iter().enumerate().map(at).collect()
            }
        };
        // Priorities as nft's own names have them, which older versions lack: dstnat and srcnat.
        for (name, hook, priority, lines) in [
            ("destinations", "prerouting", "-100", &self.dnat),
            ("sources", "postrouting", "100", &self.snat),
        ] {
            if !lines.is_empty() {
                let head = format!("    type nat hook {hook} priority {priority};\n");
                chains += &format!("  chain {name} {{\n{head}{}  }}\n", indented(lines));
            }
        }
        let family = if self.hook == Hook::Bridge { "bridge" } else { "inet" };
        format!("table {family} wireproof {{\n{chains}}}\n")
    }

    fn iptables(&self) -> Result<String, Unfit> {
        let chain = match self.hook {
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Prerouting | Hook::Ingress | Hook::Bridge => {
                let reason = "iptables rejects at the hooks input and forward only";
                return Err(Unfit(reason.to_owned()));
            }
        };
        let mut text = "*filter\n".to_owned();
        for range in self.accept.ranges() {
            let (first, last) = (range.start(), range.end());
            text += &format!("-A {chain} -p tcp --dport {first}:{last} -j ACCEPT\n");
        }
        for range in self.ports.ranges() {
            let which = match self.ports == PortSet::all() {
                true => String::new(),
                false => format!(" --dport {}:{}", range.start(), range.end()),
            };
            text += &format!("-A {chain} -p tcp{which} -j REJECT --reject-with tcp-reset\n");
        }
        if !self.hook.passes_on() {
            text += &format!("-A {chain} -p tcp -j DROP\n");
        }
        Ok(text + "COMMIT\n")
    }
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_has_a_table_of_its_family_and_passes_on_what_it_does_not_reject() {
        let rules = Rules {
            hook: Hook::Bridge,
            ports: "80".parse().unwrap(),
            own: vec!["tcp dport 81 drop".into()],
            ..Rules::default()
        };
        let text = rules.nft(&["left".into(), "right".into()]);
        assert!(text.starts_with("table bridge wireproof {"), "{text}");
        assert!(text.contains("type filter hook prerouting"), "{text}");
        let (own, reject) = (text.find("tcp dport 81 drop"), text.find("reject with tcp reset"));
        assert!(own.is_some() && own < reject, "{text}");
        assert!(!text.contains("meta l4proto tcp drop"), "{text}");
        let probe = Load::bridge_probe();
        assert!(
            probe.arguments.contains(&"-c") && probe.text.contains("table bridge"),
            "{probe:?}"
        );
    }

    #[test]
    fn addresses_are_translated_in_chains_of_their_own() {
        let rules = Rules {
            reject: Reject::None,
            hook: Hook::Forward,
            dnat: vec!["tcp dport 80 dnat ip to 10.0.2.1:8080".into()],
            snat: vec!["masquerade".into()],
            ..Rules::default()
        };
        let loads = rules.loads(&[]).unwrap();
        let text = &loads[0].text;
        let (dnat, snat) = (text.find("type nat hook prerouting"), text.find("hook postrouting"));
        assert!(dnat < text.find("dnat ip to") && snat < text.find("masquerade"), "{text}");
        assert!(dnat.is_some() && snat.is_some(), "{text}");
    }

    #[test]
    fn no_line_reaches_nft_unchecked() {
        let line = || vec!["include \"/etc/passwd\"".to_owned()];
        let plain = Rules { reject: Reject::None, ..Rules::default() };
        for rules in [
            Rules { own: line(), ..plain.clone() },
            Rules { dnat: line(), ..plain.clone() },
            Rules { snat: line(), ..plain.clone() },
        ] {
            let error = rules.loads(&[]).unwrap_err().to_string();
            assert!(error.contains("reads a file"), "{error}");
        }
        assert_eq!(plain.loads(&[]).unwrap(), []);
    }

    #[test]
    fn rules_say_which_ports_and_where() {
        let rules = Rules { ports: "80,1000-1024".parse().unwrap(), ..Rules::default() };
        let text = rules.nft(&["eth0".into()]);
        assert!(text.contains("hook input"), "{text}");
        assert!(text.contains("tcp dport { 80-80, 1000-1024 } reject with tcp reset"), "{text}");
        assert!(text.contains("meta l4proto tcp drop"), "{text}");
        let accept: PortSet = "22".parse().unwrap();
        let rules = Rules { accept: accept.clone(), ..Rules::default() };
        let text = rules.nft(&["eth0".into()]);
        let (let_in, reject) = (text.find("{ 22-22 } accept"), text.find("reject with"));
        assert!(let_in.is_some() && let_in < reject, "{text}");
        let rules = Rules { accept, reject: Reject::Iptables, ..Rules::default() };
        let text = rules.iptables().unwrap();
        let (let_in, reject) = (text.find("--dport 22:22 -j ACCEPT"), text.find("-j REJECT"));
        assert!(let_in.is_some() && let_in < reject, "{text}");
        let rules = Rules { hook: Hook::Ingress, ..Rules::default() };
        let text = rules.nft(&["eth0".into(), "b".into()]);
        assert!(text.contains("hook ingress device \"b\""), "{text}");
        let rules = Rules { reject: Reject::Iptables, hook: Hook::Forward, ..Rules::default() };
        let text = rules.iptables().unwrap();
        assert!(text.contains("-A FORWARD -p tcp -j REJECT"), "{text}");
        assert!(!text.contains("DROP"), "{text}");
    }

    #[test]
    fn iptables_has_no_reject_before_routing() {
        let rules = Rules { reject: Reject::Iptables, hook: Hook::Prerouting, ..Rules::default() };
        assert!(rules.iptables().is_err());
    }
}
