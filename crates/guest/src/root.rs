//! The root file system of a guest: made in memory at each boot from what is on this machine.
//! Knows which files a guest needs; not how it is booted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cpio::Archive;
use crate::error::{Error, Tried};
use crate::image::Image;
use crate::modules::{self, Chosen};
use crate::tools::{self, TOOLS};

/// The first process.
const INIT: &str = include_str!("root/init.sh");

/// Folders that are but other names of those of `/usr`.
const MERGED: [&str; 4] = ["/bin", "/sbin", "/lib", "/lib64"];

/// A path in the guest, with no link in it.
fn merged(path: &str) -> String {
    let below = |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    match MERGED.iter().any(|folder| below(folder)) {
        true => format!("/usr{path}"),
        false => path.to_owned(),
    }
}

/// Makes the archive for a kernel and the modules that the user brings along.
pub(crate) fn make(image: &Image, brought: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, Error> {
    let mut archive = Archive::default();
    // One tree of programs and libraries, whether this machine has one or two.
    for folder in MERGED {
        archive.link(folder, &format!("usr{folder}"));
    }
    for folder in ["/dev", "/proc", "/sys", "/tmp", "/run", "/var/run", "/modules"] {
        archive.folder(folder);
    }
    // Before the links of busybox, which has an applet of some of these names too.
    for tool in TOOLS {
        let Ok(found) = tool.find() else { continue };
        for file in found.libraries.iter().chain([&found.program]) {
            copy(&mut archive, file)?;
        }
        for name in tool.names {
            archive.link(&format!("/usr/bin/{name}"), &found.program.to_string_lossy());
        }
    }
    busybox(&mut archive)?;
    let chosen = modules::choose(&image.modules)?;
    kernel_modules(&mut archive, image, &chosen)?;
    for (name, bytes) in brought {
        archive.file(&format!("/modules/{name}"), bytes);
    }
    // Names that nft and iptables look up.
    let protocols = "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\n";
    archive.file("/etc/protocols", protocols.as_bytes());
    archive.file("/init", INIT.as_bytes());
    Ok(archive.finish())
}

fn copy(archive: &mut Archive, file: &Path) -> Result<(), Error> {
    let bytes = fs::read(file).tried(format!("read {}", file.display()))?;
    archive.file(&merged(&file.to_string_lossy()), &bytes);
    Ok(())
}

/// The shell and the tools of the guest: a busybox that needs no library.
fn busybox(archive: &mut Archive) -> Result<(), Error> {
    let program = tools::needed("busybox", "it is a guest's shell", "busybox-static")?;
    let shown = program.display();
    let listed = Command::new(&program).arg("--list").output().tried(format!("run {shown}"))?;
    let bytes = fs::read(&program).tried(format!("read {shown}"))?;
    archive.file("/usr/bin/busybox", &bytes);
    let applets = String::from_utf8_lossy(&listed.stdout).into_owned();
    for needed in ["sh", "insmod", "ip", "mount", "nsenter", "poweroff", "unshare", "usleep"] {
        if !applets.lines().any(|applet| applet == needed) {
            let text = format!("{shown} has no `{needed}`: apt-get install busybox-static");
            return Err(Error::Missing(text));
        }
    }
    for applet in applets.lines() {
        archive.link(&format!("/usr/bin/{applet}"), "busybox");
    }
    // Where the kernel looks for it when a rule asks for a module.
    archive.link("/usr/sbin/modprobe", "/bin/busybox");
    Ok(())
}

fn kernel_modules(archive: &mut Archive, image: &Image, chosen: &Chosen) -> Result<(), Error> {
    let home = format!("/usr/lib/modules/{}", image.release);
    archive.folder(&home);
    for file in &chosen.files {
        let from = image.modules.join(file);
        let bytes = fs::read(&from).tried(format!("read {}", from.display()))?;
        archive.file(&format!("{home}/{file}"), &bytes);
    }
    archive.file(&format!("{home}/modules.dep"), chosen.dependencies.as_bytes());
    archive.file(&format!("{home}/modules.alias"), chosen.aliases.as_bytes());
    let at_boot = &chosen.files[..chosen.at_boot];
    let list: String = at_boot.iter().map(|file| format!("{home}/{file}\n")).collect();
    archive.file("/modules.boot", list.as_bytes());
    Ok(())
}
