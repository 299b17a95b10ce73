//! The real wire with a device under test: in-process nodes on existing interfaces, the device
//! behind each cable. Events happen by the real clock and in the order of the wire. Sends only what
//! the nodes emit, and changes nothing of an interface. Knows no scenario.

mod background;
mod host_state;
mod nodes;
mod port;
mod probe;
mod run;
mod stop;

use std::collections::{BTreeMap, VecDeque};

use link::{Limits, LinkNote, Node, NodeFault, PortConfig, PortIndex, Seen};
use tokio::runtime::Runtime;
use wire::{Capture, Duration, Instant, PortId, Proto};

use crate::clock::{Clock, Timer};
use crate::end::Arrived;
use crate::error::{Error, Tried};
use background::Ends;
pub use host_state::{HostState, Interface, inspect, interfaces, may_listen};
use port::Port;
pub use probe::{Asked, ask};
use stop::Stop;

/// A node of the run.
pub struct NodeSlot {
    /// Its name.
    pub name: String,
    /// Its ports.
    pub ports: Vec<PortConfig>,
    /// The implementation; `None` for the device.
    pub node: Option<Box<dyn Node>>,
}

/// A link that is a cable.
#[derive(Clone, Debug)]
pub struct Cable {
    /// The interface of this host that it is plugged into.
    pub interface: String,
    /// Node and port of ours that stand there.
    pub ours: (u16, PortIndex),
    /// Node and port of the device at the other end.
    pub theirs: (u16, PortIndex),
}

/// Appends the answer to a frame that asks for the Ethernet address of one of the port's addresses;
/// false where it does not ask.
pub type Answerer = fn(&[u8], &PortConfig, &mut Vec<u8>) -> bool;

/// Options of a run on interfaces.
#[derive(Clone, Debug)]
pub struct NicOptions {
    /// How long to go on receiving when nothing more is due.
    pub settle: Duration,
    /// Layers that the scenario asks of the device by name: those are no background traffic.
    pub named: Vec<Proto>,
    /// Answers the device's ARP and ND requests for our nodes' addresses.
    pub answerer: Option<Answerer>,
    /// They are answered; the answers are not captured.
    pub answer: bool,
}

/// A run on interfaces of this host.
pub struct Nic {
    slots: Vec<Slot>,
    cables: Vec<OpenCable>,
    runtime: Runtime,
    clock: Clock,
    timer: Timer,
    stop: Stop,
    limits: Limits,
    options: NicOptions,
    /// The time of the latest thing that happened.
    now: Instant,
    /// When one of our nodes last had something to do, or somebody waited for a time.
    active: Instant,
    steps: u64,
    capture: Capture,
    seen: Vec<Seen>,
    notes: Vec<LinkNote>,
    faults: Vec<NodeFault>,
    /// Frames of the device that came and are not handled yet, in order of their times.
    waiting: VecDeque<Arrival>,
    ignored: BTreeMap<String, u64>,
    /// ARP and ND requests of the device for our nodes' addresses that were not answered.
    unanswered: u64,
    /// Room for what is being received, and for an answer off the record.
    arrived: Arrived,
    answer: Vec<u8>,
}

/// A node and its port numbers in the capture.
struct Slot {
    node: Option<Box<dyn Node>>,
    first_port: u16,
    ports: u16,
}

/// A cable with its socket.
struct OpenCable {
    port: Port,
    /// Our node and its port, and the port's number in the capture.
    ours: (usize, PortIndex, PortId),
    config: PortConfig,
    theirs: PortId,
    ends: Ends,
}

/// A frame that the device emitted.
struct Arrival {
    time: Instant,
    cable: usize,
    frame: Vec<u8>,
}

impl Nic {
    /// Opens the interfaces and starts the clock. From here to its end SIGINT and SIGTERM end the
    /// run instead of the process. To be called in the thread that runs, the only one there is.
    ///
    /// # Errors
    /// [`Error::Plan`] where a cable's end is no port, or not of who should stand there;
    /// [`Error::System`] and [`Error::Forbidden`] where the kernel refuses a socket.
    pub fn open(
        limits: Limits,
        nodes: Vec<NodeSlot>,
        cables: &[Cable],
        options: NicOptions,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.tried("make a runtime")?;
        let mut capture = Capture::new();
        let mut slots = Vec::new();
        let mut configs = Vec::new();
        for NodeSlot { name, ports, node } in nodes {
            let first_port = capture.interfaces().len() as u16;
            for port in &ports {
                capture.add_interface(format!("{name}:{}", port.name));
            }
            slots.push(Slot { node, first_port, ports: ports.len() as u16 });
            configs.push(ports);
        }
        let (timer, stop, cables) = {
            let _context = runtime.enter();
            let open = |cable| open_cable(cable, &slots, &configs, &options.named);
            let open: Result<Vec<_>, Error> = cables.iter().map(open).collect();
            (Timer::new()?, Stop::hold()?, open?)
        };
        Ok(Self {
            slots,
            cables,
            runtime,
            clock: Clock::start(),
            timer,
            stop,
            limits,
            options,
            now: Instant::ZERO,
            active: Instant::ZERO,
            steps: 0,
            capture,
            seen: Vec::new(),
            notes: Vec::new(),
            faults: Vec::new(),
            waiting: VecDeque::new(),
            ignored: BTreeMap::new(),
            unanswered: 0,
            arrived: Arrived::new(),
            answer: Vec::new(),
        })
    }

    /// The time of the latest thing that happened; the real clock may be past it.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How far the real clock is past that time.
    #[must_use]
    pub fn late(&self) -> Duration {
        self.clock.now() - self.now
    }

    /// What our nodes and the device emitted.
    #[must_use]
    pub fn capture(&self) -> &Capture {
        &self.capture
    }

    /// What the applications of our nodes saw.
    #[must_use]
    pub fn seen(&self) -> &[Seen] {
        &self.seen
    }

    /// Frames of ours that no cable took.
    #[must_use]
    pub fn notes(&self) -> &[LinkNote] {
        &self.notes
    }

    /// The nodes of ours that panicked.
    #[must_use]
    pub fn faults(&self) -> &[NodeFault] {
        &self.faults
    }

    /// Background traffic, which is not captured: each kind with its number of frames.
    #[must_use]
    pub fn ignored(&self) -> &BTreeMap<String, u64> {
        &self.ignored
    }

    /// ARP and ND requests of the device for a node of ours that were not answered.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }
}

/// Opens a cable's interface.
fn open_cable(
    cable: &Cable,
    slots: &[Slot],
    configs: &[Vec<PortConfig>],
    named: &[Proto],
) -> Result<OpenCable, Error> {
    let find = |(node, port): (u16, PortIndex), ours: bool| {
        let (node, at) = (usize::from(node), usize::from(port));
        let config = configs.get(node).and_then(|ports| ports.get(at));
        match (config, slots.get(node)) {
            (Some(config), Some(slot)) if slot.node.is_some() == ours => {
                Ok((node, PortId(slot.first_port + port), config))
            }
            _ => Err(Error::Plan(format!("{}: no such port to plug in", cable.interface))),
        }
    };
    let (node, id, config) = find(cable.ours, true)?;
    let (_, theirs, device) = find(cable.theirs, false)?;
    let ends = Ends { ours: config.mac, theirs: device.mac, named: named.to_vec() };
    let port = Port::open(&cable.interface)?;
    Ok(OpenCable { port, ours: (node, cable.ours.1, id), config: config.clone(), theirs, ends })
}
