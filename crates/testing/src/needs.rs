//! What a test needs of the machine: each function gives the reason why that is not there, and
//! `None` where it is. Knows no test.

use std::process::Command;

use guest::{Error, Headers, Image, Machine};
use libtest_mimic::Arguments;

/// Network namespaces, which this process enters: to be called while it has a single thread.
/// Whoever only lists tests enters none.
///
/// # Panics
/// When namespaces are allowed and entering them goes wrong all the same.
#[must_use]
pub fn namespaces(arguments: &Arguments) -> Option<String> {
    if arguments.list {
        return None;
    }
    match veth::enter() {
        Ok(()) => None,
        Err(veth::Error::Forbidden(why)) => Some(why),
        Err(error) => panic!("{error}"),
    }
}

/// Network namespaces, by what the command wrote when it was to run on the veth wire.
#[must_use]
pub fn namespaces_by(told: &str) -> Option<String> {
    told.contains("does not let this user make namespaces").then(|| told.trim().to_owned())
}

/// A program, looked for as the tests start it.
#[must_use]
pub fn program(name: &str) -> Option<String> {
    without(Command::new(name), name)
}

/// A program, `nft` say, looked for where a kernel node looks for it.
#[must_use]
pub fn rules_by(name: &str) -> Option<String> {
    without(veth::program(name), name)
}

/// Programs without this option say so; one that is not there says nothing.
fn without(mut program: Command, name: &str) -> Option<String> {
    let there = program.arg("--version").output().is_ok();
    (!there).then(|| format!("{name} is not installed here"))
}

/// QEMU, a kernel and a busybox to boot.
#[must_use]
pub fn machine() -> Option<String> {
    missing(Machine::possible())
}

/// The headers of the kernel that guests boot.
#[must_use]
pub fn headers() -> Option<String> {
    missing(Image::find().and_then(|image| Headers::of(&image.release)))
}

/// Kernel modules, by what the command wrote when it was to build them and failed: nothing is
/// wrong with a build that cannot begin.
#[must_use]
pub fn modules_by(told: &str) -> Option<String> {
    let lacks = ["apt-get install", "no safe folder"].iter().any(|sign| told.contains(sign));
    lacks.then(|| told.trim().to_owned())
}

fn missing<T>(result: Result<T, Error>) -> Option<String> {
    match result {
        Err(Error::Missing(what)) => Some(what),
        // Whatever else goes wrong is for the test to find.
        _ => None,
    }
}

#[test]
fn what_is_missing_has_a_reason() {
    let reason = program("wireproof-no-such-program");
    assert_eq!(reason.as_deref(), Some("wireproof-no-such-program is not installed here"));
    assert_eq!((program("true"), rules_by("true")), (None, None));
    assert_eq!(missing(Err::<(), _>(Error::Missing("QEMU".into()))).as_deref(), Some("QEMU"));
    assert_eq!(missing(Err::<(), _>(Error::Plan("no".into()))), None);
    assert_eq!((namespaces_by("error: nft"), modules_by("gcc: no such option")), (None, None));
    assert!(modules_by("no make: apt-get install make\n").is_some_and(|why| why.ends_with("make")));
}
