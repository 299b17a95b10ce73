//! The kind `guest`: a Linux kernel of its own in a machine of QEMU, or a module in it, in a node's
//! place. Knows its options and what its troubles mean for a run; the crate `guest` runs it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};
use guest::{Clock, Guest, Image, Linked, Module, Pool, SkbSender, Spec, Store, Trouble, Watch};
use link::NodeId;
use linux::{Kernel, Reject};
use nodes::{ConfigError, Kind, NodeConfig, OptionSpec, PortRule, Role};
use wire::{Duration, Instant, PortSet};

use super::{Run, Speaker, linux as kernels};

/// Its name.
pub const KIND: &str = "guest";

/// The names of the modules that are nodes.
pub const MODULE_NAMES: [&str; 3] = ["skb_sender", "md5_receiver", "rst_reply"];
const CLOCKS: [&str; 2] = ["free", "lockstep"];
/// The module that holds a guest in lockstep.
const LOCKSTEP: &str = "lockstep";

static OPTIONS: &[OptionSpec] = &[
    OptionSpec {
        name: "kernel",
        takes: "the path of a kernel image",
        default: "the newest of /boot",
        about: "the kernel that the machine boots",
    },
    OptionSpec {
        name: "clock",
        takes: "`free` or `lockstep`",
        default: "free",
        about: "free: the guest's clock runs by itself; on sim the link's stands still while it \
                works. lockstep, on sim: the guest's clock is the link's (wireproof modules \
                build)",
    },
    OptionSpec {
        name: "module",
        takes: "`skb_sender`, `md5_receiver` or `rst_reply`",
        default: "none",
        about: "a module that speaks in its kernel (wireproof modules build); TCP that comes in \
                and is not the module's is then dropped, unless reject or ports say otherwise",
    },
    OptionSpec {
        name: "load",
        takes: "paths of modules (.ko)",
        default: "none",
        about: "modules of your own that are loaded before",
    },
    OptionSpec {
        name: "port",
        takes: "a port",
        default: "80",
        about: "the TCP port that md5_receiver takes segments from",
    },
    OptionSpec { name: "src", takes: "a port", default: "4000", about: "skb_sender's source port" },
    OptionSpec {
        name: "dst",
        takes: "a port",
        default: "80",
        about: "skb_sender's destination port",
    },
    OptionSpec {
        name: "payload",
        takes: "bytes in hex",
        default: "0102030405060708090a0b0c0d0e0f10",
        about: "what skb_sender's segment carries",
    },
    OptionSpec {
        name: "defaults",
        takes: "`module` or `tester`",
        default: "module",
        about: "whose values skb_sender's frames have where a `send` leaves a field out; in a \
                tester's place a swap puts the tester's",
    },
    OptionSpec {
        name: "close-after",
        takes: "seconds",
        default: "never",
        about: "how long a program that listens keeps a connection before it closes it",
    },
    kernels::OPTIONS[0],
    kernels::OPTIONS[1],
    kernels::OPTIONS[2],
    kernels::OPTIONS[3],
    kernels::OPTIONS[4],
    kernels::OPTIONS[5],
    kernels::OPTIONS[6],
    kernels::OPTIONS[7],
    kernels::OPTIONS[8],
    kernels::OPTIONS[9],
];

/// The kind. Its node is a stand-in that only says that the options are right: a wire puts the
/// guest in its place.
#[must_use]
pub fn kind() -> Kind {
    let about = "a Linux kernel of its own in QEMU, or a module in it; needs no privilege";
    Kind::new(KIND, about, |config, kinds| {
        told(config)?;
        let mut stand_in = config.with_options(BTreeMap::new());
        stand_in.ports.truncate(1);
        kinds.build("sink", &stand_in)
    })
    .options(OPTIONS)
    .ports(PortRule::AtLeast(1))
    .wraps(|config| Some((in_rust(module(config)?)?.to_owned(), NodeConfig::default())))
    .role(|config, _| role(config))
}

/// The kind in Rust whose commands and events a module has.
fn in_rust(module: &str) -> Option<&'static str> {
    ["skb-sender", "md5-receiver"].into_iter().find(|kind| kind.replace('-', "_") == module)
}

/// What the options say.
#[derive(Clone, Debug)]
struct Told {
    kernel: Kernel,
    module: Option<Module>,
    image: Option<PathBuf>,
    load: Vec<PathBuf>,
    clock: Clock,
    close_after_secs: Option<u32>,
}

/// Reads the options.
fn told(config: &NodeConfig) -> Result<Told, ConfigError> {
    let options = config.read();
    // The place in the table is the clock.
    let clock = match options.one_of("clock", &CLOCKS)? {
        Some(1) => Clock::Lockstep,
        None | Some(_) => Clock::Free,
    };
    let mut kernel = kernels::kernel(config)?;
    let named = options.one_of("module", &MODULE_NAMES)?;
    let given = |name: &str| config.options.contains_key(name);
    for (name, module) in [("port", 1), ("src", 0), ("dst", 0), ("payload", 0), ("defaults", 0)] {
        if given(name) && named != Some(module) {
            let wants = MODULE_NAMES[module];
            return Err(ConfigError::at(name, format!("`{name}` is for module={wants} alone")));
        }
    }
    // Behind a module stands nothing unless it is asked for.
    if named.is_some() && !given("reject") && kernels::rejected(config)?.is_none() {
        kernel.rules.ports = PortSet::default();
    }
    let module = match named {
        None => None,
        Some(0) => Some(Module::SkbSender(SkbSender {
            src: options.num("src")?.unwrap_or(4000),
            dst: options.num("dst")?.unwrap_or(80),
            payload: options.hex("payload")?,
            whole: options.one_of("defaults", &["module", "tester"])? == Some(1),
        })),
        Some(1) => Some(Module::Md5Receiver(options.num("port")?.unwrap_or(80))),
        Some(_) => {
            // The module is the rule, and says no to all else by itself.
            kernel.rules.reject = Reject::None;
            Some(Module::RstReply(kernels::rejected(config)?.unwrap_or_else(PortSet::all)))
        }
    };
    let image = options.text("kernel")?.map(PathBuf::from);
    let load = kernels::texts(config, "load")?.into_iter().map(PathBuf::from).collect();
    let close_after_secs = options.num("close-after")?;
    if close_after_secs.is_some() && kernel.listen.is_empty() {
        let told = "`close-after` is for programs that `listen`";
        return Err(ConfigError::at("close-after", told));
    }
    Ok(Told { kernel, module, image, load, clock, close_after_secs })
}

impl Told {
    /// The name of the module that speaks.
    fn module_name(&self) -> Option<&'static str> {
        self.module.as_ref().map(|module| match module {
            Module::SkbSender(_) => MODULE_NAMES[0],
            Module::Md5Receiver(_) => MODULE_NAMES[1],
            Module::RstReply(_) => MODULE_NAMES[2],
        })
    }
}

/// The name of the module that speaks, where one does.
#[must_use]
pub fn module(config: &NodeConfig) -> Option<&'static str> {
    told(config).ok()?.module_name()
}

/// The guest's own kernel answers, so that what is said of kernels holds for it; behind
/// `md5_receiver` it does too.
#[must_use]
pub fn is_kernel(config: &NodeConfig) -> bool {
    let module = told(config).ok().and_then(|told| told.module);
    matches!(module, None | Some(Module::Md5Receiver(_)))
}

/// What the checks may expect.
fn role(config: &NodeConfig) -> Role {
    let Ok(Told { kernel, module, .. }) = told(config) else { return Role::Other };
    let behind = match kernels::role_of(&kernel) {
        Role::ClosedPort { ports } if ports.is_empty() => Role::Silent,
        other => other,
    };
    match (module, behind) {
        (None, behind) => behind,
        (Some(Module::SkbSender(_)), Role::Silent) => Role::Sender,
        (Some(Module::RstReply(ports)), _) => Role::ClosedPort { ports },
        (Some(Module::Md5Receiver(port)), Role::ClosedPort { ports }) => {
            Role::ClosedPort { ports: ports.without(&PortSet::one(port)) }
        }
        (Some(_), behind) => behind,
    }
}

/// Boots or takes a guest and sets it up for a run. `mtus` has its ports' MTU, `None` where there
/// is no link; `live` where the link's clock is the real one.
///
/// # Errors
/// Says what is missing on this machine, and what the guest refuses.
pub fn start(
    config: &NodeConfig,
    mtus: &[Option<u32>],
    live: bool,
    machines: &Pool,
) -> Result<(Guest, Standing)> {
    let told = told(config)?;
    if live && told.clock == Clock::Lockstep {
        bail!("clock=lockstep is for the simulated link: on this one the real clock rules");
    }
    let (kind, load) = machine(&told)?;
    let release = kind.image.release.clone();
    let ports = config.ports.iter().cloned().zip(mtus.iter().copied());
    let ports = ports.map(|(config, mtu)| Linked { config, mtu }).collect();
    let who = match told.module_name() {
        Some(name) => format!("guest module {name} (guest kernel {release})"),
        None => format!("guest kernel {release} ({})", kernels::speaks(&told.kernel)),
    };
    let Told { kernel, module, close_after_secs, .. } = told;
    let spec = Spec { kernel, ports, module, load, close_after_secs, live };
    let machine = machines.lease(&kind, spec.ports.len())?;
    let (guest, watch) = Guest::start(machine, &spec)?;
    let lockstep = watch.is_lockstep();
    Ok((guest, Standing { who, watch, lockstep }))
}

/// Why no such guest can stand here, for a scenario whose own node it is: what is not on this
/// machine, and what gives it.
#[must_use]
pub fn missing(config: &NodeConfig) -> Option<String> {
    // Options that are wrong are told where the guest is to be started.
    let told = told(config).ok()?;
    let missing = guest::Machine::possible().map_err(anyhow::Error::from).err();
    missing.or_else(|| machine(&told).err()).map(|error| format!("{error:#}"))
}

/// Why a guest's modules cannot be loaded: none are built for its kernel, and what builds them.
/// Whoever asks has nothing built.
#[must_use]
pub fn not_built(config: &NodeConfig) -> Option<String> {
    let told = told(config).ok()?;
    // A kernel that is not there is told where the guest is to be started.
    let image = image(&told).ok()?;
    ours(&told, &image).err().map(|error| format!("{error:#}"))
}

/// The machine that it takes, and the modules that are loaded in it.
fn machine(told: &Told) -> Result<(guest::Kind, Vec<PathBuf>)> {
    let image = image(told)?;
    let (speaks, holds) = ours(told, &image)?;
    let load: Vec<PathBuf> = told.load.iter().cloned().chain(speaks).collect();
    let modules = load.iter().cloned().chain(holds).collect();
    Ok((guest::Kind { image, clock: told.clock, modules }, load))
}

fn image(told: &Told) -> Result<Image, guest::Error> {
    told.image.as_deref().map_or_else(Image::find, Image::at)
}

/// The files of our modules: of the one that speaks, and of the one that holds it in lockstep.
fn ours(told: &Told, image: &Image) -> Result<(Option<PathBuf>, Option<PathBuf>), guest::Error> {
    let name = told.module_name();
    let lockstep = (told.clock == Clock::Lockstep).then_some(LOCKSTEP);
    if name.or(lockstep).is_none() {
        return Ok((None, None));
    }
    let built = Store::of_user()?.built(&image.release)?;
    Ok((name.map(|name| built.file(name)), lockstep.map(|name| built.file(name))))
}

/// A guest in a run: who it is, and whether it is well.
#[derive(Debug)]
pub struct Standing {
    /// Who speaks, for the report.
    pub who: String,
    watch: Watch,
    /// Its clock is the link's.
    lockstep: bool,
}

impl Standing {
    /// Lets a guest in lockstep run until it is `until` on the link, or until it speaks of its own
    /// accord: then, when. What it said it emits when its node is woken.
    #[must_use]
    pub fn let_run(&self, until: Instant) -> Option<Instant> {
        if self.lockstep { self.watch.let_run(until) } else { None }
    }

    /// Ends the guest's part when it is `now` on the link.
    ///
    /// # Errors
    /// Says what was wrong with it, or why what it said proves nothing.
    pub fn close(self, now: Instant) -> Result<()> {
        let out_of_turn = self.watch.out_of_turn(now);
        match (self.watch.finish(), out_of_turn) {
            (Some(Trouble::Fault(why) | Trouble::Late(why) | Trouble::Broken(why)), _)
            | (None, Some(why)) => Err(anyhow!(why)),
            (None, None) => Ok(()),
        }
    }
}

/// Several guests in lockstep run in turn, each so far at most: a tick of most kernels. A frame
/// that one sends to another may find the other's clock so much ahead of the link's.
const TOGETHER: Duration = Duration::from_millis(4);

/// Ends a script until it is told what is wrong.
const NOT_WELL: &str = "a guest is not well";

/// The guests of a run, each by its node's number in the plan.
#[derive(Debug, Default)]
pub(super) struct Guests {
    all: Vec<(usize, Standing)>,
    /// Those in lockstep that have spoken since they were woken last, and when.
    spoken: Vec<(Instant, usize)>,
}

impl Guests {
    pub(super) fn add(&mut self, node: usize, standing: Standing) {
        self.all.push((node, standing));
    }

    /// Something is wrong with one, so that the run cannot go on.
    ///
    /// # Errors
    /// Names the nodes' numbers no more than that; [`Self::finish`] tells all.
    pub(super) fn well(&self) -> Result<(), String> {
        let troubled = self.all.iter().any(|(_, standing)| standing.watch.is_troubled());
        if troubled { Err(NOT_WELL.to_owned()) } else { Ok(()) }
    }

    /// Lets those in lockstep run until it is `until` on the link, where it is `from`, or until the
    /// first of them speaks of its own accord: then, when and which.
    pub(super) fn let_run(&mut self, from: Instant, until: Instant) -> Option<(Instant, usize)> {
        let Self { all, spoken } = self;
        let alone = all.iter().filter(|(_, standing)| standing.lockstep).count() < 2;
        let mut now = from;
        loop {
            let next = if alone { until } else { until.min(now + TOGETHER) };
            for (node, standing) in all.iter().filter(|(_, standing)| standing.lockstep) {
                if !spoken.iter().any(|(_, other)| other == node) {
                    spoken.extend(standing.let_run(next).map(|at| (at, *node)));
                }
            }
            let first = (0..spoken.len()).min_by_key(|at| spoken[*at]);
            if let Some(first) = first {
                return Some(spoken.swap_remove(first));
            }
            if next >= until || all.iter().any(|(_, standing)| standing.watch.is_troubled()) {
                return None;
            }
            now = next;
        }
    }

    /// Ends the guests' part of a run, and says in it what became of them. It is `now` on the link.
    pub(super) fn finish(self, now: Instant, name: impl Fn(usize) -> String, run: &mut Run) {
        run.broken = run.broken.take().filter(|why| why != NOT_WELL);
        for (node, Standing { who, watch, .. }) in self.all {
            let name = name(node);
            if let Some(why) = watch.unable() {
                run.unable.get_or_insert_with(|| format!("{name}: {why}"));
            }
            if let Some(why) = watch.out_of_turn(now) {
                run.inconclusive.get_or_insert_with(|| format!("{name}: {why}"));
            }
            let remarks = watch.remarks().iter().map(|remark| format!("{name}: {remark}"));
            run.remarks.extend(remarks);
            run.speakers.push(Speaker { node, who });
            match watch.finish() {
                None => {}
                Some(Trouble::Fault(message)) => {
                    let node = NodeId(node as u16);
                    run.panics.push(link::NodePanic { time: now, node, message });
                }
                Some(Trouble::Late(why)) => {
                    run.inconclusive.get_or_insert_with(|| format!("{name}: {why}"));
                }
                Some(Trouble::Broken(why)) => {
                    run.broken = Some(format!("{name}: {why}"));
                    run.inconclusive = None;
                }
            }
        }
        // A kernel that is at fault is a finding, whatever the run did not come to because of it.
        if !run.panics.is_empty() {
            (run.broken, run.inconclusive) = (None, None);
        }
    }
}
