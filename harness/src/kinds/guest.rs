//! The kind `guest`: a Linux kernel of its own in a machine of QEMU, or a module in it, in a node's
//! place. Knows its options and what it lacks; the crate `guest` runs it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use guest::{Clock, Guest, Image, Machine, Module, Pool, SkbSender, Spec, Store};
use link::{Datum, PortConfig};
use linux::{Kernel, Reject};
use nodes::{
    ConfigError, Home, Kind, Made, MakeError, NodeConfig, Occupant, OptionSpec, PortRule, Recipe,
    Replaced, Role, Site,
};
use wire::PortSet;

use super::linux as kernels;

/// Which module answers for the guest's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    SkbSender,
    Md5Receiver,
    RstReply,
}

/// The modules that are nodes, by name.
const MODULES: [(&str, Named); 3] = [
    ("skb_sender", Named::SkbSender),
    ("md5_receiver", Named::Md5Receiver),
    ("rst_reply", Named::RstReply),
];
const CLOCKS: [(&str, Clock); 2] = [("free", Clock::Free), ("lockstep", Clock::Lockstep)];
/// Options that go with one module.
const OF_MODULE: [(&str, Named); 5] = [
    ("port", Named::Md5Receiver),
    ("src", Named::SkbSender),
    ("dst", Named::SkbSender),
    ("payload", Named::SkbSender),
    ("defaults", Named::SkbSender),
];
/// The module that holds a guest in lockstep.
const LOCKSTEP: &str = "lockstep";

static OWN_OPTIONS: [OptionSpec; 10] = [
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
        about: "a module that answers in its kernel (wireproof modules build); TCP that comes in \
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
];

/// Its own options before those of any kernel.
static OPTIONS: [OptionSpec; OWN_OPTIONS.len() + kernels::OPTIONS.len()] = {
    let mut all = [OWN_OPTIONS[0]; OWN_OPTIONS.len() + kernels::OPTIONS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = match at < OWN_OPTIONS.len() {
            true => OWN_OPTIONS[at],
            false => kernels::OPTIONS[at - OWN_OPTIONS.len()],
        };
        at += 1;
    }
    all
};

/// The kind, whose machines come from this pool.
#[must_use]
pub fn kind(machines: Pool) -> Kind {
    let about = "a Linux kernel of its own in QEMU, or a module in it; needs no privilege";
    Kind::new("guest", about, move |config, _| {
        let recipe: Arc<dyn Recipe> = Arc::new(Configured::read(config, machines.clone())?);
        Ok(recipe)
    })
    .options(&OPTIONS)
    .ports(PortRule::AtLeast(1))
    .home(Home::Remote)
    .known_as(&[MODULES[0].0, MODULES[1].0, MODULES[2].0])
    .takes_over(takes_over)
    .bridges(kernels::is_bridge)
}

/// A guest as configured.
#[derive(Debug)]
struct Configured {
    kernel: Kernel,
    /// The module that answers, and its name.
    module: Option<(&'static str, Module)>,
    image: Option<PathBuf>,
    load: Vec<PathBuf>,
    clock: Clock,
    close_after_secs: Option<u32>,
    machines: Pool,
}

impl Configured {
    fn read(config: &NodeConfig, machines: Pool) -> Result<Self, ConfigError> {
        let options = config.read();
        let clock = options.one_of("clock", &CLOCKS)?.unwrap_or(Clock::Free);
        let mut kernel = kernels::kernel(config)?;
        let named = options.one_of("module", &MODULES)?;
        let given = |name: &str| config.options.contains_key(name);
        for (option, module) in OF_MODULE {
            if given(option) && named != Some(module) {
                let wants = MODULES.iter().find(|(_, known)| *known == module);
                let wants = wants.map_or("", |(name, _)| *name);
                let text = format!("`{option}` is for module={wants} alone");
                return Err(ConfigError::at(option, text));
            }
        }
        // Behind a module stands nothing unless it is asked for.
        if named.is_some() && !given("reject") && kernels::rejected(config)?.is_none() {
            kernel.rules.ports = PortSet::default();
        }
        let module = match named {
            None => None,
            Some(Named::SkbSender) => Some(Module::SkbSender(SkbSender {
                src: options.num("src")?.unwrap_or(4000),
                dst: options.num("dst")?.unwrap_or(80),
                payload: options.hex("payload")?,
                whole: options
                    .one_of("defaults", &[("module", false), ("tester", true)])?
                    .unwrap_or(false),
            })),
            Some(Named::Md5Receiver) => {
                Some(Module::Md5Receiver(options.num("port")?.unwrap_or(80)))
            }
            Some(Named::RstReply) => {
                // The module is the rule, and drops all else by itself.
                kernel.rules.reject = Reject::None;
                let ports = kernels::rejected(config)?.unwrap_or_else(PortSet::all);
                Some(Module::RstReply(ports))
            }
        };
        let name = MODULES.iter().find(|(_, module)| Some(*module) == named).map(|(name, _)| *name);
        let close_after_secs = options.num("close-after")?;
        if close_after_secs.is_some() && kernel.listen.is_empty() {
            let text = "`close-after` is for programs that `listen`";
            return Err(ConfigError::at("close-after", text));
        }
        Ok(Self {
            kernel,
            module: name.zip(module),
            image: options.text("kernel")?.map(PathBuf::from),
            load: kernels::texts(config, "load")?.into_iter().map(PathBuf::from).collect(),
            clock,
            close_after_secs,
            machines,
        })
    }

    fn image(&self) -> Result<Image, guest::Error> {
        self.image.as_deref().map_or_else(Image::find, Image::at)
    }

    /// The machine that it takes, and the modules that are loaded in it.
    fn machine(&self) -> Result<(guest::Kind, Vec<PathBuf>), guest::Error> {
        let image = self.image()?;
        let (answers, holds) = self.modules(&image)?;
        let load: Vec<PathBuf> = self.load.iter().cloned().chain(answers).collect();
        let modules = load.iter().cloned().chain(holds).collect();
        Ok((guest::Kind { image, clock: self.clock, modules }, load))
    }

    /// The files of our modules: of the one that answers, and of the one that holds the guest in
    /// lockstep.
    fn modules(&self, image: &Image) -> Result<(Option<PathBuf>, Option<PathBuf>), guest::Error> {
        let name = self.module.as_ref().map(|(name, _)| *name);
        let lockstep = (self.clock == Clock::Lockstep).then_some(LOCKSTEP);
        if name.or(lockstep).is_none() {
            return Ok((None, None));
        }
        let built = Store::of_user()?.built(&image.release)?;
        Ok((name.map(|name| built.file(name)), lockstep.map(|name| built.file(name))))
    }

    fn start(&self, site: &Site<'_>) -> Result<(Guest, String), MakeError> {
        if site.is_real && self.clock == Clock::Lockstep {
            let text = "clock=lockstep is for the simulated link: on this one the real clock rules";
            return Err(MakeError::new(text));
        }
        let (kind, load) = self.machine().map_err(MakeError::new)?;
        let release = kind.image.release.clone();
        let who = match &self.module {
            Some((name, _)) => format!("guest module {name} (guest kernel {release})"),
            None => format!("guest kernel {release} ({})", kernels::answers(&self.kernel)),
        };
        let spec = Spec {
            kernel: self.kernel.clone(),
            ports: site.ports.to_vec(),
            module: self.module.as_ref().map(|(_, module)| module.clone()),
            load,
            close_after_secs: self.close_after_secs,
            live: site.is_real,
        };
        let machine = self.machines.lease(&kind, spec.ports.len()).map_err(MakeError::new)?;
        Ok((Guest::start(machine, &spec).map_err(MakeError::new)?, who))
    }
}

impl Recipe for Configured {
    fn role(&self) -> Role {
        let behind = match kernels::role_of(&self.kernel) {
            Role::ClosedPort { ports } if ports.is_empty() => Role::Silent,
            other => other,
        };
        match (self.module.as_ref().map(|(_, module)| module), behind) {
            (None, behind) => behind,
            (Some(Module::SkbSender(_)), Role::Silent) => Role::Sender,
            (Some(Module::RstReply(ports)), _) => Role::ClosedPort { ports: ports.clone() },
            (Some(Module::Md5Receiver(port)), Role::ClosedPort { ports }) => {
                Role::ClosedPort { ports: ports.without(&PortSet::one(*port)) }
            }
            (Some(_), behind) => behind,
        }
    }

    /// Where the guest's own kernel answers, as it does behind `md5_receiver` too, what holds for
    /// kernels holds for it.
    fn known_as(&self) -> Vec<&'static str> {
        let kernel = matches!(self.module, None | Some((_, Module::Md5Receiver(_))));
        let kernel = kernel.then_some(kernels::NAME);
        kernel.into_iter().chain(self.module.as_ref().map(|(name, _)| *name)).collect()
    }

    fn lacks(&self) -> Option<String> {
        let lacks = Machine::possible().err().or_else(|| self.machine().err());
        lacks.map(|error| error.to_string())
    }

    fn unfit(&self, ports: &[PortConfig], linked: &[&PortConfig]) -> Option<ConfigError> {
        kernels::unfit(&self.kernel, ports, linked)
    }

    fn make(&self, site: &Site<'_>) -> Result<Made, MakeError> {
        let (mut guest, who) = self.start(site)?;
        let remarks = guest.remarks().to_vec();
        let readiness = match self.clock {
            Clock::Free => guest.readiness().map_err(MakeError::new)?,
            Clock::Lockstep => Vec::new(),
        };
        let occupant = Occupant::Remote { node: Box::new(guest), readiness };
        Ok(Made { occupant, who: Some(who), remarks })
    }
}

/// As any kernel; and a module takes what the in-process node takes. What stands behind a receiver
/// is the kernel's own REJECT, or nothing.
fn takes_over(
    options: BTreeMap<String, Datum>,
    replaced: &Replaced<'_>,
) -> BTreeMap<String, Datum> {
    let names_ports = ["reject", "ports", "reject-ports"].map(|name| options.contains_key(name));
    let mut options = kernels::takes_over(options, replaced);
    let Some(Datum::Text(module)) = options.get("module").cloned() else { return options };
    let written = |name: &str| replaced.options.get(name).cloned();
    let names: &[&str] = match replaced.kind {
        "skb-sender" => &["src", "dst", "payload"],
        "md5-receiver" => &["port"],
        "tester" => {
            if module == MODULES[0].0 && !options.contains_key("defaults") {
                options.insert("defaults".to_owned(), Datum::Text("tester".to_owned()));
            }
            return options;
        }
        _ => return options,
    };
    for name in names {
        if let (Some(value), false) = (written(name), options.contains_key(*name)) {
            options.insert((*name).to_owned(), value);
        }
    }
    if !names_ports.contains(&true) && written("behind") == Some(Datum::Text("reject".to_owned())) {
        let all = || Datum::Text(PortSet::all().to_string());
        options.insert("ports".to_owned(), written("behind.reject").unwrap_or_else(all));
    }
    options
}
