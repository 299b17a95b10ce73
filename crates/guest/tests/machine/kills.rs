//! No guest outlives its run, at whatever moment that is killed: in the window between the fork and
//! the word that the kernel is to announce our death, which is held open here, and at any other.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use guest::{Config, Image, Machine};
use libtest_mimic::{Failed, Trial};

use crate::endings::{ensure, pause};

/// Set for the copy of this program that boots a machine and is killed: a word of the guest's
/// command line, by which the machine is found.
const VICTIM: &str = "WIREPROOF_GUEST_KILLED";
/// How many kills, where these are not enough: so many aimed, so many at any moment.
const MORE: &str = "WIREPROOF_KILLS";
const FEW: [u32; 2] = [10, 4];
/// Milliseconds for which the window is held open.
const OPEN_MS: u32 = 60;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        crate::trial("no_guest_outlives_a_kill_in_the_window_of_its_start", aimed),
        crate::trial("no_guest_outlives_a_kill_at_any_moment", random),
    ]
}

fn how_many() -> [u32; 2] {
    let more = std::env::var(MORE).unwrap_or_default();
    let mut more = more.split(',').map(str::parse);
    match (more.next(), more.next()) {
        (Some(Ok(aimed)), Some(Ok(random))) => [aimed, random],
        _ => FEW,
    }
}

/// In the copy of this program: boots machines, one after the other, until it is killed.
pub(crate) fn victim() -> bool {
    let Ok(mark) = std::env::var(VICTIM) else { return false };
    let image = Image::find().expect("a kernel");
    loop {
        let mut config = Config::new(image.clone(), 2, PathBuf::from("console"));
        config.command_line.clone_from(&mark);
        drop(Machine::boot(&config).expect("boot"));
    }
}

/// A copy of this program in a folder of its own, and what is found of it.
struct Killed {
    folder: tempfile::TempDir,
    mark: String,
    child: Child,
}

impl Killed {
    fn start(number: u32, path: Option<&Path>) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let mark = format!("wireproof.kill={}-{number}", folder.path().display());
        let mut command = Command::new(std::env::current_exe()?);
        fs::create_dir(folder.path().join("tmp"))?;
        command.current_dir(folder.path()).env("TMPDIR", folder.path().join("tmp"));
        command.env(VICTIM, &mark).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some(path) = path {
            command.env("PATH", format!("{}:/usr/bin:/bin", path.display()));
        }
        Ok(Self { child: command.spawn()?, folder, mark })
    }

    /// Processes that are, or will be, its machine.
    fn machines(&self) -> usize {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let words = |process: fs::DirEntry| fs::read(process.path().join("cmdline")).ok();
        let text = |words: Vec<u8>| String::from_utf8_lossy(&words).into_owned();
        processes.filter_map(words).filter(|words| text(words.clone()).contains(&self.mark)).count()
    }

    /// Kills it; then nothing is left but the console's file, and goes on.
    fn kill(mut self, told: &str) -> Result<(), Failed> {
        self.child.kill()?;
        self.child.wait()?;
        // What is still a copy of ours bears the mark by then, and what is to end has ended.
        let window = (OPEN_MS as usize / 10) * 2;
        (0..window + 20).for_each(|_| pause());
        let left = self.machines();
        if left > 0 {
            let mark = &self.mark;
            let script = "for p in /proc/[0-9]*; do grep -qF \"$0\" $p/cmdline 2>/dev/null && \
                          [ ${p#/proc/} != $$ ] && kill -9 ${p#/proc/}; done";
            Command::new("sh").args(["-c", script, mark]).status()?;
        }
        ensure(left == 0, format!("{told}: {left} processes are left"))?;
        let files = |folder: &Path| -> Result<Vec<String>, Failed> {
            let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
            Ok(fs::read_dir(folder)?.flatten().map(name).collect())
        };
        let mut there = files(self.folder.path())?;
        there.retain(|name| name != "console" && name != "tmp");
        there.extend(files(&self.folder.path().join("tmp"))?);
        ensure(there.is_empty(), format!("{told}: {there:?} is left"))
    }
}

/// A `setpriv` that takes its time before it asks for the signal.
fn slow(folder: &Path) -> Result<(), Failed> {
    let real = ["/usr/bin/setpriv", "/bin/setpriv"].into_iter().find(|it| Path::new(it).is_file());
    let file = folder.join("setpriv");
    let mut made = fs::File::create(&file)?;
    let real = real.ok_or("there is no setpriv")?;
    write!(made, "#!/bin/sh\nsleep 0.0{OPEN_MS}\nexec {real} \"$@\"\n")?;
    drop(made);
    Ok(fs::set_permissions(&file, fs::Permissions::from_mode(0o755))?)
}

fn aimed() -> Result<(), Failed> {
    let path = tempfile::tempdir()?;
    slow(path.path())?;
    let [kills, _] = how_many();
    for number in 0..kills {
        let killed = Killed::start(number, Some(path.path()))?;
        for _ in 0..3000 {
            if killed.machines() > 0 {
                break;
            }
            milliseconds(2);
        }
        ensure(killed.machines() > 0, "it starts no machine")?;
        // Through the window and a good way beyond it.
        let after = number * OPEN_MS * 2 / kills.max(1);
        milliseconds(after);
        killed.kill(&format!("kill {number}, {after} ms after the fork"))?;
    }
    Ok(())
}

fn random() -> Result<(), Failed> {
    let [_, kills] = how_many();
    // Steps of the golden section come near to every moment, and are the same each time.
    for number in 0..kills {
        let after = (number + 1) * 3_708 % 6_000;
        let killed = Killed::start(number, None)?;
        milliseconds(after);
        killed.kill(&format!("kill {number}, {after} ms after the start"))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "another process runs meanwhile, by a real clock")]
fn milliseconds(count: u32) {
    std::thread::sleep(std::time::Duration::from_millis(u64::from(count)));
}
