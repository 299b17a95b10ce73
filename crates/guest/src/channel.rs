//! The channel to the shell in a guest: requests and answers over a stream, in turn. Knows how a
//! script is wrapped; not what it does.

use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use wire::Duration;

use crate::clock::Deadline;
use crate::error::{Error, Tried};
use crate::lockstep::{Lockstep, StopError, is_late, read_some};

/// Stands before the line that ends an answer.
const MARK: u8 = 0x01;

/// Our end.
#[derive(Debug)]
pub(crate) struct Channel {
    line: Line,
    requests: u64,
}

/// The transport of the channel.
#[derive(Debug)]
enum Line {
    /// A serial device of a guest that runs freely.
    Stream(UnixStream),
    /// The mailbox of a guest in lockstep.
    Mailbox(Box<Lockstep>),
}

/// The outcome of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The script is done: its status and all that it wrote.
    Done(u8, String),
    /// The time is over; what it wrote until then.
    Late(String),
    /// The other end is no more; what it wrote until then.
    Gone(String),
}

impl Channel {
    /// The channel, and the end that QEMU holds.
    pub(crate) fn pair() -> Result<(Self, OwnedFd), Error> {
        let (stream, theirs) = UnixStream::pair().tried("make a channel to a guest")?;
        Ok((Self { line: Line::Stream(stream), requests: 0 }, theirs.into()))
    }

    /// The channel to a guest in lockstep.
    pub(crate) fn lockstep(lockstep: Lockstep) -> Self {
        Self { line: Line::Mailbox(Box::new(lockstep)), requests: 0 }
    }

    /// The guest in lockstep that is at the other end, if it is one.
    pub(crate) fn mailbox(&mut self) -> Option<&mut Lockstep> {
        match &mut self.line {
            Line::Stream(_) => None,
            Line::Mailbox(lockstep) => Some(lockstep),
        }
    }

    /// Has a script run, in a shell of its own that has the functions of the agent.
    pub(crate) fn run(&mut self, script: &str, timeout: Duration) -> Result<Answer, Error> {
        if script.contains('\0') {
            return Err(Error::Plan("a script for a guest holds no NUL byte".to_owned()));
        }
        let quoted = script.replace('\'', r"'\''");
        self.request(&format!("(eval '{quoted}\n') </dev/null"), timeout)
    }

    /// Has the shell itself run a script.
    pub(crate) fn request(&mut self, text: &str, timeout: Duration) -> Result<Answer, Error> {
        self.requests += 1;
        let number = self.requests;
        let request = format!("{text}\nprintf '\\001%s %s\\n' {number} $?\n");
        let deadline = Deadline::after(timeout);
        if let Line::Stream(stream) = &self.line {
            stream.set_write_timeout(Some(timeout)).tried("write to the guest")?;
        }
        match self.write(&request) {
            Ok(()) => self.answer(number, deadline),
            Err(error) if is_late(&error) => Ok(Answer::Late(String::new())),
            Err(_) => Ok(Answer::Gone(String::new())),
        }
    }

    /// Gives the shell something to do as its last deed: it ends as soon as it has answered, and
    /// reads nothing that is meant for the next one.
    pub(crate) fn last(&mut self, text: &str, timeout: Duration) -> Result<Answer, Error> {
        let number = self.requests + 1;
        let answered = format!("printf '\\001%s %s\\n' {number} $?");
        self.request(&format!("{{\n{text}\n{answered}\nexit 77\n}}"), timeout)
    }

    /// Writes input that has no answer.
    pub(crate) fn write(&mut self, text: &str) -> io::Result<()> {
        match &mut self.line {
            Line::Stream(stream) => stream.write_all(text.as_bytes()),
            Line::Mailbox(lockstep) => {
                lockstep.write(text.as_bytes());
                Ok(())
            }
        }
    }

    fn answer(&mut self, number: u64, deadline: Deadline) -> Result<Answer, Error> {
        let mut came = Vec::new();
        loop {
            if let Some(status) = end(&mut came, number) {
                return Ok(Answer::Done(status, text(&came)));
            }
            match self.read(&mut came, deadline) {
                Ok(()) => {}
                Err(StopError::Late) => return Ok(Answer::Late(text(&came))),
                Err(StopError::Gone) => return Ok(Answer::Gone(text(&came))),
                Err(StopError::Failed(error)) => return Err(error),
            }
        }
    }

    /// Appends output of the shell, once there is any.
    fn read(&mut self, came: &mut Vec<u8>, deadline: Deadline) -> Result<(), StopError> {
        match &mut self.line {
            Line::Stream(stream) => read_some(stream, came, deadline),
            Line::Mailbox(lockstep) => lockstep.read(came, deadline),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Takes the line that ends the answer to this request off what came, and gives its status.
fn end(came: &mut Vec<u8>, number: u64) -> Option<u8> {
    let line = came.strip_suffix(b"\n")?;
    let at = line.iter().rposition(|byte| *byte == MARK)?;
    let words = std::str::from_utf8(&line[at + 1..]).ok()?;
    let (of, status) = words.split_once(' ')?;
    let status = status.parse().ok().filter(|_| of == number.to_string())?;
    came.truncate(at);
    Some(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::thread;

    #[test]
    fn an_answer_ends_with_its_own_line_and_no_other() {
        for (came, is) in [
            (&b"out\x017 0\n"[..], Some((0, &b"out"[..]))),
            (b"\x017 255\n", Some((255, b""))),
            (b"\x016 0\n", None),
            (b"\x017 0", None),
            (b"\x017 256\n", None),
            (b"\x01\x017 1\n", Some((1, b"\x01"))),
            (b"\x017 0\nmore\n", None),
            (b"", None),
        ] {
            let mut bytes = came.to_vec();
            let status = end(&mut bytes, 7);
            assert_eq!(status.map(|status| (status, &bytes[..])), is, "{came:?}");
        }
    }

    #[test]
    fn a_request_is_answered_late_or_never() {
        let (mut channel, theirs) = Channel::pair().unwrap();
        let mut theirs = UnixStream::from(theirs);
        let asked = thread::spawn(move || {
            let mut request = [0; 4096];
            let bytes = theirs.read(&mut request).unwrap();
            theirs.write_all(b"wha").unwrap();
            theirs.write_all(b"t\n\x011 3\n").unwrap();
            (text(&request[..bytes]), theirs)
        });
        let answer = channel.run("echo 'x'", Duration::from_secs(10)).unwrap();
        assert_eq!(answer, Answer::Done(3, "what\n".to_owned()));
        let (request, theirs) = asked.join().unwrap();
        assert!(request.starts_with("(eval 'echo '\\''x'\\''\n') </dev/null\n"), "{request}");
        let answer = channel.run("sleep", Duration::from_millis(10)).unwrap();
        assert_eq!(answer, Answer::Late(String::new()));
        drop(theirs);
        let answer = channel.run("", Duration::from_secs(10)).unwrap();
        assert_eq!(answer, Answer::Gone(String::new()));
        assert!(matches!(channel.run("a\0b", Duration::ZERO), Err(Error::Plan(_))));
    }
}
