//! What a guest needs of this machine, a line a thing: for a user who asks before one is booted.
//! Boots nothing.

use crate::error::Error;
use crate::image::Image;
use crate::kbuild::{self, Headers};
use crate::store::Store;
use crate::{qemu, tools};

/// A thing that guests need.
#[derive(Debug)]
pub struct Need {
    /// The thing.
    pub what: &'static str,
    /// What it is needed for.
    pub purpose: &'static str,
    /// Whether it is there; [`Error::Missing`] with the command that gives it, if not.
    pub found: Result<(), Error>,
}

/// All of it. What the first three find is what every guest needs.
#[must_use]
pub fn needs() -> [Need; 6] {
    let busybox = "kind guest: its shell";
    let qemu = tools::needed(qemu::PROGRAM, qemu::PURPOSE, qemu::PACKAGE).map(drop);
    let shell = tools::needed("busybox", "it is a guest's shell", "busybox-static").map(drop);
    let headers = Headers::find().map(drop);
    let built = Image::find().and_then(|image| Store::of_user()?.built(&image.release)).map(drop);
    [
        Need { what: "QEMU", purpose: "kind guest: the machine that it runs in", found: qemu },
        Need { what: "busybox", purpose: busybox, found: shell },
        Need {
            what: "guest kernel",
            purpose: "kind guest without kernel=: an image in /boot and its modules",
            found: Image::find().map(drop),
        },
        Need {
            what: "kernel modules",
            purpose: "kind guest with module= or clock=lockstep",
            found: built,
        },
        Need { what: "kernel headers", purpose: "wireproof modules build", found: headers },
        Need { what: "gcc and make", purpose: "the same", found: kbuild::programs() },
    ]
}
