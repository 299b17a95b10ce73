//! `wireproof inject`: one node, fed every frame of a capture, and judged.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, Result, bail};
use checks::Answers;
use checks::observed::Part;
use indicatif::{ProgressBar, ProgressStyle};
use link::{Address, Datum, Peer};
use nodes::{Home, NodeConfig, PortRule, Registry, Role};
use wire::segment::IpPacket;
use wire::{Capture, LinkType};

use crate::check::part_of;
use crate::cli::Inject;
use crate::inject::Watched;
use crate::judge::facts;
use crate::on::{On, Speed};
use crate::plan::topology;
use crate::report::{EXIT_FINDING, EXIT_HOLDS, injected};
use crate::run;
use crate::spec::NodeSpec;
use crate::streams;
use crate::text::{line, path};

mod gathered;

use gathered::{Gathered, port_of};

/// Fewer frames than this are not worth a bar.
const BAR_FROM: usize = 10_000;

/// More ports are a slip of the pen.
const MOST_PORTS: usize = 64;

/// Feeds a capture to a node; returns the exit code.
///
/// # Errors
/// When the node cannot be made, or a capture not be read or written.
pub fn inject(words: &Inject, registry: &Registry) -> Result<u8> {
    if words.on == On::Nic {
        bail!("inject feeds a node of ours; to a device, `wireproof run --on nic` sends");
    }
    if let Some(target) = &words.write {
        streams::writable(target)?;
    }
    let spec = NodeSpec::parse(&words.to).context("--to")?;
    if registry.get(&spec.kind).is_some_and(|kind| kind.home == Home::Namespace)
        && words.on != On::Veth
    {
        let kind = &spec.kind;
        bail!("--to {}: the kind `{kind}` is a running kernel; it takes --on veth", words.to);
    }
    let file = streams::read_capture(&words.input)?;
    ethernet_alone(&file.capture).with_context(|| words.input.display().to_string())?;
    let config = config(&spec, registry, &file.capture);
    let config = config.with_context(|| format!("--to {}", words.to))?;
    let plan = run::inject::plan(&spec.kind, config, registry, &file.capture);
    let plan = plan.with_context(|| format!("--to {}", words.to))?;
    let node = &plan.nodes[1];
    let answers = answers(words, &node.role)?;
    if words.on == On::Veth {
        // What a stranger wrote is read by now, by a process without the rights of a wire.
        veth::enter()?;
    }
    if let (On::Sim, Some(_)) = (words.on, words.speed) {
        anstream::eprintln!("note: --speed: the simulated wire takes no time to wait for");
    }
    let bar = bar(file.capture.len());
    let mut watched = Watched::default();
    let mut counters = vec![None; file.capture.len()];
    let ports = &node.config.ports;
    let speed = words.speed.unwrap_or(Speed::Times(1.0));
    let port = |name: &str| port_of(ports, name);
    let injected =
        run::inject::inject(words.on, &plan, &file.capture, speed, port, |place, counted| {
            counters[place] = counted.and_then(|counted| watched.grown(counted));
            bar.inc(1);
        });
    bar.finish_and_clear();
    let injected = injected.with_context(|| format!("--to {}", words.to))?;
    let mut feed = Gathered::of(&injected, node, &answers, &file.capture, &counters);
    let report = feed.exchange.judge(ports, &answers);
    if let Some(target) = &words.write {
        feed.comment(&report);
        streams::write_capture(target, &feed.emitted, &feed.comments)?;
    }
    for note in &file.notes {
        streams::warn(&format!("note: {}: {}", path(&words.input), line(note)));
    }
    let text = injected::describe(&node.kind, &feed.exchange, &report, &feed.silent, words.verbose);
    // With the capture on standard output, the report goes where it is still read.
    if words.write.as_deref() == Some(Path::new("-")) {
        streams::warn(text.trim_end());
    } else {
        streams::print(&text)?;
    }
    match injected.broken {
        None if report.findings.is_empty() => Ok(EXIT_HOLDS),
        None => Ok(EXIT_FINDING),
        Some(why) => {
            streams::warn(&format!("error: {why}"));
            Ok(EXIT_FINDING)
        }
    }
}

/// A node takes frames of Ethernet; a header that others lack is not made up.
fn ethernet_alone(capture: &Capture) -> Result<()> {
    let other = capture.iter().map(|(id, ..)| id).find_map(|id| {
        let link = capture.captured(id).link;
        (link != LinkType::Ethernet).then_some((id, link))
    });
    match other {
        None => Ok(()),
        Some((id, link)) => bail!(
            "frame {} is of link type {link}; a node takes frames of Ethernet, and `wireproof \
             check` judges the others",
            id.number()
        ),
    }
}

/// A bar on a terminal, for a capture long enough to watch.
fn bar(length: usize) -> ProgressBar {
    if length < BAR_FROM || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} frames")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style)
}

/// What is expected of the node: by the role given, else by its kind's.
fn answers(words: &Inject, role_of_kind: &Role) -> Result<Answers> {
    let Some(role) = &words.role else { return Ok(facts::answers(role_of_kind)) };
    let (name, ports) = match role.split_once('=') {
        Some((name, ports)) => (name, Some(ports)),
        None => (role.as_str(), None),
    };
    match part_of(name, ports).context("--role")? {
        Part::Judged(answers) => Ok(answers),
        Part::Scripted => bail!("--role tester: the node is what is judged here"),
    }
}

/// How many ports `ethN.mac=` and the like name.
fn named(spec: &NodeSpec) -> usize {
    let number = |name: &String| name.strip_prefix("eth")?.parse::<usize>().ok();
    let last = spec.ports.keys().filter_map(number).filter(|number| *number < MOST_PORTS).max();
    last.map_or(0, |last| last + 1)
}

/// The node's ports, with the addresses of the second node of a scenario where none are given.
fn config(spec: &NodeSpec, registry: &Registry, capture: &Capture) -> Result<NodeConfig> {
    let ports = match registry.get(&spec.kind).map_or(PortRule::Exactly(1), |kind| kind.ports) {
        PortRule::Exactly(count) => count.max(1),
        PortRule::AtLeast(count) => count.max(1).max(named(spec)),
    };
    // A kernel that routes or bridges does so between two.
    let between = matches!(spec.options.get("hook"), Some(Datum::Text(hook))
        if ["forward", "bridge"].contains(&hook.as_str()));
    let ports = if between { ports.max(2) } else { ports };
    let bridges = registry.get(&spec.kind).map(|kind| kind.bridges);
    let given = || bridges.is_some_and(|bridges| bridges(&spec.options)).then(Vec::new);
    let port = |number: u16| topology::config(&format!("eth{number}"), None, given(), number + 1);
    let mut ports: Vec<_> = (0..ports as u16).map(port).collect();
    spec.address(&mut ports)?;
    ports.iter_mut().for_each(|port| port.mtu = Some(1500));
    if ports.len() > 1 {
        // Whoever sends to a port is its neighbour, where no other was named.
        for (_, record, frame) in capture.iter() {
            let place = usize::from(port_of(&ports, capture.interface(record.port)));
            let Some(port) = ports.get_mut(place) else { continue };
            if port.peer.is_none()
                && let Ok(packet) = IpPacket::parse(frame)
                && packet.eth_dst() == port.mac
            {
                let addresses = vec![Address::new(packet.src())];
                port.peer = Some(Peer { mac: packet.eth_src(), addresses });
            }
            if ports.iter().all(|port| port.peer.is_some()) {
                break;
            }
        }
    }
    Ok(NodeConfig { name: spec.kind.clone(), ports, options: spec.options.clone() })
}
