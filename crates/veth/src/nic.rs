//! The real wire with somebody else at its other end: nodes of ours on interfaces that are there
//! already, a device behind each of their cables. Each thing happens when it happens, by the real
//! clock, and the order is that of the wire. Sends what our nodes emit and nothing else, and
//! changes nothing of an interface. Knows no scenario.

mod chatter;
mod look;
mod ours;
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
use chatter::Ends;
pub use look::{Interface, Sight, interfaces, look, may_listen};
use port::Port;
pub use probe::{Asked, ask};
use stop::Stop;

/// A node of the run.
pub struct Member {
    /// Its name.
    pub name: String,
    /// Its ports.
    pub ports: Vec<PortConfig>,
    /// The implementation; `None`: the device stands there.
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

/// What a run does beside what its nodes do.
#[derive(Clone, Debug)]
pub struct Manner {
    /// How long to listen on when nothing more is to be done.
    pub settle: Duration,
    /// Layers that the scenario asks of the device by name: those are no upkeep.
    pub named: Vec<Proto>,
    /// Knows the device's questions for our nodes' addresses, and the answers.
    pub answerer: Option<Answerer>,
    /// They are answered, off the record.
    pub answer: bool,
}

/// A run on interfaces of this host.
pub struct Nic {
    members: Vec<Place>,
    cables: Vec<Plugged>,
    runtime: Runtime,
    clock: Clock,
    timer: Timer,
    stop: Stop,
    limits: Limits,
    manner: Manner,
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
    passed_over: BTreeMap<String, u64>,
    /// Questions of the device for our nodes' addresses that nobody answered.
    unanswered: u64,
    /// Room for what is being received, and for an answer off the record.
    arrived: Arrived,
    answer: Vec<u8>,
}

/// A node, or the place of the device.
struct Place {
    node: Option<Box<dyn Node>>,
    first_port: u16,
    ports: u16,
}

/// A cable with its socket.
struct Plugged {
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
    pub fn plug(
        limits: Limits,
        members: Vec<Member>,
        cables: &[Cable],
        manner: Manner,
    ) -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.tried("make a runtime")?;
        let mut capture = Capture::new();
        let mut places = Vec::new();
        let mut configs = Vec::new();
        for Member { name, ports, node } in members {
            let first_port = capture.interfaces().len() as u16;
            for port in &ports {
                capture.add_interface(format!("{name}:{}", port.name));
            }
            places.push(Place { node, first_port, ports: ports.len() as u16 });
            configs.push(ports);
        }
        let (timer, stop, plugged) = {
            let _context = runtime.enter();
            let plug = |cable| plugged(cable, &places, &configs, &manner.named);
            let plugged: Result<Vec<_>, Error> = cables.iter().map(plug).collect();
            (Timer::new()?, Stop::hold()?, plugged?)
        };
        Ok(Self {
            members: places,
            cables: plugged,
            runtime,
            clock: Clock::start(),
            timer,
            stop,
            limits,
            manner,
            now: Instant::ZERO,
            active: Instant::ZERO,
            steps: 0,
            capture,
            seen: Vec::new(),
            notes: Vec::new(),
            faults: Vec::new(),
            waiting: VecDeque::new(),
            passed_over: BTreeMap::new(),
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

    /// What our nodes emitted, and what came of the device.
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

    /// What came by the cables and is no part of the capture, in words, with how many there were.
    #[must_use]
    pub fn passed_over(&self) -> &BTreeMap<String, u64> {
        &self.passed_over
    }

    /// How often the device asked for the Ethernet address of a node of ours, and nobody answered.
    #[must_use]
    pub fn unanswered(&self) -> u64 {
        self.unanswered
    }
}

/// Opens a cable's interface.
fn plugged(
    cable: &Cable,
    places: &[Place],
    configs: &[Vec<PortConfig>],
    named: &[Proto],
) -> Result<Plugged, Error> {
    let find = |(node, port): (u16, PortIndex), ours: bool| {
        let (node, at) = (usize::from(node), usize::from(port));
        let config = configs.get(node).and_then(|ports| ports.get(at));
        match (config, places.get(node)) {
            (Some(config), Some(place)) if place.node.is_some() == ours => {
                Ok((node, PortId(place.first_port + port), config))
            }
            _ => Err(Error::Plan(format!("{}: no such port to plug in", cable.interface))),
        }
    };
    let (node, id, config) = find(cable.ours, true)?;
    let (_, theirs, device) = find(cable.theirs, false)?;
    let ends = Ends { ours: config.mac, theirs: device.mac, named: named.to_vec() };
    let port = Port::open(&cable.interface)?;
    Ok(Plugged { port, ours: (node, cable.ours.1, id), config: config.clone(), theirs, ends })
}
