//! A device at the other end of a cable under a script: the plan's nodes that are ours are driven,
//! the others are the device's, and time is that of the real clock.

pub mod cables;

use anyhow::{Context, Result};
use link::{Command, NodeId, PortConfig, Seen, SimError};
use nodes::{Registry, neighbour};
use veth::{Error, Manner, Member};
use wire::{Capture, Duration, Instant};

use self::cables::{Cables, Fit};
use super::script::Script;
use super::{Run, Wire};
use crate::plan::{LinkStep, Plan};

/// Runs a plan that fits.
///
/// # Errors
/// When a node cannot be made, or an interface not be opened.
pub fn run(plan: &Plan, registry: &Registry, cables: &Cables, fit: Fit) -> Result<Run> {
    let mut members = Vec::new();
    for (node, ours) in plan.nodes.iter().zip(&fit.ours) {
        let made = match ours {
            true => {
                Some(registry.build(&node.kind, &node.config).with_context(|| node.name.clone())?)
            }
            false => None,
        };
        let (name, ports) = (node.name.clone(), node.config.ports.clone());
        members.push(Member { name, ports, node: made });
    }
    let remarks = cables.remarks(plan, &fit);
    let (settle, named, answer) = (cables.settle, fit.named, cables.arp);
    let manner = Manner { settle, named, answerer: Some(answered), answer };
    let nic = veth::Nic::plug(plan.limits, members, &fit.cables, manner)?;
    // What a link does one way is a matter of time as well, or the scenario does not fit.
    let mut cabled = plan.clone();
    cabled.links.iter_mut().for_each(|link| link.toward.clear());
    let wire = Cabled { nic, plan, cables, late: None };
    let mut script = Script::new(&cabled, wire);
    let stopped = script.run().err();
    let stopped = stopped.or_else(|| script.wire.finish().err());
    let (begun, failures) = (script.begun, script.failures);
    let (expected, timed) = (script.expected, script.timed);
    let Cabled { mut nic, late, .. } = script.wire;
    // A device that does not know where to send its answer says nothing of whether it had one.
    let late = late.or_else(|| {
        let times = crate::text::count(nic.unanswered() as usize, "time");
        let open = nic.unanswered() > 0 && !failures.is_empty() && stopped.is_none();
        open.then(|| {
            format!(
                "the device asked {times} for our node's Ethernet address, by ARP or neighbour \
                 discovery, and nobody answered; --arp does"
            )
        })
    });
    let nodes = 0..plan.nodes.len() as u16;
    let passed_over = nic.passed_over().iter().map(|(kind, count)| (kind.clone(), *count));
    Ok(Run {
        capture: nic.capture().clone(),
        seen: nic.seen().to_vec(),
        notes: nic.notes().to_vec(),
        panics: nic.panics().to_vec(),
        passed_over: passed_over.collect(),
        counters: nodes.map(|node| nic.counters(NodeId(node))).collect(),
        begun,
        failures,
        expected,
        timed,
        broken: stopped.filter(|_| late.is_none()),
        end: nic.now(),
        inconclusive: late,
        real: true,
        remarks,
        rehearsed: Some(fit.rehearsed),
        ..Run::default()
    })
}

/// The answer to whoever asks for the Ethernet address of one of the port's addresses.
fn answered(frame: &[u8], port: &PortConfig, out: &mut Vec<u8>) -> bool {
    neighbour::answer_arp(frame, port, out) || neighbour::answer_nd(frame, port, out)
}

struct Cabled<'a> {
    nic: veth::Nic,
    plan: &'a Plan,
    cables: &'a Cables,
    /// What the machine did not do in time.
    late: Option<String>,
}

impl Cabled<'_> {
    fn finish(&mut self) -> Result<(), String> {
        let done = self.nic.finish();
        done.map_err(|error| self.told(error))
    }

    fn told(&mut self, error: Error) -> String {
        match error {
            Error::Run(SimError::Command(node, error)) => {
                format!("{}: {error}", self.plan.node_name(node))
            }
            Error::Late(told) => {
                self.late = Some(told.clone());
                told
            }
            Error::Ended(_) => {
                self.cables.end();
                error.to_string()
            }
            other => other.to_string(),
        }
    }
}

impl Wire for Cabled<'_> {
    fn now(&self) -> Instant {
        self.nic.now()
    }

    fn command(&mut self, node: usize, command: &Command, step: u32) -> Result<(), String> {
        let done = self.nic.command(NodeId(node as u16), command, step);
        done.map_err(|error| self.told(error))
    }

    fn change_link(&mut self, step: &LinkStep) -> Result<(), String> {
        let link = &self.plan.links[step.link].name;
        Err(format!("{link} is a cable, and nothing of it can be changed"))
    }

    fn advance(&mut self, until: Option<Instant>) -> Result<bool, String> {
        let done = self.nic.advance(until);
        done.map_err(|error| self.told(error))
    }

    fn capture(&self) -> &Capture {
        self.nic.capture()
    }

    fn seen(&self) -> &[Seen] {
        self.nic.seen()
    }

    fn late(&self) -> Duration {
        self.nic.late()
    }

    fn patience(&self) -> Duration {
        self.cables.patience
    }

    fn is_exact(&self) -> bool {
        false
    }

    fn pads(&self) -> bool {
        true
    }
}
