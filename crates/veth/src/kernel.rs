//! The running kernel as a node: a namespace whose own stack answers. Frames go in and come out at
//! the other end of its veth pairs; after each frame a fence tells when the kernel is done with it,
//! so that silence is known without waiting. Knows no scenario.

mod fence;
mod rules;
mod settings;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::Arc;

use link::{Command, CommandError, Node, Outbox, PortConfig, PortIndex, Transmit};
use rtnetlink::Handle;
use wire::{Duration, Instant, Mac};

use crate::behind::Shared;
use crate::end::{Arrived, End};
use crate::error::{Error, Tried};
pub use rules::{Hook, Reject, Rules};
pub(crate) use settings::{Ground, listen, pin, settle};

/// A kernel to be put on the wire.
#[derive(Clone, Debug, Default)]
pub struct Kernel {
    /// Its rules.
    pub rules: Rules,
    /// Settings beside the pinned ones, or instead: `net.ipv4.ip_default_ttl` and its value.
    pub sysctls: Vec<(String, String)>,
    /// TCP ports that accept.
    pub listen: Vec<u16>,
    /// Whoever is not on one of its links is reached over the first all the same.
    pub default_route: bool,
}

/// One port of a kernel node.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) config: PortConfig,
    /// The other end of its pair; `None` where it has no link.
    pub(crate) end: Option<Arc<End>>,
    /// Its interface's number in the namespace.
    pub(crate) index: u32,
}

/// The node.
pub(crate) struct Running {
    ports: Vec<Port>,
    shared: Arc<Shared>,
    netlink: Handle,
    out: Outbox,
    arrived: Arrived,
    fences: u32,
    known: BTreeSet<IpAddr>,
    noise: u64,
    default_route: bool,
    _listening: Vec<TcpListener>,
}

impl Running {
    pub(crate) fn new(
        ports: Vec<Port>,
        shared: Arc<Shared>,
        ground: Ground,
        default_route: bool,
    ) -> Self {
        let Ground { netlink, known, listening } = ground;
        Self {
            ports,
            shared,
            netlink,
            out: Outbox::new(),
            arrived: Arrived::new(),
            fences: 0,
            known,
            noise: 0,
            default_route,
            _listening: listening,
        }
    }

    /// The ends behind which it speaks.
    pub(crate) fn ends(&self) -> Vec<Arc<End>> {
        self.ports.iter().filter_map(|port| port.end.clone()).collect()
    }

    /// Waits until it answers on every port, and forgets what it said while it came up.
    pub(crate) fn prove(&mut self) -> Result<(), Error> {
        for port in 0..self.ports.len() {
            let Some(end) = self.ports[port].end.clone() else { continue };
            end.settle();
            let mut pause = Duration::from_micros(100);
            while !self.try_fence(port, &end)? {
                if pause > Duration::from_secs(1) {
                    let told = format!("the kernel behind {} does not answer", end.name);
                    return Err(Error::Late(told));
                }
                self.shared.runtime.block_on(tokio::time::sleep(pause));
                pause *= 2;
            }
        }
        while self.out.pop().is_some() {}
        Ok(())
    }

    /// Sends a fence; true when its answer is there at once.
    fn try_fence(&mut self, port: usize, end: &End) -> Result<bool, Error> {
        self.fences += 1;
        let probe = fence::probe(self.ports[port].config.mac, self.fences);
        if end.send(&probe).is_err() {
            return Ok(false);
        }
        while end.take(&mut self.arrived).tried(format!("receive on {}", end.name))? {
            if fence::is_answer(self.arrived.frame(), self.fences) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns when the kernel has handled all that was sent to this port: it answers in order.
    fn fence(&mut self, port: usize, end: &End) -> Result<(), Error> {
        self.fences += 1;
        let probe = fence::probe(self.ports[port].config.mac, self.fences);
        end.send(&probe).tried(format!("send on {}", end.name))?;
        loop {
            let came = end.wait(&self.shared.runtime, &mut self.arrived);
            if !came.tried(format!("receive on {}", end.name))? {
                let told = format!("the kernel behind {} did not answer in time", end.name);
                return Err(Error::Late(told));
            }
            if fence::is_answer(self.arrived.frame(), self.fences) {
                return Ok(());
            }
            self.keep(port);
        }
    }

    /// Takes what the kernel says on all ports.
    fn gather(&mut self) -> Result<(), Error> {
        for port in 0..self.ports.len() {
            let Some(end) = self.ports[port].end.clone() else { continue };
            while end.take(&mut self.arrived).tried(format!("receive on {}", end.name))? {
                self.keep(port);
            }
        }
        Ok(())
    }

    /// Keeps a frame, unless it is one that a kernel says whenever an interface comes up.
    fn keep(&mut self, port: usize) {
        let frame = self.arrived.frame();
        if fence::is_any_answer(frame) || fence::is_group_report(frame) {
            self.noise += 1;
        } else {
            self.out.push(port as PortIndex, frame);
        }
    }

    fn hear(&mut self, port: usize, frame: &[u8]) -> Result<(), Error> {
        let Some(end) = self.ports.get(port).and_then(|port| port.end.clone()) else {
            return Ok(());
        };
        self.introduce(port, frame);
        end.send(frame).tried(format!("send {} bytes on {}", frame.len(), end.name))?;
        self.fence(port, &end)?;
        self.gather()
    }

    /// Tells the kernel where the source of a frame lives: asking would be a frame of its own.
    fn introduce(&mut self, port: usize, frame: &[u8]) {
        let Some(source) = source(frame).filter(|source| !self.known.contains(source)) else {
            return;
        };
        let Port { config, index, .. } = &self.ports[port];
        let near = config.addresses.iter().any(|own| settings::holds(own, source));
        let written = frame.get(6..12).and_then(|mac| mac.try_into().ok()).map(Mac);
        let mac = config.peer.as_ref().map(|peer| peer.mac).or(written);
        if let Some(mac) = mac.filter(|_| near || self.default_route) {
            self.known.insert(source);
            // A source that no neighbour can have (a broadcast, say) is refused, and rightly so.
            let added = settings::neighbour(&self.netlink, *index, source, mac);
            let _ = self.shared.runtime.block_on(added);
        }
    }
}

/// The source of an IP packet, behind at most one VLAN tag.
fn source(frame: &[u8]) -> Option<IpAddr> {
    let at = if frame.get(12..14) == Some(&[0x81, 0x00]) { 18 } else { 14 };
    match frame.get(at - 2..at)? {
        [0x08, 0x00] => {
            let bytes: [u8; 4] = frame.get(at + 12..at + 16)?.try_into().ok()?;
            Some(IpAddr::V4(Ipv4Addr::from(bytes)))
        }
        [0x86, 0xdd] => {
            let bytes: [u8; 16] = frame.get(at + 8..at + 24)?.try_into().ok()?;
            Some(IpAddr::V6(Ipv6Addr::from(bytes)))
        }
        _ => None,
    }
}

impl Node for Running {
    fn handle_frame(&mut self, _: Instant, port: PortIndex, frame: &[u8]) {
        if let Err(error) = self.hear(usize::from(port), frame) {
            self.shared.trouble(error);
        }
    }

    fn handle_timeout(&mut self, _: Instant) {
        if let Err(error) = self.gather() {
            self.shared.trouble(error);
        }
    }

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        let told = "a kernel takes no commands: what it emits is its answer to frames";
        Err(CommandError(told.to_owned()))
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        let out = self.out.pop()?;
        self.shared.emits();
        Some(out)
    }

    fn counters(&self) -> Vec<(Cow<'static, str>, u64)> {
        vec![("group reports passed over".into(), self.noise)]
    }
}
