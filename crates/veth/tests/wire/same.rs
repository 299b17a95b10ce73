//! What happens on the real wire is what happens on the simulated one.

use libtest_mimic::Failed;
use link::{
    Chance, Command, Fault, Limits, LinkChange, LinkConfig, NodeFault, NodeId, Sim, SimError,
};
use wire::{Capture, Duration};
use wireproof_veth as veth;

use crate::Test;
use crate::nodes::{Counter, frame, say};

type Outcome = Result<(), Failed>;

pub(crate) const TESTS: [(&str, Test); 9] = [
    ("a_plain_link", || same(&LinkChange::default(), &talk())),
    ("a_link_with_delay", || same(&delayed(), &talk())),
    ("all_that_a_link_does_to_frames", impaired),
    ("frames_of_every_form", forms),
    ("what_no_veth_carries_is_told", refused),
    ("a_node_that_panics_is_a_finding", panics),
    ("a_link_is_cut_and_mended", cut),
    ("nothing_is_emitted_by_the_namespaces_themselves", quiet),
    ("time_is_real", time),
];

fn delayed() -> LinkChange {
    LinkChange { delay: Some(Duration::from_micros(700)), ..LinkChange::default() }
}

fn talk() -> Vec<Command> {
    vec![say(frame(60, 3, [0x08, 0x00])), say(frame(70, 5, [0x08, 0x00]))]
}

fn lay(settings: &LinkChange, steady: bool) -> Result<veth::Wire, veth::Error> {
    let node = |name: &str, last| veth::NodeSpec {
        name: name.into(),
        ports: vec![testing::port(last, &testing::NO_ADDRESS)],
        node: veth::Occupant::InProcess(Box::new(Counter::default())),
    };
    let (ends, settings) = ([(0, 0), (1, 0)], settings.clone());
    let link = veth::LinkSpec { name: "a-b".into(), ends, settings, steady };
    veth::lay(7, Limits::default(), vec![node("a", 1), node("b", 2)], &[link])
}

/// The same commands on the simulated wire.
fn simulated(settings: &LinkChange, commands: &[Command]) -> Result<Sim, Failed> {
    let mut sim = Sim::new(7, Limits::default());
    for name in ["a", "b"] {
        sim.add_node(name, Box::new(Counter::default()), &["eth0".to_owned()]);
    }
    let link = sim.connect((NodeId(0), 0), (NodeId(1), 0), LinkConfig::default())?;
    sim.change_link(link, None, settings)?;
    for (tag, command) in (0..).zip(commands) {
        sim.command(NodeId(0), command, tag)?;
    }
    sim.run_until_idle()?;
    Ok(sim)
}

fn same(settings: &LinkChange, commands: &[Command]) -> Outcome {
    let sim = simulated(settings, commands)?;
    let mut wire = lay(settings, true)?;
    for (tag, command) in (0..).zip(commands) {
        wire.command(NodeId(0), command, tag)?;
    }
    while wire.advance(None)? {}
    alike(sim.capture(), wire.capture())?;
    alike(sim.capture(), &wire.real_capture())?;
    // What applications saw tells which bytes arrived, altered ones too.
    if sim.events() != wire.seen() || sim.losses() != wire.notes() {
        return Err("events or notes differ".into());
    }
    Ok(())
}

fn alike(expected: &Capture, actual: &Capture) -> Outcome {
    if expected.is_empty() || expected.len() != actual.len() {
        return Err(format!("{} frames, {} expected", actual.len(), expected.len()).into());
    }
    for ((id, was, bytes), (_, is, crossed)) in expected.iter().zip(actual.iter()) {
        let facts = |r: &wire::Record| (r.port, r.cause, r.deliveries, r.altered);
        if bytes != crossed || facts(was) != facts(is) {
            let line = wire::render::line(crossed);
            return Err(format!("frame {} is another one: {is:?} {line}", id.number()).into());
        }
    }
    Ok(())
}

fn impaired() -> Outcome {
    let settings = LinkChange {
        jitter: Some(Duration::from_micros(300)),
        loss: Some(Chance::Rate(100_000)),
        duplicate: Some(Chance::Rate(200_000)),
        corrupt: Some(Chance::Rate(200_000)),
        reorder: Some(Chance::Every(5)),
        rate_bps: Some(Some(10_000_000)),
        ..delayed()
    };
    // Corruption may make a tag, a group address or another type of any frame.
    let commands: Vec<Command> =
        (0..40).map(|n| say(frame(64 + n, n as u8 % 5, [0x81, 0x00]))).collect();
    same(&settings, &commands)
}

/// Lengths and types at which a kernel might do something of its own.
fn forms() -> Outcome {
    let lengths = [14, 15, 17, 18, 20, 46, 59, 60, 1514, 1515, 1518, 9000, 40_000, 65_549];
    let types = [[0x08, 0x00], [0x86, 0xdd], [0x08, 0x06], [0, 0], [5, 0xdc], [0x88, 0xcc]];
    let all = lengths.iter().flat_map(|length| types.map(|kind| say(frame(*length, 0, kind))));
    let mut commands: Vec<Command> = all.collect();
    for kind in [[0x81, 0x00], [0x88, 0xa8], [0x91, 0x00]] {
        for length in [20, 22, 60, 1518] {
            commands.push(say(frame(length, 0, kind)));
        }
    }
    for destination in [[0xff; 6], [1, 0, 0x5e, 0, 0, 1], [0; 6], [0x33, 0x33, 0, 0, 0, 1]] {
        let mut frame = frame(60, 0, [0x08, 0x00]);
        frame[..6].copy_from_slice(&destination);
        frame[6..12].copy_from_slice(&destination);
        commands.push(say(frame));
    }
    same(&LinkChange::default(), &commands)?;
    same(&delayed(), &commands)
}

fn refused() -> Outcome {
    let tagged = |length| frame(length, 0, [0x81, 0x00]);
    for bytes in [vec![], vec![0; 13], vec![0; 65_550], tagged(14), tagged(19)] {
        let length = bytes.len();
        let mut wire = lay(&delayed(), true)?;
        let command = say(bytes);
        let done = wire.command(NodeId(0), &command, 0);
        let ended = matches!(done, Err(veth::Error::Run(SimError::NodeFailed(NodeId(0)))));
        match wire.faults() {
            [NodeFault { fault: Fault::Broken(text), .. }]
                if ended && text.contains(&length.to_string()) => {}
            faults => return Err(format!("{length} bytes: {done:?}, {faults:?}").into()),
        }
    }
    Ok(())
}

fn panics() -> Outcome {
    std::panic::set_hook(Box::new(|_| {}));
    let mut wire = lay(&delayed(), true)?;
    wire.command(NodeId(0), &say(frame(60, 250, [0x08, 0x00])), 0)?;
    while wire.advance(None)? {}
    let told: Vec<&str> = wire.faults().iter().map(|fault| fault.fault.text()).collect();
    match told[..] {
        ["a frame that this node cannot stand"] => Ok(()),
        _ => Err(format!("{told:?}").into()),
    }
}

fn cut() -> Outcome {
    let mut wire = lay(&LinkChange::default(), false)?;
    let up = |up| LinkChange { up: Some(up), ..LinkChange::default() };
    let speak = say(frame(60, 0, [0x08, 0x00]));
    for (state, deliveries) in [(false, 0), (true, 1)] {
        wire.change_link(link::LinkId(0), None, &up(state))?;
        wire.command(NodeId(0), &speak, 0)?;
        while wire.advance(None)? {}
        let last = wire.capture().iter().next_back().map(|(_, record, _)| record.deliveries);
        if last != Some(deliveries) {
            return Err(format!("up: {state}, delivered {last:?}").into());
        }
    }
    Ok(())
}

/// Half a second in which only the kernel could speak; then a frame arrives as sent, which it
/// would not behind another in the queue.
fn quiet() -> Outcome {
    let mut wire = lay(&delayed(), true)?;
    let half_a_second = wire.now() + Duration::from_millis(500);
    while wire.advance(Some(half_a_second))? {}
    wire.command(NodeId(0), &say(frame(60, 1, [0x08, 0x00])), 0)?;
    while wire.advance(None)? {}
    if wire.capture().len() == 3 { Ok(()) } else { Err("other frames".into()) }
}

fn time() -> Outcome {
    let mut wire = lay(&delayed(), true)?;
    wire.command(NodeId(0), &say(frame(60, 1, [0x08, 0x00])), 0)?;
    while wire.advance(None)? {}
    let virtual_times = wire.capture().iter().map(|(_, record, _)| record.time);
    for (real, due) in
        wire.real_capture().iter().map(|(_, record, _)| record.time).zip(virtual_times)
    {
        if real < due {
            return Err(format!("emitted at {real}, before its time {due}").into());
        }
    }
    Ok(())
}
