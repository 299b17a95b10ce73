//! The frames and events that no step has expected yet, by who emitted them. Knows numbers and
//! their order; no packet. Each frame is entered once and left once, however many steps wait.

use std::collections::VecDeque;

use link::{NodeId, Seen};
use wire::{Capture, FrameId, PortId};

use crate::plan::Plan;

/// What is still to be expected.
#[derive(Debug)]
pub(super) struct Unexpected {
    /// For each port, its node.
    nodes: Vec<Option<usize>>,
    of_port: Vec<VecDeque<FrameId>>,
    of_node: Vec<VecDeque<FrameId>>,
    /// For each port the first frame of the capture that no step has expected yet.
    taken: Vec<usize>,
    /// Frames of the capture that were entered.
    entered: usize,
    /// For each node, its events by their place in the list of all.
    events: Vec<VecDeque<usize>>,
    /// Events of the list that were entered.
    events_entered: usize,
}

impl Unexpected {
    /// Nothing emitted yet, by a plan's nodes on a wire with so many ports.
    pub(super) fn new(plan: &Plan, ports: usize) -> Self {
        let mut nodes = vec![None; ports];
        for (number, node) in plan.nodes.iter().enumerate() {
            for port in &node.ports {
                if let Some(owner) = nodes.get_mut(usize::from(port.0)) {
                    *owner = Some(number);
                }
            }
        }
        Self {
            nodes,
            of_port: vec![VecDeque::new(); ports],
            of_node: vec![VecDeque::new(); plan.nodes.len()],
            taken: vec![0; ports],
            entered: 0,
            events: vec![VecDeque::new(); plan.nodes.len()],
            events_entered: 0,
        }
    }

    /// The earliest frame, not expected yet, of one port or of all ports of one node.
    pub(super) fn frame(&mut self, capture: &Capture, ports: &[PortId]) -> Option<FrameId> {
        self.enter(capture);
        let first = usize::from(ports.first()?.0);
        let queue = match (ports, self.nodes.get(first).copied().flatten()) {
            ([_], _) | (_, None) => self.of_port.get_mut(first)?,
            (_, Some(node)) => self.of_node.get_mut(node)?,
        };
        while let Some(id) = queue.front().copied() {
            let port = usize::from(capture.record(id).port.0);
            if id.index() >= self.taken[port] {
                return Some(id);
            }
            queue.pop_front();
        }
        None
    }

    fn enter(&mut self, capture: &Capture) {
        for index in self.entered..capture.len() {
            let id = FrameId(u32::try_from(index).unwrap_or(u32::MAX));
            let port = usize::from(capture.record(id).port.0);
            if let Some(queue) = self.of_port.get_mut(port) {
                queue.push_back(id);
            }
            if let Some(node) = self.nodes.get(port).copied().flatten() {
                self.of_node[node].push_back(id);
            }
        }
        self.entered = capture.len();
    }

    /// A step has expected the frame.
    pub(super) fn take(&mut self, capture: &Capture, id: FrameId) {
        let port = usize::from(capture.record(id).port.0);
        if let Some(taken) = self.taken.get_mut(port) {
            *taken = id.index() + 1;
        }
    }

    /// A step has expected the frame, or a later one of its port.
    pub(super) fn is_taken(&self, port: PortId, id: FrameId) -> bool {
        self.taken.get(usize::from(port.0)).is_some_and(|taken| id.index() < *taken)
    }

    /// The place of a node's next event in the list of all; it counts as expected from now on.
    pub(super) fn event(&mut self, seen: &[Seen], node: NodeId) -> Option<usize> {
        for (index, seen) in seen.iter().enumerate().skip(self.events_entered) {
            if let Some(queue) = self.events.get_mut(usize::from(seen.node.0)) {
                queue.push_back(index);
            }
        }
        self.events_entered = seen.len();
        self.events.get_mut(node.index())?.pop_front()
    }
}
