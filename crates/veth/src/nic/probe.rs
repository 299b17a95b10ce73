//! One question to the device before a run: a frame that goes out, and whether an answer comes.
//! Neither is part of any capture. Knows no protocol: the caller says what an answer is.

use std::future::poll_fn;

use wire::Duration;

use super::port::Port;
use super::stop::Stop;
use crate::clock::{Clock, Timer};
use crate::end::Arrived;
use crate::error::{Error, Tried};

/// What came of a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// How often it was asked.
    pub times: u32,
    /// An answer came.
    pub answered: bool,
}

/// Sends the frame on an interface until an answer comes: so many times at most, each with this
/// timeout.
///
/// # Errors
/// When the interface takes no frame, or the user ends the run.
pub fn ask(
    interface: &str,
    frame: &[u8],
    is_answer: impl Fn(&[u8]) -> bool,
    (times, timeout): (u32, Duration),
) -> Result<Asked, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.tried("make a runtime")?;
    let (port, timer, stop) = {
        let _context = runtime.enter();
        (Port::open(interface)?, Timer::new()?, Stop::hold()?)
    };
    let mut arrived = Arrived::new();
    let clock = Clock::start();
    let mut asked = Asked::default();
    while asked.times < times {
        runtime.block_on(port.send(frame, &timer))?;
        asked.times += 1;
        let limit = clock.now() + timeout;
        loop {
            while let Some(received) = port.take(&mut arrived)? {
                if !received.outgoing && is_answer(arrived.frame()) {
                    return Ok(Asked { answered: true, ..asked });
                }
                // A cable that is never silent does not keep the run from ending.
                if clock.now() >= limit {
                    break;
                }
            }
            let now = clock.now();
            if now >= limit {
                break;
            }
            runtime.block_on(async {
                tokio::select! {
                    biased;
                    ended = stop.asked() => Err(ended),
                    came = poll_fn(|context| port.poll_frame(context)) => came,
                    slept = timer.sleep(limit - now) => slept,
                }
            })?;
        }
    }
    Ok(asked)
}
