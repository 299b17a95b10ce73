//! What a process on the wire may still do: few capabilities, no new privileges, and no setting of
//! the machine. A namespace's own settings are written through the same folder.

use std::fs::{self, OpenOptions};

use libtest_mimic::Failed;
use wireproof_veth::enter;

use crate::Test;

pub(crate) const TESTS: [(&str, Test); 3] = [
    ("few_capabilities_are_left_and_none_can_be_gained", few_capabilities),
    ("no_setting_but_a_networks_can_be_opened", settings_are_sealed),
    ("who_has_given_up_rights_may_enter_again", || Ok(enter()?)),
];

fn few_capabilities() -> Result<(), Failed> {
    let status = fs::read_to_string("/proc/thread-self/status")?;
    let value = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)).unwrap_or("").to_owned()
    };
    // CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, SETPCAP, NET_BIND_SERVICE, NET_ADMIN,
    // NET_RAW, SYS_ADMIN.
    let most = [0, 1, 2, 3, 4, 8, 10, 12, 13, 21].iter().fold(0_u64, |all, one| all | 1 << one);
    for set in ["CapPrm:", "CapEff:", "CapBnd:"] {
        let has = u64::from_str_radix(&value(set), 16)?;
        if has & !most != 0 {
            return Err(format!("{set} {has:x} has {:x} too much", has & !most).into());
        }
    }
    let [inheritable, ambient] = ["CapInh:", "CapAmb:"].map(value);
    if [inheritable, ambient].iter().any(|set| !set.trim_start_matches('0').is_empty()) {
        return Err("a program that is started inherits capabilities".into());
    }
    match value("NoNewPrivs:").as_str() {
        "1" => Ok(()),
        other => Err(format!("new privileges can be gained: {other}").into()),
    }
}

/// Opens and writes nothing, so that a fault here does the machine no harm.
fn settings_are_sealed() -> Result<(), Failed> {
    let open = |file: &str| OpenOptions::new().write(true).open(format!("/proc/sys/{file}"));
    for file in ["kernel/hostname", "kernel/core_pattern", "vm/swappiness", "fs/file-max"] {
        if open(file).is_ok() {
            return Err(format!("{file} can be written").into());
        }
    }
    open("net/ipv4/ip_default_ttl").map(drop)?;
    Ok(())
}
