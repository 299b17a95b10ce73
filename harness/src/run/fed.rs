//! One node on the veth wire, fed every frame of a capture at the capture's own pace. Knows frames
//! and ports; no scenario and no golden.

use ::guest::Pool;
use anyhow::{Context, Result};
use link::{Command, Limits, LinkChange, NodeId, PortIndex};
use nodes::{NodeConfig, Registry};
use veth::{LinkSpec, NodeSpec, Occupant};
use wire::pcapng::Comments;
use wire::{Capture, Cause, Instant, Packet, PortId};

use super::{guest, linux};
use crate::on::Speed;

/// What the node emitted, each frame with its trigger in a comment.
#[derive(Debug)]
pub struct Fed {
    /// The frames, with the times of the real clock.
    pub emitted: Capture,
    /// `trigger=N` for the answer to frame N of what was fed.
    pub comments: Comments,
    /// All that crossed: what was fed from the first ports, one for each of the node's, and what
    /// the node emitted from those behind.
    pub all: Capture,
}

/// Feeds a capture to a node of a kind, or to a kernel. `port` says where a frame goes in.
///
/// # Errors
/// When the wire cannot be made, or a frame does not cross it.
pub fn feed(
    kind: &str,
    config: &NodeConfig,
    registry: &Registry,
    input: &Capture,
    speed: Speed,
    port: impl Fn(&str) -> PortIndex,
    mut done: impl FnMut(),
) -> Result<Fed> {
    let mut standing = None;
    let node = match kind {
        linux::KIND => Occupant::Kernel(linux::kernel(config)?),
        guest::KIND => {
            let mtus = vec![Some(1500); config.ports.len()];
            let (node, stands) = guest::start(config, &mtus, true, &Pool::default())?;
            standing = Some(stands);
            let readiness = node.readiness()?;
            Occupant::Apart { node: Box::new(node), readiness }
        }
        kind => Occupant::Ours(registry.build(kind, config)?),
    };
    let ports = config.ports.clone();
    let mouth = NodeConfig { name: "input".into(), ports: ports.clone(), ..NodeConfig::default() };
    let mouth = Occupant::Ours(Registry::standard().build("tester", &mouth)?);
    let links: Vec<LinkSpec> = (0..ports.len() as PortIndex)
        .map(|port| {
            let (ends, settings) = ([(0, port), (1, port)], LinkChange::default());
            LinkSpec { name: format!("link {port}"), ends, settings, steady: true }
        })
        .collect();
    let nodes = vec![
        NodeSpec { name: "input".into(), ports: ports.clone(), node: mouth },
        NodeSpec { name: config.name.clone(), ports, node },
    ];
    let mut wire = veth::lay(0, Limits::default(), nodes, &links)?;
    let start = input.iter().next().map_or(Instant::ZERO, |(_, record, _)| record.time);
    for (id, record, frame) in input.iter() {
        let told = || format!("frame {}", id.number());
        let due = match speed {
            Speed::Times(times) => Instant::ZERO + (record.time - start).div_f64(times),
            Speed::Max => wire.now(),
        };
        while wire.advance(Some(due)).with_context(told)? {}
        let port = port(input.interface(record.port));
        let send = Command::Send { port, packet: Packet::raw(frame.to_vec()) };
        wire.command(NodeId(0), &send, id.0).with_context(told)?;
        done();
    }
    while wire.advance(None)? {}
    if let Some(standing) = standing {
        standing.close(wire.now())?;
    }
    if let Some(panic) = wire.panics().first() {
        anyhow::bail!("the node panicked: {}", panic.message);
    }
    Ok(gathered(config, wire.real_capture()))
}

/// The frames of the node alone, its ports counted from 0.
fn gathered(config: &NodeConfig, all: Capture) -> Fed {
    let (emitted, comments) = (Capture::new(), Comments::new());
    let mut fed = Fed { emitted, comments, all: Capture::new() };
    for port in &config.ports {
        fed.emitted.add_interface(format!("{}:{}", config.name, port.name));
    }
    let first = config.ports.len() as u16;
    for (_, record, frame) in all.iter().filter(|(_, record, _)| record.port.0 >= first) {
        let id = fed.emitted.push(record.time, PortId(record.port.0 - first), frame);
        let comment = match record.cause {
            Cause::Frame(trigger) => match all.record(trigger).cause {
                Cause::Command(number) => format!("trigger={}", number + 1),
                _ => "trigger unknown".to_owned(),
            },
            Cause::Timeout => "timer".to_owned(),
            _ => "of its own accord".to_owned(),
        };
        fed.comments.insert(id, vec![comment]);
    }
    fed.all = all;
    fed
}
