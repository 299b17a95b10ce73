//! The configuration of a guest before a run, as a script for its shell. Knows the crate `linux`'s
//! descriptions and the tools of a guest; runs nothing.

use std::fmt::Write as _;
use std::net::IpAddr;

use linux::{Hook, Kernel, Neighbour, NetConfig, barrier};
use wire::Mac;

use super::Spec;
use crate::error::Error;

/// How long a connection is kept that is never closed: longer than any run.
const NEVER_SECS: u32 = 1_000_000;
/// Begins a line of the script's output that is no message but a remark of ours.
const MISSING: &str = "wireproof-missing ";
/// Ends a text that is handed to a program.
const END: &str = "WIREPROOF_END_OF_RULES";

/// Two scripts, and lines for the report once they have run.
#[derive(Debug, Default)]
pub(super) struct Setup {
    /// Before there is any interface: one takes its own settings from the defaults as it comes in.
    pub(super) before: String,
    /// With the interfaces, which are up.
    pub(super) script: String,
    /// A line for each setting: what was set, and the line where the kernel lacks it.
    settings: Vec<(String, String, String)>,
    loaded: Vec<String>,
}

impl Setup {
    /// For interfaces of the names in `interfaces`; `None` stands for a port without a link.
    ///
    /// # Errors
    /// When the rules cannot be written.
    pub(super) fn new(
        spec: &Spec,
        net: &NetConfig,
        interfaces: &[Option<String>],
    ) -> Result<Self, Error> {
        let kernel = &spec.kernel;
        let names: Vec<&str> = interfaces.iter().flatten().map(String::as_str).collect();
        let mut setup = Self { script: "set -e\n".to_owned(), ..Self::default() };
        setup.before += "set -e\n";
        setup.settings(kernel);
        if kernel.rules.hook == Hook::Bridge {
            setup.bridge(&names);
        }
        setup.addresses(net, interfaces);
        setup.rules(kernel, &names)?;
        setup.listen(&kernel.listen, spec.close_after_secs.unwrap_or(NEVER_SECS));
        Ok(setup)
    }

    /// The remarks, from what the script wrote.
    pub(super) fn lines(&self, output: &str) -> Vec<String> {
        let missing: Vec<&str> =
            output.lines().filter_map(|line| line.strip_prefix(MISSING)).collect();
        let setting = |(file, set, lacks): &(String, String, String)| {
            if missing.contains(&file.as_str()) { lacks.clone() } else { set.clone() }
        };
        self.settings.iter().map(setting).chain(self.loaded.iter().cloned()).collect()
    }

    fn settings(&mut self, kernel: &Kernel) {
        let set = "{ echo \"$2\" >\"/proc/sys/$1\"; } 2>/dev/null";
        let may = format!("may() {{ {set} || echo \"{MISSING}$1\"; }}\n");
        let refused = "{ echo \"set $1 to $2: the kernel refuses\"; exit 1; }";
        let must = format!("must() {{ {set} || {refused}; }}\n");
        self.before += &may;
        self.before += &must;
        self.script += &must;
        for setting in kernel.settings() {
            let file = setting.file();
            let word = if setting.must { "must" } else { "may" };
            let line = format!("{word} {} {}\n", quoted(&file), quoted(setting.value));
            // Of the user's own, some are about an interface that has to be there.
            let general = ["/conf/", "/neigh/"].iter().all(|part| {
                file.split_once(part).is_none_or(|(_, rest)| {
                    rest.starts_with("all/") || rest.starts_with("default/")
                })
            });
            let script = if general { &mut self.before } else { &mut self.script };
            script.push_str(&line);
            self.settings.push((file, setting.line(), setting.line_missing()));
        }
    }

    /// Joins the interfaces by a bridge that passes on whatever comes, at once.
    fn bridge(&mut self, interfaces: &[&str]) {
        let mut names = (0..=interfaces.len()).map(|number| format!("bridge{number}"));
        let name = names.find(|name| !interfaces.contains(&name.as_str())).unwrap_or_default();
        let mut batch = format!("link add {name} type bridge forward_delay 0 mcast_snooping 0\n");
        for interface in interfaces {
            let _ = writeln!(batch, "link set {interface} master {name}");
        }
        let _ = writeln!(batch, "link set {name} up");
        let _ = writeln!(self.script, "/bin/ip -batch - <<{END}\n{batch}{END}");
    }

    /// Addresses, neighbours and routes in one run of `ip`.
    fn addresses(&mut self, net: &NetConfig, interfaces: &[Option<String>]) {
        let name = |port: usize| interfaces.get(port).and_then(Option::as_deref).unwrap_or("lo");
        let mut batch = String::new();
        let [a, b, c, d] = barrier::ADDRESS;
        let _ = writeln!(batch, "address add {a}.{b}.{c}.{d}/32 dev lo");
        for (port, own) in &net.addresses {
            let (ip, prefix, dev) = (own.ip, own.prefix, name(*port));
            // As a veth's addresses are given: the broadcast one too, no look for duplicates.
            let more = match ip {
                IpAddr::V4(_) if prefix < 31 => "broadcast +",
                IpAddr::V4(_) => "",
                IpAddr::V6(_) => "nodad",
            };
            let _ = writeln!(batch, "address add {ip}/{prefix} dev {dev} {more}");
        }
        for Neighbour { port, address, mac } in &net.neighbours {
            batch += &neighbour(*address, *mac, name(*port));
        }
        if let Some(port) = net.default_route {
            let _ = writeln!(batch, "-4 route add default dev {0}", name(port));
            let _ = writeln!(batch, "-6 route add default dev {0}", name(port));
        }
        let _ = writeln!(self.script, "/bin/ip -batch - <<{END}\n{batch}{END}");
        // A worker of the kernel adds the route that makes an IPv6 address its own.
        for (_, own) in &net.addresses {
            if let IpAddr::V6(ip) = own.ip {
                let digits = wire::Hex(&ip.octets()).to_string();
                let _ = writeln!(
                    self.script,
                    "until grep -qE '^{digits} 80 .* 80[0-9a-f]{{6}} ' /proc/net/ipv6_route; \
                     do usleep 500; done"
                );
            }
        }
    }

    fn rules(&mut self, kernel: &Kernel, interfaces: &[&str]) -> Result<(), Error> {
        let names: Vec<String> = interfaces.iter().map(|name| (*name).to_owned()).collect();
        let loads = kernel.rules.loads(&names).map_err(|unfit| Error::Plan(unfit.to_string()))?;
        for load in loads {
            if load.text.lines().any(|line| line == END) {
                return Err(Error::Plan(format!("a rule cannot be the line {END}")));
            }
            for program in load.programs {
                crate::Machine::tool(program)?;
                let words = load.arguments.join(" ");
                let _ = writeln!(self.script, "{program} {words} <<'{END}'\n{}{END}", load.text);
            }
            self.loaded.extend(load.shown_lines());
        }
        Ok(())
    }

    /// Programs that accept every connection and send nothing. As many `l` as connections may wait.
    fn listen(&mut self, ports: &[u16], close_after_secs: u32) {
        let many = "l".repeat(128);
        for port in ports {
            let _ = writeln!(
                self.script,
                "nc -{many} -p {port} -e sleep {close_after_secs} >/dev/null 2>&1 &\n\
                 until grep -q ':{port:04X} [0:]* 0A ' /proc/net/tcp6; do\n\
                 kill -0 $! || {{ echo \"nothing listens on port {port}\"; exit 1; }}\n\
                 usleep 500; done"
            );
        }
    }
}

/// The line of `ip -batch` that tells where an address lives.
pub(super) fn neighbour(address: IpAddr, mac: Mac, interface: &str) -> String {
    format!("neighbour replace {address} lladdr {mac} dev {interface} nud permanent\n")
}

/// A word for a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use link::PortConfig;
    use linux::Rules;
    use testing::{both, peer};

    fn port() -> PortConfig {
        PortConfig { peer: peer(1, &["fd00::1"]), ..testing::port(2, &both(2)) }
    }

    #[test]
    fn a_script_says_it_all_and_its_output_says_what_is_missing() {
        let sysctls = vec![
            ("net.ipv4.tcp_sack".to_owned(), "it's".to_owned()),
            ("net.ipv4.conf.eth0.forwarding".to_owned(), "1".to_owned()),
        ];
        let kernel = Kernel { sysctls, listen: vec![80], default_route: true, ..Kernel::default() };
        let spec = Spec { kernel, ..Spec::default() };
        let port = port();
        let net = NetConfig::of([(0, &port)].into_iter(), true);
        let setup = Setup::new(&spec, &net, &[Some("eth0".into())]).unwrap();
        for line in [
            "must 'net/ipv4/conf/eth0/forwarding' '1'",
            "address add 169.254.77.77/32 dev lo",
            "address add 10.0.0.2/24 dev eth0 broadcast +",
            "address add fd00::2/64 dev eth0 nodad",
            "neighbour replace fd00::1 lladdr 02:00:00:00:00:01 dev eth0 nud permanent",
            "-6 route add default dev eth0",
            "nft -I /nonexistent -f - <<'WIREPROOF_END_OF_RULES'",
            "until grep -q ':0050 [0:]* 0A ' /proc/net/tcp6; do",
        ] {
            assert!(setup.script.lines().any(|found| found == line), "{line}\n{}", setup.script);
        }
        for line in ["may 'net/ipv4/tcp_timestamps' '1'", r"must 'net/ipv4/tcp_sack' 'it'\''s'"] {
            assert!(setup.before.lines().any(|found| found == line), "{line}\n{}", setup.before);
        }
        let lines = setup.lines("wireproof-missing net/ipv6/flowlabel_reflect\n");
        assert!(lines.contains(&"net.ipv4.ip_default_ttl = 64".to_owned()));
        assert!(lines.contains(&"net.ipv6.flowlabel_reflect is not there or not to be set".into()));
        assert!(lines.contains(&"nft table inet wireproof {".to_owned()), "{lines:?}");
    }

    #[test]
    fn a_bridge_is_made_by_a_name_that_no_port_has_before_anything_else() {
        let rules = Rules { hook: Hook::Bridge, ..Rules::default() };
        let spec = Spec { kernel: Kernel { rules, ..Kernel::default() }, ..Spec::default() };
        let names = ["bridge0", "right"].map(|name| Some(name.to_owned()));
        let script = Setup::new(&spec, &NetConfig::default(), &names).unwrap().script;
        let at = |line: &str| script.lines().position(|found| found == line);
        let made = at("link add bridge1 type bridge forward_delay 0 mcast_snooping 0");
        assert!(made.is_some() && made < at("link set bridge0 master bridge1"), "{script}");
        assert!(made < at("link set right master bridge1"), "{script}");
    }

    #[test]
    fn a_rule_cannot_end_the_text_of_rules() {
        let rules = Rules { own: vec![format!("x\n{END}\nreboot")], ..Rules::default() };
        let spec = Spec { kernel: Kernel { rules, ..Kernel::default() }, ..Spec::default() };
        assert!(Setup::new(&spec, &NetConfig::default(), &[]).is_err());
    }
}
