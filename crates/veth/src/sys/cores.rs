//! On which cores a thread runs. Knows numbers of cores; decides nothing.

use std::{fmt, io, mem};

/// Cores that a thread may run on.
#[derive(Clone, Copy)]
pub(crate) struct Cores(libc::cpu_set_t);

impl fmt::Debug for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores", self.count())
    }
}

impl Cores {
    fn none() -> Self {
        #[expect(unsafe_code, reason = "a set of cores is an array of bits that libc hides")]
        // SAFETY: all zeros is the empty set.
        unsafe {
            Self(mem::zeroed())
        }
    }

    /// The one that the calling thread runs on at this moment.
    pub(crate) fn this_one() -> Self {
        let mut cores = Self::none();
        #[expect(
            unsafe_code,
            reason = "no safe form of sched_getcpu(3) in a crate that is used here"
        )]
        // SAFETY: the call takes nothing; CPU_SET passes over a number that the set has no bit for.
        unsafe {
            libc::CPU_SET(usize::try_from(libc::sched_getcpu()).unwrap_or(0), &mut cores.0);
        }
        cores
    }

    /// How many they are.
    pub(crate) fn count(&self) -> usize {
        #[expect(unsafe_code, reason = "libc counts the bits that it hides")]
        // SAFETY: reads the set and nothing else.
        let count = unsafe { libc::CPU_COUNT(&self.0) };
        usize::try_from(count).unwrap_or(0)
    }
}

/// The cores that the calling thread may run on.
pub(crate) fn cores() -> io::Result<Cores> {
    let mut cores = Cores::none();
    #[expect(unsafe_code, reason = "no safe form of sched_getaffinity(2) in a crate in use")]
    // SAFETY: pointer and length are those of the set, which lives through the call.
    let result = unsafe { libc::sched_getaffinity(0, mem::size_of_val(&cores.0), &mut cores.0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(cores) }
}

/// Lets the calling thread run on these cores alone.
pub(crate) fn run_on(cores: &Cores) -> io::Result<()> {
    #[expect(unsafe_code, reason = "no safe form of sched_setaffinity(2) in a crate in use")]
    // SAFETY: pointer and length are those of the set, which the call only reads.
    let result = unsafe { libc::sched_setaffinity(0, mem::size_of_val(&cores.0), &cores.0) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
