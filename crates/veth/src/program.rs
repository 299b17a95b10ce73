//! Programs of the system that load rules: where they lie, what they may do, and how long they may
//! take. Knows no rule; what a program is fed comes from the crate `linux`.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Child, Stdio};
use std::sync::mpsc;
use std::thread;

use linux::Load;
use wire::Duration;

use crate::error::Error;
use crate::rights::{self, Files};

/// How long a program may take; on a busy machine one takes tens of milliseconds.
const MOST_TIME: Duration = Duration::from_secs(20);
/// What it says beyond this is not kept.
const MOST_SAID: u64 = 64 * 1024;
/// Where root looks for programs and an ordinary user does not; in a namespace of their own both
/// may use them.
const OF_ROOT: &str = ":/usr/local/sbin:/usr/sbin:/sbin";

fn path() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(OF_ROOT);
    path
}

/// A program of the system, looked for where root's lie too.
#[must_use]
pub fn program(name: &str) -> process::Command {
    let mut command = process::Command::new(name);
    command.env("PATH", path());
    command
}

/// Whether this program is there and says its version within its time.
#[must_use]
pub fn runs(name: &str) -> bool {
    let mut command = program(name);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let Ok(child) = command.spawn() else { return false };
    finished(child, "", MOST_TIME).is_ok_and(|(succeeded, _)| succeeded)
}

/// Where the program lies, if it does.
fn found(name: &str) -> Option<PathBuf> {
    let path = path();
    // An empty part, or one that leads from where one stands, is whoever's folder that is.
    let folders = std::env::split_paths(&path).filter(|folder| folder.is_absolute());
    let mut files = folders.map(|folder| folder.join(name));
    files.find(|file| file.is_file())
}

/// Whether the kernel takes these rules in the calling thread's namespace.
///
/// # Errors
/// Says what the program or the kernel says.
pub fn can_load(load: &Load) -> Result<(), String> {
    let text = |error: Error| {
        let text = error.to_string();
        text.lines().find(|line| line.contains("rror")).unwrap_or(&text).trim().to_owned()
    };
    load.programs.iter().try_for_each(|program| feed(program, load)).map_err(text)
}

/// Runs a program in the calling thread's namespace with rules as its input.
pub(crate) fn feed(name: &str, load: &Load) -> Result<(), Error> {
    let Load { arguments, package, text, .. } = load;
    let failed = |text: String| Error::Tool(format!("{name}: {text}"));
    let missing =
        |why: String| failed(format!("{why} (a kernel node needs it: apt-get install {package})"));
    let at = found(name).ok_or_else(|| missing("there is no such program".to_owned()))?;
    let child = start(&at, arguments).map_err(|error| missing(error.to_string()))?;
    match finished(child, text, MOST_TIME) {
        Ok((true, _)) => Ok(()),
        Ok((false, text)) => Err(failed(format!("it refuses these rules:\n{text}{}", text.trim()))),
        Err(text) => Err(failed(text)),
    }
}

fn start(at: &Path, arguments: &[&str]) -> std::io::Result<Child> {
    let mut command = process::Command::new(at);
    let real = at.canonicalize()?;
    rights::confine(&mut command, Files::few(&real));
    // Its lock belongs to the host, and these rules do not.
    command.env("PATH", OF_ROOT.trim_start_matches(':')).env("XTABLES_LOCKFILE", "/dev/null");
    command.args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn()
}

/// Gives a program its input and waits for it: whether it succeeded, and what it said. One that
/// takes too long is ended.
fn finished(mut child: Child, input: &str, most: Duration) -> Result<(bool, String), String> {
    let (done, ended) = mpsc::channel();
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    thread::scope(|scope| {
        let writes = move || {
            if let Some(mut stdin) = stdin {
                // A program that stops reading says why on its own.
                let _ = stdin.write_all(input.as_bytes());
            }
        };
        let reads = move || {
            let mut said = Vec::new();
            if let Some(mut stderr) = stderr {
                let _ = stderr.by_ref().take(MOST_SAID).read_to_end(&mut said);
                let _ = std::io::copy(&mut stderr, &mut std::io::sink());
            }
            let _ = done.send(said);
        };
        let begun = thread::Builder::new().spawn_scoped(scope, writes).is_ok()
            && thread::Builder::new().spawn_scoped(scope, reads).is_ok();
        // Its end closes what it says, which is known at once and without asking again and again.
        let said = if begun { ended.recv_timeout(most).ok() } else { None };
        let (status, said) = match said {
            Some(said) => (patient(&mut child, most), said),
            None => (None, Vec::new()),
        };
        let Some(status) = status else {
            rights::kill_group(child.id());
            let _ = child.wait();
            return Err(format!("it did not end within {} s and was ended", most.as_secs()));
        };
        Ok((status, String::from_utf8_lossy(&said).into_owned()))
    })
}

/// The end of a program that has nothing more to say, which is near.
fn patient(child: &mut Child, most: Duration) -> Option<bool> {
    let (mut pause, mut waited) = (Duration::from_micros(20), Duration::ZERO);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if waited < most => {}
            _ => return None,
        }
        #[expect(clippy::disallowed_methods, reason = "a program ends by the real clock")]
        thread::sleep(pause);
        waited += pause;
        pause = (pause * 2).min(Duration::from_millis(10));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child {
        start(Path::new("/bin/sh"), &["-c", script]).expect("a shell")
    }

    const SHORT: Duration = Duration::from_millis(300);

    #[test]
    fn a_program_that_ends_is_told_by_its_end_and_its_words() {
        let done = finished(shell("read line; echo got $line >&2; exit 3"), "rules\n", SHORT);
        assert_eq!(done, Ok((false, "got rules\n".to_owned())));
        let much = "x".repeat(1 << 20);
        assert_eq!(finished(shell("exit 0"), &much, SHORT), Ok((true, String::new())));
    }

    #[test]
    fn a_program_that_does_not_end_is_ended_with_all_that_it_started() {
        for script in [
            "while :; do :; done",
            "exec 2>&-; while :; do :; done",
            "(while :; do :; done) & wait",
        ] {
            let error = finished(shell(script), "", SHORT).expect_err(script);
            assert!(error.contains("did not end"), "{error}");
        }
    }

    #[test]
    fn a_program_has_no_environment_and_reads_no_file_of_the_machine() {
        let (_, error) = finished(shell("env >&2; pwd >&2"), "", SHORT).expect("an end");
        assert!(!error.contains("CARGO") && error.contains("\n/\n"), "{error}");
        if Files::few(Path::new("/bin/sh")).is_none() {
            eprintln!("not run: this kernel has no Landlock");
            return;
        }
        for file in ["/etc/passwd", "/etc/hostname", "/proc/version"] {
            let script = format!("while read line; do echo $line >&2; done <{file}");
            let (succeeded, error) = finished(shell(&script), "", SHORT).expect("an end");
            assert!(!succeeded && !error.contains("root:"), "{file}: {error}");
        }
        let (succeeded, error) =
            finished(shell(": >/tmp/wireproof-no-file"), "", SHORT).expect("an end");
        assert!(!succeeded && !Path::new("/tmp/wireproof-no-file").exists(), "{error}");
    }
}
