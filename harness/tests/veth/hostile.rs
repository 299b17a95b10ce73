//! A scenario of a stranger's, run by root: what it asks of a kernel reaches no setting and no file
//! of the machine, and is refused with its place where that can be seen in the file.

use std::collections::BTreeMap;
use std::fs;

use libtest_mimic::Trial;
use testing::{Stop, told};

use crate::{Place, always, has, trial};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        always("no_setting_of_the_machine_is_written", no_setting_of_the_machine_is_written),
        always(
            "no_rule_reads_a_file_or_makes_a_table_of_its_own",
            no_rule_reads_a_file_or_makes_a_table_of_its_own,
        ),
        trial("what_nft_refuses_is_told_in_its_words", what_nft_refuses_is_told_in_its_words),
    ]
}

fn with(option: &str, value: &str) -> String {
    let value = serde_json::to_string(value).expect("a text");
    format!(
        r#"{{ "title": "What a stranger asks of a kernel",
  "nodes": {{
    "client": {{ "kind": "tester", "ip": "10.0.0.1" }},
    "server": {{ "kind": "linux", "ip": "10.0.0.2", "reject": "none", "{option}": [{value}] }}
  }},
  "links": [{{ "ends": ["client", "server"] }}],
  "steps": [{{ "wait": "1ms" }}] }}"#
    )
}

/// Settings of the machine that an attack would change, and what they are.
fn settings() -> BTreeMap<&'static str, String> {
    let files = [
        "kernel/hostname",
        "kernel/domainname",
        "kernel/core_pattern",
        "kernel/panic",
        "vm/swappiness",
        "fs/suid_dumpable",
        "net/core/rmem_max",
        "net/core/somaxconn",
        "net/ipv4/ip_default_ttl",
        "net/ipv4/ip_forward",
        "net/ipv4/tcp_mem",
        "net/ipv4/tcp_max_orphans",
        "net/ipv4/tcp_allowed_congestion_control",
        "net/ipv6/conf/all/forwarding",
        "net/netfilter/nf_conntrack_max",
    ];
    let read = |file: &str| fs::read_to_string(format!("/proc/sys/{file}")).ok();
    files.into_iter().filter_map(|file| Some((file, read(file)?))).collect()
}

fn no_setting_of_the_machine_is_written(place: &Place) {
    let before = settings();
    for (name, refused) in [
        ("kernel.hostname=owned", true),
        ("kernel/core_pattern=|/tmp/x", true),
        ("/proc/sys/kernel/hostname=owned", true),
        ("net/../kernel/hostname=owned", true),
        ("net/ipv4/../../kernel/hostname=owned", true),
        ("net....kernel.hostname=owned", true),
        ("net/./../kernel/hostname=owned", true),
        ("vm.swappiness=7", true),
        ("net.=1", true),
        ("=1", true),
        ("net.ipv4.ip_default_ttl=7\n", false),
        ("net.ipv4.ip_default_ttl=77", false),
        ("net.ipv4.ip_forward=1", false),
        ("net.core.somaxconn=77", false),
        ("net.core.rmem_max=77777", false),
        ("net.ipv4.tcp_mem=1 2 3", false),
        ("net.ipv4.tcp_max_orphans=7", false),
        ("net.ipv4.tcp_allowed_congestion_control=reno", false),
        ("net.netfilter.nf_conntrack_max=77", false),
        ("net.ipv6.conf.all.forwarding=1", false),
    ] {
        place.write("own.json", &with("sysctls", name));
        let output = place.run(&["run", "--on", "veth", "--no-golden", "own.json"]);
        let told = told(&output);
        assert_eq!(before, settings(), "{name}: {told}");
        if refused {
            let placed = told.contains("own.json:4:");
            assert!(output.status.code() == Some(2) && placed, "{name}: {told}");
        }
        assert!(!told.contains("panicked"), "{name}: {told}");
    }
    // The same from the command line.
    let swap = "rejecter=linux,reject=none,sysctls=net/../kernel/hostname=owned";
    let output = place.run(&["run", "--on", "veth", "--swap", swap, "rst/syn"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert_eq!(before, settings());
}

fn no_rule_reads_a_file_or_makes_a_table_of_its_own(place: &Place) {
    place.write("rules.nft", "secret-of-the-host\n");
    let path = place.dir.path().join("rules.nft");
    let include = format!("include \"{}\"", path.display());
    for option in ["rules", "dnat", "snat"] {
        for line in [
            include.as_str(),
            "include \"/etc/passwd\"",
            "accept\ninclude \"/etc/passwd\"",
            "}\ntable inet other { chain c { type filter hook output priority 0; drop",
            "accept; include \"/etc/passwd\"",
            "jump { include \"/etc/passwd\" }",
            "jump { #",
            "define x = \"/etc/passwd\"",
            "ip saddr @/etc/passwd drop",
            "flush ruleset",
            "delete table inet wireproof",
            "log prefix \"x",
            "socket cgroupv2 level 1 \"../../../etc/passwd\" drop",
        ] {
            place.write("own.json", &with(option, line));
            let output = place.run(&["run", "--on", "veth", "--no-golden", "own.json"]);
            let told = told(&output);
            let read = ["root:", "secret-of-the-host"].iter().any(|word| told.contains(word));
            assert!(!read, "{option} {line}: {told}");
            let placed = told.contains("own.json:4:");
            assert!(output.status.code() == Some(2) && placed, "{option} {line}: {told}");
        }
    }
}

/// What a rule is refused for by `nft` itself is told too, and with the rule.
fn what_nft_refuses_is_told_in_its_words(place: &Place) -> Result<(), Stop> {
    has("nft")?;
    place.write("own.json", &with("rules", "tcp dport eighty drop"));
    let output = place.run(&["run", "--on", "veth", "--no-golden", "own.json"]);
    let told = told(&output);
    assert!(output.status.code() == Some(2) && told.contains("tcp dport eighty drop"), "{told}");
    Ok(())
}
