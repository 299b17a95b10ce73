//! Two nodes send a frame back and forth: the smallest run there is, and what a crossing costs.
//!
//! `time cargo run --release -p wireproof-link --example ping_pong -- 1000` plays 1000 rallies
//! of ten thousand crossings. Nothing here reads a clock; `time` does.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use wire::Instant;
use wireproof_link::{
    Command, CommandError, Limits, LinkConfig, Node, Outbox, PortIndex, Sim, Transmit,
};

/// Crossings of one rally, the serve not counted.
const RALLY: u64 = 10_000;

/// Sends each frame back. On the command `serve` it begins a rally, and ends it in time.
#[derive(Default)]
struct Player {
    returns_left: Option<u64>,
    out: Outbox,
}

impl Node for Player {
    fn handle_frame(&mut self, _: Instant, port: PortIndex, frame: &[u8]) {
        if let Some(left) = &mut self.returns_left {
            if *left == 0 {
                return;
            }
            *left -= 1;
        }
        self.out.push(port, frame);
    }

    fn handle_command(&mut self, _: Instant, _: &Command) -> Result<(), CommandError> {
        self.returns_left = Some(RALLY / 2 - 1);
        self.out.push(0, &[0x02; 70]);
        Ok(())
    }

    fn poll_transmit(&mut self, _: Instant) -> Option<Transmit<'_>> {
        self.out.pop()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let rallies: u64 = std::env::args().nth(1).map_or(Ok(1), |word| word.parse())?;
    let limits = Limits {
        frames: RALLY as u32,
        bytes: u64::MAX,
        steps: rallies.saturating_mul(RALLY),
        queue: 1,
        duration: Duration::MAX,
    };
    let mut sim = Sim::new(1, limits);
    let left = sim.add_node("left", Box::<Player>::default(), &["eth0".into()]);
    let right = sim.add_node("right", Box::<Player>::default(), &["eth0".into()]);
    let config = LinkConfig { delay: Duration::from_millis(1), ..LinkConfig::default() };
    sim.connect((left, 0), (right, 0), config)?;
    for _ in 0..rallies {
        sim.clear_capture();
        let serve = Command::Do { verb: "serve".into(), args: BTreeMap::new() };
        sim.command(left, &serve, 0)?;
        sim.run_until_idle()?;
    }
    println!("{} crossings in {} s of virtual time", sim.steps(), sim.now());
    Ok(())
}
