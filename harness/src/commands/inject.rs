//! `wireproof inject`: one node, fed every frame of a capture.

use ::guest::Pool;
use anyhow::{Context, Result, anyhow, bail};
use link::{Datum, Node, PortIndex};
use nodes::{NodeConfig, PortRule, Registry};
use wire::pcapng::Comments;
use wire::{Capture, Instant, PortId};

use crate::cli::{Inject, Wire};
use crate::panics;
use crate::plan::topology;
use crate::report::{EXIT_FINDING, EXIT_HOLDS};
use crate::run::guest::Standing;
use crate::run::{fed, guest, linux};
use crate::spec::NodeSpec;
use crate::text::{count, line, path};

/// Timers that may run out after the last frame; a node that never rests is left there.
const MOST_TIMEOUTS: usize = 1_000;

/// A node that emits more is left there: it might never end.
const MOST_FRAMES: usize = 1 << 24;

/// Feeds a capture to a node; returns the exit code.
///
/// # Errors
/// When the node cannot be made, or a capture not be read or written.
pub fn inject(words: &Inject, registry: &Registry) -> Result<u8> {
    if words.on == Wire::Nic {
        bail!("inject feeds a node of ours; to a device, `wireproof run --on nic` sends");
    }
    super::writable(&words.write)?;
    let file = super::read_capture(&words.input)?;
    let spec = NodeSpec::parse(&words.to).context("--to")?;
    if spec.kind == linux::KIND && words.on != Wire::Veth {
        bail!("--to {}: the kind `linux` is a running kernel; it takes --on veth", words.to);
    }
    let config = config(&spec, registry).with_context(|| format!("--to {}", words.to))?;
    if words.on == Wire::Veth {
        // What a stranger wrote is read by now, by a process without the rights of a wire.
        veth::enter()?;
    }
    let made = node(&spec.kind, &config, registry, words.on);
    let (node, standing) = made.with_context(|| format!("--to {}", words.to))?;
    let mut feed = Feed::new(node, standing, &config);
    let fed = match words.on {
        Wire::Veth => feed.on_veth(&spec.kind, &config, registry, &file.capture),
        _ => feed.all(&file.capture),
    };
    let standing = feed.standing.take();
    let fed = fed.and_then(|()| standing.map_or(Ok(()), |standing| standing.close(feed.now)));
    super::write_capture(&words.write, &feed.emitted, &feed.comments)?;
    for note in &file.notes {
        super::warn(&format!("note: {}: {}", path(&words.input), line(note)));
    }
    super::warn(&format!(
        "{} fed to {}, {} emitted",
        count(file.capture.len(), "frame"),
        spec.kind,
        count(feed.emitted.len(), "frame")
    ));
    match fed {
        Ok(()) => Ok(EXIT_HOLDS),
        Err(error) => {
            super::warn(&format!("error: {error:#}"));
            Ok(EXIT_FINDING)
        }
    }
}

/// The node, and a guest's standing. On veth it is made there, and here only seen to be makeable.
fn node(
    kind: &str,
    config: &NodeConfig,
    registry: &Registry,
    on: Wire,
) -> Result<(Box<dyn Node>, Option<Standing>)> {
    let node = registry.build(kind, config)?;
    if kind != guest::KIND || on != Wire::Sim {
        return Ok((node, None));
    }
    let mtus = vec![Some(1500); config.ports.len()];
    let (node, standing) = guest::start(config, &mtus, false, &Pool::default())?;
    Ok((Box::new(node), Some(standing)))
}

/// The node's ports, with the addresses of the second node of a scenario where none are given.
fn config(spec: &NodeSpec, registry: &Registry) -> Result<NodeConfig> {
    let ports = match registry.get(&spec.kind).map_or(PortRule::Exactly(1), |kind| kind.ports) {
        PortRule::Exactly(count) | PortRule::AtLeast(count) => count.max(1),
    };
    // A kernel that routes or bridges does so between two.
    let between = matches!(spec.options.get("hook"), Some(Datum::Text(hook))
        if ["forward", "bridge"].contains(&hook.as_str()));
    let ports = if between { ports.max(2) } else { ports };
    let given = || linux::is_bridge(&spec.kind, &spec.options).then(Vec::new);
    let port = |number: u16| topology::config(&format!("eth{number}"), None, given(), number + 1);
    let mut ports: Vec<_> = (0..ports as u16).map(port).collect();
    spec.address(&mut ports)?;
    Ok(NodeConfig { name: spec.kind.clone(), ports, options: spec.options.clone() })
}

/// A node, and what it emitted so far.
struct Feed {
    kind: String,
    node: Box<dyn Node>,
    /// Of a node that is a guest.
    standing: Option<Standing>,
    ports: Vec<String>,
    /// When the capture begins; a guest's time begins there.
    began: Instant,
    now: Instant,
    emitted: Capture,
    comments: Comments,
}

impl Feed {
    fn new(node: Box<dyn Node>, standing: Option<Standing>, config: &NodeConfig) -> Self {
        let mut emitted = Capture::new();
        let ports: Vec<String> = config.ports.iter().map(|port| port.name.clone()).collect();
        for port in &ports {
            emitted.add_interface(format!("{}:{port}", config.name));
        }
        Self {
            kind: config.name.clone(),
            node,
            standing,
            ports,
            began: Instant::ZERO,
            now: Instant::ZERO,
            emitted,
            comments: Comments::new(),
        }
    }

    /// The same through the kernel: another node of the kind, or the kernel itself, is fed.
    fn on_veth(
        &mut self,
        kind: &str,
        config: &NodeConfig,
        registry: &Registry,
        capture: &Capture,
    ) -> Result<()> {
        let fed = fed::feed(kind, config, registry, capture, |name| self.port(name))?;
        (self.emitted, self.comments) = (fed.emitted, fed.comments);
        Ok(())
    }

    /// Every frame at its own time, the timers between, and those that are left at the end.
    fn all(&mut self, capture: &Capture) -> Result<()> {
        self.began = capture.iter().next().map_or(Instant::ZERO, |(_, record, _)| record.time);
        for (id, record, frame) in capture.iter() {
            self.timers(record.time)?;
            self.now = self.now.max(record.time);
            let port = self.port(capture.interface(record.port));
            let trigger = format!("trigger={}", id.number());
            self.input(&trigger, |node, now| node.handle_frame(now, port, frame))?;
        }
        for _ in 0..MOST_TIMEOUTS {
            let Some(due) = self.node.poll_timeout() else { break };
            self.timeout(due)?;
        }
        Ok(())
    }

    fn timers(&mut self, until: Instant) -> Result<()> {
        let mut left = MOST_TIMEOUTS;
        while left > 0
            && let Some(standing) = &self.standing
            && let Some(at) = standing.let_run(Instant::ZERO + (until - self.began))
        {
            left -= 1;
            self.timeout(self.began + (at - Instant::ZERO))?;
        }
        while let Some(due) = self.node.poll_timeout().filter(|due| *due <= until && left > 0) {
            left -= 1;
            self.timeout(due)?;
        }
        Ok(())
    }

    fn timeout(&mut self, due: Instant) -> Result<()> {
        self.now = self.now.max(due);
        self.input("timer", |node, now| node.handle_timeout(now))
    }

    /// The port that a frame goes to: the one its interface is called after, or the first.
    fn port(&self, interface: &str) -> PortIndex {
        let wanted = interface.rsplit(':').next().unwrap_or(interface);
        self.ports.iter().position(|port| port == wanted).unwrap_or(0) as PortIndex
    }

    fn input(&mut self, comment: &str, give: impl FnOnce(&mut dyn Node, Instant)) -> Result<()> {
        let Self { kind, node, now, emitted, comments, .. } = self;
        let caught = panics::caught(|| {
            give(node.as_mut(), *now);
            while emitted.len() < MOST_FRAMES
                && let Some(out) = node.poll_transmit(*now)
            {
                let id = emitted.push(*now, PortId(out.port), out.frame);
                comments.insert(id, vec![comment.to_owned()]);
            }
            while node.poll_event(*now).is_some() {}
        });
        caught.map_err(|words| {
            anyhow!("{kind} panicked at {comment}: {words}; what it emitted before is kept")
        })?;
        if emitted.len() >= MOST_FRAMES {
            bail!("{kind} emitted more than {MOST_FRAMES} frames; it was left at {comment}");
        }
        Ok(())
    }
}
