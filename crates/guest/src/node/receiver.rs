//! The module `md5_receiver`: its reports, as the events of the Rust node. Knows its
//! files (`modules/README.md`); judges no frame.

use link::{Datum, Event};

/// The script that reads what happened since the last time.
pub(super) const EVENTS: &str = "cat /proc/net/md5_receiver_events";
/// The script that reads the counters.
pub(super) const COUNTERS: &str = "cat /proc/net/md5_receiver";

/// The script that has it take segments to a port.
pub(super) fn agree(port: u16) -> String {
    format!("echo port={port} >/proc/net/md5_receiver\n")
}

/// Reads its lines; an unknown line is an event of its own, so that it is seen.
pub(super) fn events(text: &str) -> Vec<Event> {
    text.lines().filter(|line| !line.trim().is_empty()).map(event).collect()
}

fn event(line: &str) -> Event {
    let mut words = line.split_whitespace();
    let kind = words.next().unwrap_or("");
    let pairs: Vec<(&str, &str)> = words.filter_map(|word| word.split_once('=')).collect();
    let field =
        |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let text = |text: &str| Datum::Text(text.to_owned());
    let read = match kind {
        "payload" => (|| {
            let bytes = wire::hex::decode(field("bytes")?).ok()?;
            let sport: u64 = field("sport")?.parse().ok()?;
            let event = Event::new("payload").with("bytes", Datum::Bytes(bytes));
            Some(event.with("src", text(field("src")?)).with("sport", Datum::Num(sport)))
        })(),
        "drop" => field("reason").map(|reason| Event::new("drop").with("reason", text(reason))),
        _ => None,
    };
    read.unwrap_or_else(|| Event::new("unknown").with("line", text(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_those_of_the_rust_node() {
        let error = "payload bytes=0102 src=10.0.0.1 sport=4000 dst=10.0.0.2 dport=80 dev=eth0\n\
                    drop reason=tcp-checksum src=10.0.0.1 sport=4000 dev=eth0\nsomething else\n";
        let events = events(error);
        let payload = Event::new("payload")
            .with("bytes", Datum::Bytes(vec![1, 2]))
            .with("src", Datum::Text("10.0.0.1".into()))
            .with("sport", Datum::Num(4000));
        let drop = Event::new("drop").with("reason", Datum::Text("tcp-checksum".into()));
        assert_eq!(events[..2], [payload, drop]);
        assert_eq!(events[2].kind, "unknown");
    }
}
