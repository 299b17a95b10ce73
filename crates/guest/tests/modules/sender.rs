//! `skb_sender`: its frame, its words, its steps.

use libtest_mimic::Failed;
use testing::Stop;
use wire::{Field, Form, Proto, Value, checksum};

use crate::bench::{Bench, golden as frames, on_bench, same};

const ENDS: &str = "dev=eth0 eth.dst=02:00:00:00:00:02 ip4.src=10.0.0.1 ip4.dst=10.0.0.2";

/// Failing sends of the leak test, for each step.
const MANY: u64 = 1_500;

/// Writes a line; what the module says became of it.
fn send(bench: &mut Bench, words: &str) -> Result<String, Failed> {
    let script = format!(
        "echo '{ENDS} {words}' >/proc/net/skb_sender
         status=$?; echo \"$status $(tail -n 1 /proc/net/skb_sender)\""
    );
    let told = bench.run(&script)?;
    Ok(told.lines().last().unwrap_or("").trim().to_owned())
}

fn sent(bench: &mut Bench, words: &str) -> Result<Vec<u8>, Failed> {
    same(words, &send(bench, words)?.as_str(), &"0 last sent")?;
    bench.frame()
}

pub(crate) fn golden() -> Result<(), Stop> {
    on_bench(1, &["skb_sender"], |bench| {
        let wanted = frames("custom/fin-md5")?.remove(0);
        same("the frame", &sent(bench, "")?, &wanted)?;
        let wanted = frames("custom/own-values")?.remove(0);
        let field = |proto: Proto, key: &str| -> String {
            let start = [0, 14, 34][[Proto::Eth, Proto::Ip4, Proto::Tcp]
                .iter()
                .position(|p| *p == proto)
                .unwrap_or(0)];
            let read = proto.field(key).and_then(|field| field.read(&wanted[start..]));
            read.map_or(String::new(), |value| word(proto, key, &value))
        };
        let words: Vec<String> = [
            (Proto::Ip4, "ttl"),
            (Proto::Ip4, "id"),
            (Proto::Ip4, "tos"),
            (Proto::Tcp, "src"),
            (Proto::Tcp, "dst"),
            (Proto::Tcp, "seq"),
            (Proto::Tcp, "ack"),
            (Proto::Tcp, "flags"),
            (Proto::Tcp, "window"),
            (Proto::Tcp, "urgent"),
        ]
        .into_iter()
        .map(|(proto, key)| field(proto, key))
        .collect();
        let payload: String = wanted[54..].iter().map(|byte| format!("{byte:02x}")).collect();
        let words = format!("{} payload={payload}", words.join(" "));
        same(&words, &sent(bench, &words)?, &wanted)
    })
}

fn word(proto: Proto, key: &str, value: &Value) -> String {
    let text = match value {
        Value::Num(number) => number.to_string(),
        Value::Mac(mac) => mac.to_string(),
        Value::Ip(ip) => ip.to_string(),
        Value::Bytes(bytes) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    format!("{}.{key}={text}", proto.key())
}

/// All fields of fixed width, each with two values, against the golden with that field written.
pub(crate) fn fields() -> Result<(), Stop> {
    on_bench(1, &["skb_sender"], |bench| {
        let plain = frames("custom/fin-md5")?.remove(0);
        for (proto, start) in [(Proto::Eth, 0), (Proto::Ip4, 14), (Proto::Tcp, 34)] {
            for field in proto.fields().iter().filter(|field| field.width > 0) {
                for high in [true, false] {
                    let value = value(field, high);
                    let mut wanted = plain.clone();
                    field.write(&mut wanted[start..], &value).map_err(|error| error.0)?;
                    if field.key != "checksum" {
                        sums(&mut wanted);
                    }
                    let words = word(proto, field.key, &value);
                    // The ends are there already, and no word may be there twice.
                    let is = match ENDS.contains(&format!("{}.{}=", proto.key(), field.key)) {
                        true => continue,
                        false => sent(bench, &words)?,
                    };
                    same(&words, &is, &wanted)?;
                }
            }
        }
        Ok(())
    })
}

fn value(field: &Field, high: bool) -> Value {
    match field.form {
        Form::Mac => Value::Mac(wire::Mac([6, 1, 2, 3, 4, u8::from(high)])),
        Form::Ip4 => Value::Ip([192, 168, 255, u8::from(high)].into()),
        _ if high => Value::Num(field.max().unwrap_or(0)),
        _ => Value::Num(field.max().unwrap_or(0) / 3),
    }
}

/// Both checksums, over the bytes as they are.
fn sums(frame: &mut [u8]) {
    frame[50..52].fill(0);
    let ends = [[10, 0, 0, 1], [10, 0, 0, 2]];
    let sum = checksum::tcp_ip4(ends[0], ends[1], &frame[34..]);
    frame[50..52].copy_from_slice(&sum.to_be_bytes());
    frame[24..26].fill(0);
    let sum = checksum::internet_checksum(&frame[14..34]);
    frame[24..26].copy_from_slice(&sum.to_be_bytes());
}

pub(crate) fn wrong_lines() -> Result<(), Stop> {
    on_bench(1, &["skb_sender"], |bench| {
        for (words, told) in [
            ("tcp.sqe=1", "parse 22 no field is named tcp.sqe"),
            ("tcp.options=00", "parse 22 no field is named tcp.options"),
            ("tcp.seq=4294967296", "parse 22 tcp.seq does not hold 4294967296"),
            ("tcp.seq=-1", "parse 22 tcp.seq does not hold -1"),
            ("tcp.seq=", "parse 22 tcp.seq does not hold "),
            ("ip4.ttl=0x", "parse 22 ip4.ttl does not hold 0x"),
            ("eth.src=02:00:00:00:00", "parse 22 eth.src does not hold 02:00:00:00:00"),
            ("ip4.dst=10.0.0.2", "parse 22 ip4.dst twice"),
            ("payload=012", "parse 22 payload takes hex, two digits a byte"),
            ("payload=zz", "parse 22 payload takes hex, two digits a byte"),
            ("fail=never", "parse 22 fail takes a step, and never is none"),
            ("seq", "parse 22 seq has no value: write name=value"),
            ("dev=eth9", "dev 19 no device eth9 in this namespace"),
            ("dev=lo", "dev 96 lo is no Ethernet device"),
        ] {
            let wanted = format!("1 last failed {told}");
            same(words, &send(bench, words)?.as_str(), &wanted.trim())?;
        }
        for missing in ["dev", "eth.dst", "ip4.src", "ip4.dst"] {
            let left: Vec<&str> =
                ENDS.split(' ').filter(|word| !word.starts_with(&format!("{missing}="))).collect();
            let script = format!("echo '{}' >/proc/net/skb_sender", left.join(" "));
            if bench.run(&script).is_ok() {
                return Err(format!("a line without {missing} passes").into());
            }
            let told = bench.run("tail -n 1 /proc/net/skb_sender")?;
            same(
                missing,
                &told.trim(),
                &format!("last failed parse 22 {missing} is missing").as_str(),
            )?;
        }
        same("frames", &bench.exchange(1, &[])?, &Vec::new())
    })
}

pub(crate) fn steps() -> Result<(), Stop> {
    on_bench(1, &["skb_sender"], |bench| {
        let mut wanted = (0, 0);
        for step in ["alloc", "payload", "tcp", "ip", "checksum", "eth", "xmit"] {
            let told = send(bench, &format!("fail={step}"))?;
            same(step, &told, &format!("1 last failed {step} 5 told to fail"))?;
            wanted.0 += u64::from(step != "alloc");
        }
        // Room for 72 bytes, of which the headers take 54.
        for (bytes, told) in [
            (18, "0 last sent"),
            (19, "1 last failed eth 105 14 bytes wanted, 13 bytes of head room left"),
            (33, "1 last failed ip 105 20 bytes wanted, 19 bytes of head room left"),
            (53, "1 last failed tcp 105 20 bytes wanted, 19 bytes of head room left"),
            (73, "1 last failed payload 105 73 bytes wanted, 72 bytes of head room left"),
        ] {
            let words = format!("payload={}", "5a".repeat(bytes));
            same(&words, &send(bench, &words)?.as_str(), &told)?;
            wanted.0 += u64::from(bytes > 18);
            wanted.1 += u64::from(bytes <= 18);
        }
        let counters = [("sent", wanted.1), ("freed", wanted.0), ("leaked", 0), ("refused", 0)];
        let counters: Vec<(String, u64)> =
            counters.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        same("counters", &bench.counters("skb_sender")?, &counters)?;
        same("frames", &bench.exchange(1, &[])?.len(), &1)
    })
}

pub(crate) fn down() -> Result<(), Stop> {
    on_bench(1, &["skb_sender"], |bench| {
        bench.run("ip link set eth0 down")?;
        let told = send(bench, "")?;
        same("down", &told.as_str(), &"1 last failed xmit 100 eth0 is down")?;
        bench.run("ip link set eth0 up")?;
        same("up", &sent(bench, "")?, &frames("custom/fin-md5")?.remove(0))
    })
}

/// Ten thousand sends that fail must leave the kernel's stores of buffers as they were.
pub(crate) fn leaks() -> Result<(), Stop> {
    on_bench(1, &["skb_sender"], |bench| {
        // Once before, so that stores that grow with use have grown.
        each_way_to_fail(bench, 50)?;
        let before = in_use(bench)?;
        each_way_to_fail(bench, MANY)?;
        let after = in_use(bench)?;
        let counters = bench.counters("skb_sender")?;
        same("failed", &counters[1].1, &(7 * (MANY + 50)))?;
        same("leaked", &counters[2].1, &0)?;
        for ((store, before), (_, after)) in before.iter().zip(&after) {
            if after.saturating_sub(*before) > MANY / 2 {
                return Err(format!("{store}: {before} in use before, {after} after").into());
            }
        }
        Ok(())
    })
}

/// Sends that fail at each step that has a buffer to free, so many at each.
pub(crate) fn each_way_to_fail(bench: &mut Bench, count: u64) -> Result<(), Failed> {
    let too_long = format!("payload={}", "5a".repeat(19));
    let told = ["payload", "tcp", "ip", "checksum", "eth", "xmit"].map(|s| format!("fail={s}"));
    for words in told.iter().chain([&too_long]) {
        bench.run(&format!(
            "i=0; while [ $i -lt {count} ]; do
               echo '{ENDS} {words}' >/proc/net/skb_sender 2>/dev/null
               i=$((i+1))
             done"
        ))?;
    }
    Ok(())
}

/// Objects in use in the stores that a buffer and its room come from.
fn in_use(bench: &mut Bench) -> Result<Vec<(String, u64)>, Failed> {
    let text = bench.run("cat /proc/slabinfo")?;
    let mut stores = Vec::new();
    for name in ["skbuff_head_cache", "skbuff_small_head", "kmalloc-512", "kmalloc-1k"] {
        let line = text.lines().find(|line| line.split_whitespace().next() == Some(name));
        if let Some(number) = line.and_then(|line| line.split_whitespace().nth(1)) {
            stores.push((name.to_owned(), number.parse()?));
        }
    }
    if stores.len() < 2 {
        return Err(format!("no stores of buffers among\n{text}").into());
    }
    Ok(stores)
}
