//! The walk of one scenario: file → scenario → plan → wire → capture → judgement. Knows the order;
//! each step is another module's work.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, anyhow, bail};
use nodes::{Home, Registry};

use crate::catalog::Item;
use crate::files::{self, Within};
use crate::golden;
use crate::judge;
use crate::kinds;
use crate::on::On;
use crate::outcome::{Judged, Refusal, Walked};
use crate::panics;
use crate::plan::{self, Plan, Swap};
use crate::run::nic::cables::Cables;
use crate::run::{self, Ended, Run};

#[cfg(test)]
mod fast_paths;

/// How scenarios are walked.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The kinds of node there are.
    pub registry: Registry,
    /// Kinds put in the places of nodes.
    pub swaps: Vec<Swap>,
    /// Why goldens are not compared; `None`: they are.
    pub no_golden: Option<String>,
    /// The wire they run on.
    pub on: On,
    /// What a device at the end of a cable is run with, for [`On::Nic`].
    pub cables: Option<Cables>,
    /// Every node is held to the golden's bytes, whoever it is.
    pub strict: bool,
    /// Scenarios are run whose own nodes are guests, which take seconds to boot.
    pub guests: bool,
    /// Plans that were made before there was any privilege.
    pub ahead: Ahead,
}

/// Plans by the path of their file, each taken once.
#[derive(Clone, Debug, Default)]
pub struct Ahead(Arc<Mutex<BTreeMap<PathBuf, Result<Plan, Refusal>>>>);

impl Ahead {
    fn all(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Result<Plan, Refusal>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Walk {
    /// The standard kinds, no swap, goldens compared.
    #[must_use]
    pub fn standard() -> Self {
        let registry = kinds::standard();
        let (swaps, on, ahead) = (Vec::new(), On::Sim, Ahead::default());
        let (no_golden, cables, strict) = (None, None, false);
        Self { registry, swaps, no_golden, on, cables, strict, guests: true, ahead }
    }

    /// Reads all scenarios and makes their plans, so that no file of a stranger's is read any more
    /// by a process with the rights of a wire.
    pub fn read_ahead(&self, items: &[Item]) {
        for item in items {
            let plan = panics::caught(|| self.plan(item));
            let plan = plan.unwrap_or_else(|words| Err(Refusal::Other(fault(&words))));
            self.ahead.all().insert(item.path.clone(), plan);
        }
    }

    /// Reads a scenario file and makes its plan.
    ///
    /// # Errors
    /// Everything that is wrong with the file.
    pub fn plan(&self, item: &Item) -> Result<Plan, Refusal> {
        let bytes = read(item).map_err(Refusal::Other)?;
        let refuse = |faults| {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            Refusal::File { text, faults }
        };
        let scenario = scenario::parse(&bytes).map_err(refuse)?;
        // A scenario that was read is UTF-8.
        let text = String::from_utf8_lossy(&bytes);
        plan::plan(&scenario, &text, &self.registry, &self.swaps).map_err(refuse)
    }

    /// Runs a plan once.
    ///
    /// # Errors
    /// When its nodes or links cannot be made.
    pub fn run(&self, plan: &Plan) -> Result<Run> {
        run::run(self.on, plan)
    }

    /// All of it. A panic that is no node's is a fault of wireproof, and this scenario's outcome.
    #[must_use]
    pub fn item(&self, item: &Item) -> Walked {
        panics::caught(|| self.walked(item))
            .unwrap_or_else(|words| Walked::Refused(Refusal::Other(fault(&words))))
    }

    fn walked(&self, item: &Item) -> Walked {
        let ahead = self.ahead.all().remove(&item.path);
        let mut plan = match ahead.unwrap_or_else(|| self.plan(item)) {
            Ok(plan) => plan,
            Err(refusal) => return Walked::Refused(refusal),
        };
        let missing = |swap: &&Swap| !plan.nodes.iter().any(|node| node.name == swap.node);
        if let Some(swap) = self.swaps.iter().find(missing) {
            let names: Vec<&str> = plan.nodes.iter().map(|node| node.name.as_str()).collect();
            let (node, names) = (&swap.node, names.join(", "));
            return Walked::NotRun(format!("no node `{node}` to swap; its nodes are {names}"));
        }
        let wire = self.on.name();
        if let Some(reason) = plan.not_on.get(wire) {
            return Walked::NotRun(format!("not on the wire `{wire}`: {reason}"));
        }
        if let (On::Sim, Some(node)) = (self.on, plan.own(Home::Namespace).next()) {
            let name = &node.name;
            return Walked::NotRun(format!("`{name}` is a running kernel: it takes --on veth"));
        }
        if let (false, Some(node)) = (self.guests, plan.own(Home::Remote).next()) {
            return Walked::NotRun(format!(
                "`{}` is a {}, which takes seconds to start: it is run where it is named \
                 (wireproof run {})",
                node.name, node.kind, item.id
            ));
        }
        if self.strict {
            plan.hold_to_golden();
        }
        let unfit =
            not_with(&plan).or_else(|| plan.not_with_other()).or_else(|| unfit(&plan, self.on));
        if let Some(reason) = unfit {
            return Walked::NotRun(reason);
        }
        let (run, addressed) = match self.on_its_wire(&mut plan) {
            Ok(Ok(run)) => run,
            Ok(Err(reason)) => return Walked::NotRun(reason),
            Err(error) => return Walked::Refused(Refusal::Other(error)),
        };
        if let Ended::Unable(reason) = run.ended {
            return Walked::NotRun(format!("not with this implementation as {reason}"));
        }
        let state = match (&self.no_golden, addressed) {
            (Some(reason), _) => Err(reason.clone()),
            (None, Some(reason)) => Err(reason),
            (None, None) => match golden_of(item, &run) {
                Ok(state) => Ok(state),
                Err(error) => return Walked::Refused(Refusal::Other(error)),
            },
        };
        let judgement = judge::judge(&plan, &run, state);
        Walked::Judged(Box::new(Judged { plan, run, judgement }))
    }
}

impl Walk {
    /// Runs a plan on its wire, or says why it does not run there. With the run comes why its
    /// frames cannot be the golden's, if that is so.
    fn on_its_wire(&self, plan: &mut Plan) -> Result<Result<(Run, Option<String>), String>> {
        let Some(cables) = &self.cables else { return Ok(Ok((self.run(plan)?, None))) };
        let fit = cables.address(plan).and_then(|given| {
            let fit = cables.fit(plan)?;
            Ok((fit, given))
        });
        let (fit, given) = match fit {
            Ok(fit) => fit,
            Err(reason) => return Ok(Err(format!("not on the wire `nic`: {reason}"))),
        };
        if self.strict {
            plan.hold_to_golden();
        }
        if let Some(reason) = plan.not_with_other() {
            return Ok(Err(reason));
        }
        if let Err(reason) = cables.has_ip6(plan, &fit)? {
            return Ok(Err(reason));
        }
        let run = run::nic::run(plan, cables, fit)?;
        let addressed = format!("--address gives {} others than the golden's", given.join(", "));
        Ok(Ok((run, (!given.is_empty()).then_some(addressed))))
    }
}

/// The golden of a run: whole where it is to be compared, and only the news of it where the run's
/// frames are its bytes, as most are.
fn golden_of(item: &Item, run: &Run) -> Result<golden::State> {
    if run.transcript.real {
        golden::read(item)
    } else {
        golden::held(item, &run.transcript.capture)
    }
}

fn fault(words: &str) -> anyhow::Error {
    anyhow!("a fault of wireproof itself, which panicked: {words}")
}

/// Why the scenario does not run with a node of such a kind.
fn not_with(plan: &Plan) -> Option<String> {
    plan.nodes.iter().find_map(|node| {
        let names = node.recipe().known_as();
        let mut names = [node.kind.as_str()].into_iter().chain(names);
        let (name, reason) = names.find_map(|name| Some((name, plan.not_on.get(name)?)))?;
        Some(format!("not with `{name}` as `{}`: {reason}", node.name))
    })
}

/// The scenario in a file; `None` where it cannot be read.
pub(crate) fn scenario(item: &Item) -> Option<scenario::Scenario> {
    scenario::parse(&read(item).ok()?).ok()
}

/// Why a node cannot do what its options ask: where it stands, or on this machine.
fn unfit(plan: &Plan, on: On) -> Option<String> {
    plan.nodes.iter().find_map(|node| {
        // On another wire than this one it is refused for that.
        let stands = node.home != Home::Namespace || on == On::Veth;
        let lacks = || if stands { node.recipe().lacks() } else { None };
        let reason = node.unfit.clone().or_else(lacks)?;
        Some(format!("`{}` cannot be a `{}`: {reason}", node.name, node.kind))
    })
}

/// A file's bytes, unless it is longer than any scenario.
pub(crate) fn read(item: &Item) -> Result<Vec<u8>> {
    let (path, most) = (&item.path, scenario::MAX_FILE_BYTES as u64);
    let within = item.in_root().then_some(Within(&item.root));
    let failed = || format!("cannot read {}", path.display());
    let Some(file) = files::open(path, within)? else { bail!("{}: no such file", path.display()) };
    let length = file.metadata().with_context(failed)?.len();
    if length > most {
        bail!("{}: {length} bytes; a scenario has at most {most} (16 MiB)", path.display());
    }
    let mut bytes = Vec::new();
    // What it grew beyond the limit meanwhile is for the reader to refuse.
    file.take(most + 1).read_to_end(&mut bytes).with_context(failed)?;
    Ok(bytes)
}
