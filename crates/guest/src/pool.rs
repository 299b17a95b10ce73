//! Machines that are kept between runs: booted once, emptied for each. Knows kinds of machines and
//! whether they are well; not what they are used for.

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::{Builder, TempPath};

use crate::config::{Clock, Config};
use crate::error::{Error, Tried};
use crate::image::Image;
use crate::machine::Machine;

/// Interfaces that a machine has at least: a host or a router of two links needs no other kind.
const LEAST_PORTS: usize = 2;

/// What has to be the same for a machine to be used again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The kernel.
    pub image: Image,
    /// By which clock it runs.
    pub clock: Clock,
    /// Modules (`.ko`) that lie in its `/modules`.
    pub modules: Vec<PathBuf>,
}

/// A shelf of machines; its copies share it. Machines on it end with the last copy.
#[derive(Clone, Debug, Default)]
pub struct Pool(Arc<Mutex<Vec<Kept>>>);

#[derive(Debug)]
struct Kept {
    machine: Machine,
    kind: Kind,
    ports: usize,
    console: TempPath,
}

impl Pool {
    /// A machine of this kind with so many ports at least, empty: one of the shelf, or a new one.
    ///
    /// # Errors
    /// As [`Machine::boot`].
    pub fn lease(&self, kind: &Kind, ports: usize) -> Result<Leased, Error> {
        while let Some(mut kept) = self.take(kind, ports) {
            // One that broke down on the shelf is nobody's finding; another will do.
            if kept.machine.health().is_ok() && kept.machine.fresh().is_ok() {
                return Ok(Leased { kept: Some(kept), pool: self.clone() });
            }
        }
        let console = Builder::new().prefix("wireproof-guest-").suffix(".console").tempfile();
        let console = console.tried("make a file for a guest's console")?.into_temp_path();
        let ports = ports.max(LEAST_PORTS);
        let mut config = Config::new(kind.image.clone(), ports, console.to_path_buf());
        config.clock = kind.clock;
        config.modules.clone_from(&kind.modules);
        let machine = match Machine::boot(&config) {
            Ok(machine) => machine,
            Err(error) => {
                // The error names the file.
                let _ = console.keep();
                return Err(error);
            }
        };
        let kept = Some(Kept { machine, kind: kind.clone(), ports, console });
        Ok(Leased { kept, pool: self.clone() })
    }

    fn take(&self, kind: &Kind, ports: usize) -> Option<Kept> {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |kept: &Kept| kept.kind == *kind && kept.ports >= ports;
        let at = shelf.iter().position(fits)?;
        Some(shelf.swap_remove(at))
    }

    fn give_back(&self, kept: Kept) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }
}

/// A machine in use. It goes back to its shelf unless something is wrong with it.
#[derive(Debug)]
pub struct Leased {
    kept: Option<Kept>,
    pool: Pool,
}

impl Leased {
    /// Ends the machine and keeps the file of its console, which an error names.
    pub fn discard(mut self) {
        if let Some(Kept { machine, console, .. }) = self.kept.take() {
            drop(machine);
            // Where it cannot be kept, the error is enough.
            let _ = console.keep();
        }
    }

    fn kept(&self) -> &Kept {
        self.kept.as_ref().expect("a machine is taken out only when this ends")
    }
}

impl Deref for Leased {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.kept().machine
    }
}

impl DerefMut for Leased {
    fn deref_mut(&mut self) -> &mut Machine {
        &mut self.kept.as_mut().expect("a machine is taken out only when this ends").machine
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        if let Some(mut kept) = self.kept.take()
            && kept.machine.health().is_ok()
        {
            self.pool.give_back(kept);
        }
    }
}
