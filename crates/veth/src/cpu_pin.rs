//! Pins the sending thread to its CPU. A veth transmit runs the receive path on the sender's CPU
//! through that CPU's backlog. So two frames sent from two CPUs can be reordered, and two from one
//! CPU cannot.

use crate::sys::cores::{self, Cores};

/// The thread's affinity, pinned or as it was.
#[derive(Debug, Default)]
pub(crate) struct CpuPin {
    /// The affinity without the pin, once it was read.
    free: Option<Cores>,
    pinned: bool,
}

impl CpuPin {
    /// Pins the thread to its present CPU. Where that is forbidden, only the order is lost, and
    /// only on a busy CPU.
    pub(crate) fn begin(&mut self) {
        if self.pinned {
            return;
        }
        self.free = self.free.or_else(|| cores::cores().ok());
        self.pinned = self.free.is_some() && cores::run_on(&Cores::this_one()).is_ok();
    }

    /// Restores the affinity.
    pub(crate) fn end(&mut self) {
        if let (true, Some(free)) = (self.pinned, &self.free) {
            let _ = cores::run_on(free);
            self.pinned = false;
        }
    }
}

impl Drop for CpuPin {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_pinned_to_one_cpu_and_then_has_its_affinity_again() {
        let before = cores::cores().unwrap().count();
        let mut pin = CpuPin::default();
        pin.begin();
        pin.begin();
        assert_eq!(cores::cores().unwrap().count(), 1);
        pin.end();
        assert_eq!(cores::cores().unwrap().count(), before);
    }
}
