//! Keeps a thread on its core for a while. What is sent over a veth is handled by the core that
//! sends it, in the order in which it is sent there; a busy core may leave some of it for later. So
//! of two frames sent on two cores the second may be handled first, and on one core never.

use crate::sys::cores::{self, Cores};

/// The thread's way to stay and to go where it likes again.
#[derive(Debug, Default)]
pub(crate) struct Stay {
    /// Where it may run otherwise, once that was asked.
    free: Option<Cores>,
    stays: bool,
}

impl Stay {
    /// Stays on the core that the thread runs on. Where that is forbidden nothing is lost but the
    /// order, and only on a core that is busy.
    pub(crate) fn begin(&mut self) {
        if self.stays {
            return;
        }
        self.free = self.free.or_else(|| cores::cores().ok());
        self.stays = self.free.is_some() && cores::run_on(&Cores::this_one()).is_ok();
    }

    /// Goes where it likes again.
    pub(crate) fn end(&mut self) {
        if let (true, Some(free)) = (self.stays, &self.free) {
            let _ = cores::run_on(free);
            self.stays = false;
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stays_on_one_core_and_may_then_run_where_it_might_before() {
        let before = cores::cores().unwrap().count();
        let mut stay = Stay::default();
        stay.begin();
        stay.begin();
        assert_eq!(cores::cores().unwrap().count(), 1);
        stay.end();
        assert_eq!(cores::cores().unwrap().count(), before);
    }
}
