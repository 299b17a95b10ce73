//! A responder of one's own under wireproof, in somebody else's repository.
//!
//! `ForgetsFin` answers segments to a closed port with a reset, as RFC 9293 3.10.7.1 asks, and
//! gets one rule wrong: it counts the payload and the SYN into SEG.LEN, and forgets the FIN.
//!
//! `cargo run --example own_responder` shows what wireproof says of it; `src/tests` of a real
//! repository would hold the test at the end of this file.

use std::process::ExitCode;

use link::{Command, CommandError, Node, Outbox, PortIndex, Transmit};
use nodes::{Kind, Role, in_process};
use wire::segment::{ACK, RST, SYN};
use wire::{Defaults, Instant, Layer, Packet, PortSet, Proto, TcpSegment, fields::tcp};

/// The implementation under test: any code that takes frames and gives frames.
#[derive(Default)]
struct ForgetsFin {
    out: Outbox,
}

impl ForgetsFin {
    fn answer(segment: &TcpSegment<'_>) -> Packet {
        let payload = segment.payload().map_or(0, <[u8]>::len) as u32;
        let length = payload + u32::from(segment.has(SYN)); // and the FIN?
        let (flags, seq, ack) = match segment.has(ACK) {
            true => (RST, segment.ack(), 0),
            false => (RST | ACK, 0, segment.seq().wrapping_add(length)),
        };
        Packet::new().layer(
            Layer::new(Proto::Tcp)
                .with(&tcp::SRC, segment.dst_port().into())
                .with(&tcp::DST, segment.src_port().into())
                .with(&tcp::FLAGS, flags.into())
                .with(&tcp::SEQ, seq.into())
                .with(&tcp::ACK, ack.into())
                .with(&tcp::WINDOW, 0),
        )
    }
}

impl Node for ForgetsFin {
    fn handle_frame(&mut self, _now: Instant, port: PortIndex, frame: &[u8]) {
        let Ok(segment) = TcpSegment::parse(frame) else { return };
        if segment.has(RST) || !segment.checksum_ok() {
            return;
        }
        let defaults = Defaults {
            src_mac: segment.ip.eth_dst(),
            dst_mac: segment.ip.eth_src(),
            src_ip4: as_ip4(segment.ip.dst()),
            dst_ip4: as_ip4(segment.ip.src()),
            ..Defaults::default()
        };
        let built = wire::build::build(&Self::answer(&segment), &defaults);
        built.into_iter().flatten().for_each(|frame| self.out.push(port, &frame));
    }

    fn handle_command(&mut self, _now: Instant, command: &Command) -> Result<(), CommandError> {
        Err(CommandError(format!("this responder takes no commands, and was told {command:?}")))
    }

    fn poll_transmit(&mut self, _now: Instant) -> Option<Transmit<'_>> {
        self.out.pop()
    }
}

fn as_ip4(ip: std::net::IpAddr) -> Option<std::net::Ipv4Addr> {
    if let std::net::IpAddr::V4(ip) = ip { Some(ip) } else { None }
}

/// Its name in scenario files, and what the checks may hold it to.
fn kind() -> Kind {
    Kind::new("forgets-fin", "resets what it is sent, and miscounts", |_, _| {
        let role = Role::ClosedPort { ports: PortSet::all() };
        Ok(in_process(role, |_| Box::<ForgetsFin>::default()))
    })
}

/// The folder beside this file; a repository of one's own would say `tests/wire`.
fn suite() -> wireproof::Suite {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/own-responder");
    wireproof::Suite::at(folder).kind(kind())
}

fn main() -> ExitCode {
    let (holds, told) = suite().run().expect("scenarios beside this file");
    print!("{told}");
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "rst-ack")]
    fn my_responder_keeps_the_rules() {
        super::suite().assert();
    }

    #[test]
    fn the_readme_shows_what_is_said_of_it() {
        let (_, told) = super::suite().run().expect("scenarios beside this file");
        assert!(
            include_str!("../../README.md").contains(&told),
            "the README shows not this:\n{told}"
        );
    }
}
