//! `md5_receiver` and `rst_reply`: what they take, what they answer, what they count.

use libtest_mimic::Failed;
use testing::Stop;

use crate::bench::{Bench, golden, on_bench, same};

fn counts(bench: &mut Bench, file: &str, wanted: &[(&str, u64)]) -> Result<(), Failed> {
    let counters = bench.counters(file)?;
    for (name, count) in wanted {
        let is = counters.iter().find(|(other, _)| other == name).map(|(_, count)| *count);
        same(name, &is, &Some(*count))?;
    }
    Ok(())
}

/// The golden frame, and the three that fail a check.
fn custom() -> Result<[Vec<u8>; 4], Failed> {
    let whole = golden("custom/fin-md5")?.remove(0);
    let (mut segment, mut header) = (whole.clone(), whole.clone());
    segment[69] ^= 1;
    header[22] ^= 1;
    let cut = whole[..69].to_vec();
    Ok([whole, segment, header, cut])
}

pub(crate) fn takes() -> Result<(), Stop> {
    on_bench(2, &["md5_receiver"], |bench| {
        let [whole, segment, header, cut] = custom()?;
        let mut padded = whole.clone();
        padded.resize(75, 0xff);
        let frames = [whole, segment, header, cut, padded];
        same("answers", &bench.answers(2, &frames)?.concat(), &Vec::new())?;
        let ends = "src=10.0.0.1 sport=4000 dst=10.0.0.2 dport=80 dev=eth0";
        let payload = format!("payload bytes=0102030405060708090a0b0c0d0e0f10 {ends}");
        let mut wanted = vec![payload.clone()];
        for reason in ["tcp-checksum", "ip-checksum", "truncated"] {
            wanted.push(format!("drop reason={reason} {ends}"));
        }
        wanted.push(payload);
        let told = bench.run("cat /proc/net/md5_receiver_events")?;
        let told: Vec<String> = told.lines().map(|line| line.trim().to_owned()).collect();
        same("events", &told, &wanted)?;
        same("read again", &bench.run("cat /proc/net/md5_receiver_events")?, &String::new())?;
        let dropped = ["dropped.truncated", "dropped.ip-checksum", "dropped.tcp-checksum"];
        counts(bench, "md5_receiver", &[("consumed", 2), ("lost", 0)])?;
        counts(bench, "md5_receiver", &dropped.map(|name| (name, 1)))
    })
}

pub(crate) fn keeps() -> Result<(), Stop> {
    on_bench(2, &[], |bench| {
        bench.run("insmod /modules/md5_receiver.ko keep=200")?;
        let [whole, ..] = custom()?;
        bench.exchange(2, &vec![whole.clone(); 100])?;
        bench.exchange(2, &vec![whole; 120])?;
        counts(bench, "md5_receiver", &[("consumed", 220), ("lost", 20)])?;
        // Longer than a page, so that the kernel asks the module for it more than once.
        let told = bench.run("cat /proc/net/md5_receiver_events")?;
        same("events", &told.lines().count(), &200)?;
        same("read again", &bench.run("cat /proc/net/md5_receiver_events")?, &String::new())?;
        if bench.run("rmmod md5_receiver; insmod /modules/md5_receiver.ko keep=0").is_ok() {
            return Err("a receiver that keeps nothing is loaded".into());
        }
        Ok(())
    })
}

pub(crate) fn ports() -> Result<(), Stop> {
    on_bench(2, &["md5_receiver"], |bench| {
        let [whole, ..] = custom()?;
        bench.run("echo port=81 >/proc/net/md5_receiver")?;
        // To another port, it is a FIN to a closed port, which the guest's stack answers.
        let reset = golden("rst/fin-then-rst")?.remove(1);
        same(
            "another port",
            &bench.exchange(2, std::slice::from_ref(&whole))?,
            &vec![reset.clone()],
        )?;
        bench.run("echo port=80 >/proc/net/md5_receiver")?;
        same("its port", &bench.exchange(2, std::slice::from_ref(&whole))?, &Vec::new())?;
        counts(bench, "md5_receiver", &[("consumed", 1), ("port", 80)])?;
        bench.run("echo port=0 >/proc/net/md5_receiver")?;
        same("none", &bench.exchange(2, &[whole])?, &vec![reset])?;
        counts(bench, "md5_receiver", &[("consumed", 1), ("port", 0)])?;
        for wrong in ["port=", "port=65536", "port=-1", "80", "ports=80"] {
            if bench.run(&format!("echo {wrong} >/proc/net/md5_receiver")).is_ok() {
                return Err(format!("{wrong} passes").into());
            }
        }
        Ok(())
    })
}

pub(crate) fn golden_reply() -> Result<(), Stop> {
    on_bench(2, &["rst_reply"], |bench| {
        for id in ["rst/fin-then-rst-in-2-6", "rst/edited-trigger-in-2-6"] {
            let mut frames = golden(id)?;
            let trigger = frames.remove(0);
            same(id, &bench.exchange(2, &[trigger])?, &vec![frames.remove(0)])?;
        }
        counts(bench, "rst_reply", &[("resets", 2), ("silent.rst", 0)])
    })
}

pub(crate) fn reply_ports() -> Result<(), Stop> {
    on_bench(2, &["rst_reply"], |bench| {
        let mut frames = golden("rst/fin-then-rst-in-2-6")?;
        let (reset, trigger) = (frames.remove(1), frames.remove(0));
        for (ports, shown, answered) in [
            ("1-1024,8080", "1-1024,8080", true),
            ("none", "none", false),
            ("81", "81", false),
            ("all", "0-65535", true),
        ] {
            bench.run(&format!("echo ports={ports} >/proc/net/rst_reply"))?;
            let told = bench.run("head -n 1 /proc/net/rst_reply")?;
            same("ports", &told.trim(), &format!("ports {shown}").as_str())?;
            let wanted = if answered { vec![reset.clone()] } else { Vec::new() };
            same(ports, &bench.exchange(2, std::slice::from_ref(&trigger))?, &wanted)?;
        }
        counts(bench, "rst_reply", &[("resets", 2), ("silent.port", 2)])?;
        bench.run("echo ports=off >/proc/net/rst_reply")?;
        let own = golden("rst/fin-then-rst")?.remove(1);
        same("off", &bench.exchange(2, &[trigger])?, &vec![own])?;
        counts(bench, "rst_reply", &[("resets", 2), ("silent.port", 2)])?;
        for wrong in ["ports=x", "ports=65536", "ports=2-1", "80", "port=80"] {
            if bench.run(&format!("echo {wrong} >/proc/net/rst_reply")).is_ok() {
                return Err(format!("{wrong} passes").into());
            }
        }
        Ok(())
    })
}
