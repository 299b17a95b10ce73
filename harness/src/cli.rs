//! The command line as types. Knows words and their help; does nothing.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use wire::Duration;

use crate::on::{On, Speed};
use crate::run::nic::cables::NicOptions;

/// Write the packets, run any TCP/IP implementation on a wire, prove every frame byte for byte.
#[derive(Debug, Parser)]
#[command(
    name = "wireproof",
    version,
    arg_required_else_help = true,
    after_help = "Exit code: 0 all holds; 1 a difference or a finding; 2 could not do the job."
)]
pub struct Cli {
    /// The folder that holds scenarios/ and golden-pcaps/ [default: the nearest parent with both]
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run scenarios and judge every frame they emit
    Run(Run),
    /// Accept what a run emits as the golden
    Bless(Bless),
    /// Change every frame of scenarios' runs and show that the judge objects to each change
    Bite(Bite),
    /// Feed every frame of a capture to one node, and judge what it emits
    Inject(Inject),
    /// Judge captures from anywhere by every check
    Check(Check),
    /// Show a capture in words
    Show(Show),
    /// Compare two captures field by field
    Diff(Diff),
    /// Bring scenario files into the canonical form
    Fmt(Fmt),
    /// List the scenarios
    List(List),
    /// List the kinds of nodes, their options and the faults that can be planted
    Nodes,
    /// List the checks with their clauses, or explain a check or a requirement
    Explain(Explain),
    /// Has become `explain`
    #[command(hide = true)]
    Checks,
    /// Print the JSON Schema of scenario files
    Schema,
    /// Tell what this machine can run
    Doctor,
    /// Build the kernel modules for guests, or list those that are built
    Modules(Modules),
    /// Make scenarios/ and golden-pcaps/ with a first scenario and its golden
    Init(Init),
    /// Print the completions of a shell
    Completions(Completions),
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person
    #[default]
    Text,
    /// One JSON document
    Json,
    /// JUnit XML
    Junit,
}

/// `wireproof run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Ids (rst/fin-then-rst), last parts, folders (rst), patterns (rst/*fin*), files; none: all
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// The wire to run on
    #[arg(long, value_enum, default_value_t, value_name = "WIRE")]
    pub on: On,
    /// Put another kind in a node's place: NODE=KIND[,option=value]…, with mac= and ip=, or
    /// PORT.mac= and PORT.ip= where it has several ports
    #[arg(long, value_name = "NODE=KIND[,k=v]")]
    pub swap: Vec<String>,
    /// Write the capture, with its comments, to FILE (- for standard output), or one each into a
    /// folder that is there
    #[arg(short, long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// The form of the report
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub format: Format,
    /// Show the frames as a ladder, with notes, events and link losses
    #[arg(short, long)]
    pub verbose: bool,
    /// Judge by rules and expectations alone; the report says that no golden was compared
    #[arg(long)]
    pub no_golden: bool,
    /// Hold every node to the golden's bytes, also another implementation, which else chooses for
    /// itself what no check and no step fixes
    #[arg(long, conflicts_with = "no_golden")]
    pub strict: bool,
    /// Only scenarios that ask what any host must do, by the clause that their `any-host` names.
    /// With --on nic it answers the device's ARP, waits a second for what a step expects, and asks
    /// before the first IPv6 scenario whether the device has IPv6
    #[arg(long)]
    pub any_host: bool,
    /// How many scenarios run at the same time [default: the number of cores]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,
    /// For a device at the other end of a cable.
    #[command(flatten)]
    pub nic: Nic,
}

/// What `run --on nic` takes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "With --on nic")]
pub struct Nic {
    /// The interface with the cable; where there are several, NODE=IFACE or NODE:PORT=IFACE with
    /// a node at one of its ends, once each
    #[arg(long, value_name = "IFACE")]
    pub iface: Vec<String>,
    /// The nodes that are ours; all others are the device [default: the testers and senders]
    #[arg(long, value_name = "NODE,…", value_delimiter = ',')]
    pub node: Vec<String>,
    /// Addresses of a node, in place of the scenario's: NODE=mac=…,ip=…, or NODE=PORT.mac=… where
    /// it has several ports; no golden is compared then. Or what the device is, for the checks:
    /// NODE=role=host,open=80, role=closed, role=silent, role=forwarder,reject=23, role=unknown.
    /// `device` and `us` are NODE too, where one node stands at that end
    #[arg(long, value_name = "NODE=mac=…,ip=…,role=…")]
    pub address: Vec<String>,
    /// What the device does not have: scenarios that need it are not run
    #[arg(long, value_enum, value_name = "WHAT")]
    pub without: Vec<Without>,
    /// How long to listen on after the last step [default: 50ms]
    #[arg(long, value_name = "TIME", value_parser = scenario::duration)]
    pub settle: Option<Duration>,
    /// Wait at least so long for a frame that a step expects
    #[arg(long, value_name = "TIME", value_parser = scenario::duration)]
    pub patience: Option<Duration>,
    /// Answer the device when it asks by ARP or neighbour discovery for our nodes' Ethernet
    /// addresses; such frames are counted and no part of the capture
    #[arg(long)]
    pub arp: bool,
    /// Use an interface that carries a default route
    #[arg(long)]
    pub i_know: bool,
}

/// What a device may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Without {
    /// The Internet Protocol, version 6
    Ipv6,
}

impl Nic {
    /// The words as the wire takes them.
    #[must_use]
    pub fn options(&self) -> NicOptions {
        NicOptions {
            iface: self.iface.clone(),
            node: self.node.clone(),
            address: self.address.clone(),
            without_ip6: self.without.contains(&Without::Ipv6),
            settle: self.settle,
            timeout: self.patience,
            arp: self.arp,
            i_know: self.i_know,
        }
    }

    /// The words that were given, as one would type them.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let time = |time: Duration| crate::text::duration(time);
        let word = |flag: &'static str| {
            move |word: &String| format!("{flag} {}", crate::text::shell(word))
        };
        let mut flags: Vec<String> = self.iface.iter().map(word("--iface")).collect();
        if !self.node.is_empty() {
            flags.push(word("--node")(&self.node.join(",")));
        }
        flags.extend(self.address.iter().map(word("--address")));
        flags.extend(self.without.iter().map(|Without::Ipv6| "--without ipv6".to_owned()));
        flags.extend(self.settle.map(|settle| format!("--settle {}", time(settle))));
        flags.extend(self.patience.map(|patience| format!("--patience {}", time(patience))));
        let switches = [(self.arp, "--arp"), (self.i_know, "--i-know")];
        flags.extend(switches.iter().filter(|(on, _)| *on).map(|(_, flag)| (*flag).to_owned()));
        flags
    }
}

/// `wireproof bless`.
#[derive(Debug, Args)]
pub struct Bless {
    /// Ids, as for run
    #[arg(value_name = "ID", required_unless_present_any = ["all", "reviewed"])]
    pub ids: Vec<String>,
    /// Bless every scenario
    #[arg(long, conflicts_with = "ids")]
    pub all: bool,
    /// The wire to run on: a scenario with a running kernel takes veth
    #[arg(long, value_enum, default_value_t, value_name = "WIRE")]
    pub on: On,
    /// Accept what another kind emits in a node's place, as a reference: NODE=KIND[,option=value]…
    #[arg(long, value_name = "NODE=KIND[,k=v]")]
    pub swap: Vec<String>,
    /// Only carry out what `cargo insta review` accepted or rejected
    #[arg(long, conflicts_with_all = ["ids", "all"])]
    pub reviewed: bool,
}

/// `wireproof bite`.
#[derive(Debug, Args)]
pub struct Bite {
    /// Ids, as for run; none: all
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Show each scenario with its number of changes
    #[arg(short, long)]
    pub verbose: bool,
    /// How many scenarios are bitten at the same time [default: the number of cores]
    #[arg(short, long, value_name = "N")]
    pub jobs: Option<std::num::NonZeroUsize>,
}

/// `wireproof inject`.
#[derive(Debug, Args)]
pub struct Inject {
    /// The capture to feed, pcap or pcapng (- for standard input)
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// The node: KIND[,option=value]…, with mac=, ip= (once or more) and the kind's own options;
    /// a kind with several ports takes eth0.mac=, eth1.ip= and so on, and neighbour=IP/MAC for who
    /// is at the other end of a link
    #[arg(long, value_name = "KIND[,k=v]")]
    pub to: String,
    /// What the node is judged as, in place of its kind's role: closed, closed=PORTS, host, silent,
    /// router, reject=PORTS
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    /// The capture of what it emits (- for standard output)
    #[arg(short, long, value_name = "OUT")]
    pub write: Option<PathBuf>,
    /// The wire to run on
    #[arg(long, value_enum, default_value_t, value_name = "WIRE")]
    pub on: On,
    /// How fast frames go in on a real wire: 1 is the capture's own pace, 10 ten times that, max as
    /// fast as they are carried [default: 1]
    #[arg(long, value_name = "N")]
    pub speed: Option<Speed>,
    /// Say of each frame that was not answered why
    #[arg(short, long)]
    pub verbose: bool,
}

/// `wireproof check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The captures, pcap or pcapng, each judged alone (- for standard input)
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What is known of a host: `ADDRESS[/PREFIX][,ADDRESS…][,mac=MAC][,ROLE]`. Roles: closed,
    /// closed=PORTS, host, silent, router, reject=PORTS, tester
    #[arg(long, value_name = "ADDRESS[,ROLE]")]
    pub host: Vec<String>,
    /// Nothing that belongs to the exchanges came before the first frame: what is not in the
    /// capture was not sent
    #[arg(long)]
    pub whole: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t, value_name = "FORM")]
    pub format: Format,
    /// Write a copy with a comment for each finding to FILE (- for standard output), or one each
    /// into a folder that is there
    #[arg(short, long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// List every host
    #[arg(short, long)]
    pub verbose: bool,
}

/// `wireproof show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The capture, pcap or pcapng (- for standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Every field of every layer, with Wireshark's names
    #[arg(short, long)]
    pub verbose: bool,
    /// The bytes as well
    #[arg(short = 'x', long)]
    pub hex: bool,
}

/// `wireproof diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The capture that is expected
    #[arg(value_name = "EXPECTED")]
    pub expected: PathBuf,
    /// The capture to hold against it
    #[arg(value_name = "ACTUAL")]
    pub actual: PathBuf,
    /// Compare the times as well
    #[arg(long)]
    pub time: bool,
    /// Leave aside: interface (names of interfaces), mac (Ethernet addresses), time, a field such
    /// as ip4.id, or a layer such as vlan; a checksum counts then where it is wrong
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',')]
    pub ignore: Vec<String>,
    /// What stands beside what
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub pair: Pair,
}

/// What a comparison holds beside what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Pair {
    /// Frames in the order of the captures
    #[default]
    Place,
    /// Frames of one flow in the flow's order, on whatever interfaces
    Flow,
}

/// `wireproof fmt`.
#[derive(Debug, Args)]
pub struct Fmt {
    /// Ids, as for run; none: all
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Write nothing, and list the files that have another form
    #[arg(long)]
    pub check: bool,
}

/// `wireproof list`.
#[derive(Debug, Args)]
pub struct List {
    /// Ids, as for run; none: all
    #[arg(value_name = "ID")]
    pub ids: Vec<String>,
    /// Show what each scenario cites
    #[arg(short, long)]
    pub verbose: bool,
}

/// `wireproof modules`.
#[derive(Debug, Args)]
pub struct Modules {
    /// What to do with them.
    #[command(subcommand)]
    pub what: ModulesCommand,
}

/// What to do with kernel modules.
#[derive(Debug, Subcommand)]
pub enum ModulesCommand {
    /// Build them, in a folder of your own: wireproof/modules in $XDG_CACHE_HOME or ~/.cache
    Build {
        /// The headers of a kernel, or the tree that it was built in, whose makefiles are run
        /// [default: those of the kernel that guests boot, or else of the newest]
        #[arg(long, value_name = "DIR")]
        headers: Vec<PathBuf>,
    },
    /// List those that are built: for which kernel, and where
    List,
}

/// `wireproof explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A check (rst-ack) or a requirement (MUST-3); none: all checks
    #[arg(value_name = "ID")]
    pub id: Option<String>,
}

/// `wireproof init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder to make it in
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

/// `wireproof completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}
