//! A device at the other end of a cable under a script: the plan's nodes that are ours are driven,
//! the others are the device's, and time is that of the real clock.

pub mod cables;

use std::borrow::Cow;

use anyhow::{Context, Result};
use link::{Command, NodeFault, NodeId, PortConfig, Seen};
use nodes::{Made, neighbour};
use veth::{Error, NodeSlot};
use wire::{Capture, Duration, Instant};

use self::cables::{Cables, Fit};
use super::veth::stop as veth_stop;
use super::{Backend, Run, Stop, Transcript};
use crate::plan::{LinkStep, Plan};

/// Runs a plan that fits.
///
/// # Errors
/// When a node cannot be made, or an interface not be opened.
pub fn run(plan: &Plan, cables: &Cables, fit: Fit) -> Result<Run> {
    let mut slots = Vec::new();
    for (node, ours) in plan.nodes.iter().zip(&fit.ours) {
        let made = match ours {
            true => {
                let made = node.make(true).and_then(Made::in_process);
                Some(made.with_context(|| node.name.clone())?)
            }
            false => None,
        };
        let (name, ports) = (node.name.clone(), node.config.ports.clone());
        slots.push(NodeSlot { name, ports, node: made });
    }
    let remarks = cables.remarks(plan, &fit);
    let (settle, named, answer) = (cables.settle, fit.named, cables.arp);
    let options = veth::NicOptions { settle, named, answerer: Some(answered), answer };
    let nic = veth::Nic::open(plan.limits, slots, &fit.cables, options)?;
    // What a link does one way is a matter of time as well, or the scenario does not fit.
    let mut at_once = plan.clone();
    at_once.links.iter_mut().for_each(|link| link.toward.clear());
    let Fit { rehearsed, .. } = fit;
    let cabled = Box::new(Cabled { nic, plan, cables, remarks, rehearsed });
    Ok(super::carry_out(&at_once, cabled))
}

/// The answer to whoever asks for the Ethernet address of one of the port's addresses.
fn answered(frame: &[u8], port: &PortConfig, out: &mut Vec<u8>) -> bool {
    neighbour::answer_arp(frame, port, out) || neighbour::answer_nd(frame, port, out)
}

struct Cabled<'a> {
    nic: veth::Nic,
    plan: &'a Plan,
    cables: &'a Cables,
    remarks: Vec<String>,
    rehearsed: Capture,
}

impl Cabled<'_> {
    fn stop(&self, error: Error) -> Stop {
        if matches!(error, Error::Ended(_)) {
            self.cables.end();
        }
        veth_stop(error, self.plan)
    }
}

impl Backend for Cabled<'_> {
    fn now(&self) -> Instant {
        self.nic.now()
    }

    fn command(&mut self, node: NodeId, command: &Command, step: u32) -> Result<(), Stop> {
        self.nic.command(node, command, step).map_err(|error| self.stop(error))
    }

    fn change_link(&mut self, step: &LinkStep) -> Result<(), Stop> {
        let link = &self.plan.links[step.link.index()].name;
        Err(Stop::Refused(format!("{link} is a cable, and nothing of it can be changed")))
    }

    fn advance(&mut self, until: Option<Instant>) -> Result<bool, Stop> {
        self.nic.advance(until).map_err(|error| self.stop(error))
    }

    fn capture(&self) -> &Capture {
        self.nic.capture()
    }

    fn seen(&self) -> &[Seen] {
        self.nic.seen()
    }

    fn faults(&self) -> &[NodeFault] {
        self.nic.faults()
    }

    fn counters(&mut self, node: NodeId) -> Vec<(Cow<'static, str>, u64)> {
        self.nic.counters(node)
    }

    fn late(&self) -> Duration {
        self.nic.late()
    }

    fn least_wait(&self) -> Duration {
        self.cables.timeout
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn pads(&self) -> bool {
        true
    }

    fn close(mut self: Box<Self>) -> (Transcript, Option<Stop>) {
        let stop = self.nic.finish().err().map(|error| self.stop(error));
        let Self { mut nic, plan, remarks, rehearsed, .. } = *self;
        // A device that has no address to send its answer to may have had one.
        let unanswered = (nic.unanswered() > 0).then(|| {
            let times = crate::text::count(nic.unanswered() as usize, "time");
            format!(
                "the device asked {times} for our node's Ethernet address, by ARP or neighbour \
                 discovery, and nobody answered; --arp does"
            )
        });
        let nodes = 0..plan.nodes.len() as u16;
        let ignored = nic.ignored().iter().map(|(kind, count)| (kind.clone(), *count));
        let transcript = Transcript {
            capture: nic.capture().clone(),
            seen: nic.seen().to_vec(),
            notes: nic.notes().to_vec(),
            faults: nic.faults().to_vec(),
            ignored: ignored.collect(),
            counters: nodes.map(|node| nic.counters(NodeId(node))).collect(),
            end: nic.now(),
            real: true,
            remarks,
            rehearsed: Some(rehearsed),
            unanswered,
            ..Transcript::default()
        };
        (transcript, stop)
    }
}
