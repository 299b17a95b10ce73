//! One test a scenario file, named by its id: it runs twice with the same bytes, it holds, and its
//! rendering is the reviewed snapshot.
//!
//! Discovery happens when the tests are listed, in every process; it reads names only. A file that
//! cannot be read is a failing test of its own.

use std::cell::Cell;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use testing::project;
use wireproof::catalog::{Item, Root};
use wireproof::judge::{Against, judge};
use wireproof::nodes::Home;
use wireproof::outcome::{Entry, Judged, Walked};
use wireproof::report::text;
use wireproof::walk::Walk;
use wireproof::{golden, wire};

thread_local! {
    /// Whether this thread asks insta: its panic then says what the report says better.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

fn main() -> ExitCode {
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !ASKING.get() {
            told(panic);
        }
    }));
    let arguments = Arguments::from_args();
    let items = Root::at(&project()).and_then(|root| root.items());
    let trials = match items {
        Ok(items) => items.into_iter().map(trial).collect(),
        Err(error) => {
            let told = format!("{error:#}");
            vec![Trial::test("scenarios", move || Err(Failed::from(told)))]
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(item: Item) -> Trial {
    Trial::ignorable_test(item.id.clone(), move || check(item))
}

fn check(item: Item) -> Result<Completion, Failed> {
    // What a reviewer accepted takes its place first; a machine that only checks writes nothing.
    if !golden::in_ci() {
        golden::settle(&item).map_err(|error| format!("{error:#}"))?;
    }
    let walk = Walk::standard();
    let walked = walk.item(&item);
    let entry = Entry { item, walked };
    let hints = text::Hints::command(None, &[]);
    let told =
        || anstream::adapter::strip_str(&text::entry(&entry, &hints, true, false)).to_string();
    if let Walked::NotRun(reason) = &entry.walked {
        return there(&entry.item).map(|()| Completion::ignored_with(reason));
    }
    let Walked::Judged(judged) = &entry.walked else { return Err(told().into()) };
    same_again(&walk, &entry.item, judged)?;
    review(&entry.item, judged).map_err(|reason| format!("{reason}\n{}", told()))?;
    if judged.judgement.verdict.holds() { Ok(Completion::Completed) } else { Err(told().into()) }
}

/// A scenario that runs elsewhere has its golden all the same.
fn there(item: &Item) -> Result<(), Failed> {
    match golden::read(item).map_err(|error| format!("{error:#}"))? {
        golden::State::Accepted(_) | golden::State::Same => Ok(()),
        golden::State::Missing => Err("no golden, and it does not run here".into()),
        golden::State::Torn(how) => Err(how.into()),
    }
}

/// A second run emits the same bytes at the same times from the same ports. A guest that was used
/// before draws other numbers: of what it emits, what is masked may differ.
fn same_again(walk: &Walk, item: &Item, judged: &Judged) -> Result<(), Failed> {
    let again = walk.run(&judged.plan).map_err(|error| format!("{error:#}"))?;
    if judged.plan.own(Home::Remote).next().is_some() {
        let state = golden::read(item).map_err(|error| format!("{error:#}"))?;
        let plan = judged.plan.clone();
        let judgement = judge(&plan, &again, Ok(state));
        let same = judgement.verdict.holds() == judged.judgement.verdict.holds();
        let judged = Judged { plan, run: again, judgement };
        let entry = Entry { item: item.clone(), walked: Walked::Judged(Box::new(judged)) };
        let hints = text::Hints::command(None, &[]);
        let told = text::entry(&entry, &hints, true, false);
        let told = anstream::adapter::strip_str(&told);
        return if same { Ok(()) } else { Err(format!("a second run:\n{told}").into()) };
    }
    let encode = |capture: &wire::Capture| golden::encode(capture).map_err(|e| format!("{e:#}"));
    if encode(&again.transcript.capture)? != encode(&judged.run.transcript.capture)? {
        return Err("a second run of the same scenario emitted other frames".into());
    }
    Ok(())
}

/// Leaves what differs for `cargo insta review`: the rendering as a pending snapshot, the frames
/// beside the golden. Where only masked bits differ there is nothing to review.
fn review(item: &Item, judged: &Judged) -> Result<(), String> {
    let differs = match &judged.judgement.against {
        Against::Golden(found) => !found.differences.is_empty(),
        Against::Missing | Against::Torn(_) => true,
        Against::NotCompared(_) => false,
    };
    // A run that breaks a rule, or a step, is nothing to accept.
    if !differs || judged.unacceptable().is_some() {
        return Ok(());
    }
    if !golden::in_ci() {
        golden::leave_pending(item, &judged.run.transcript.capture)
            .map_err(|error| format!("{error:#}"))?;
    }
    let folder = item.golden.parent().ok_or("a golden lies in a folder")?;
    let name = item.golden.file_stem().ok_or("a golden has a name")?.to_string_lossy();
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(std::path::absolute(folder).map_err(|error| error.to_string())?);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let rendered = golden::render(&judged.run.transcript.capture);
    ASKING.set(true);
    let asserted = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        settings.bind(|| insta::assert_snapshot!(name.as_ref(), rendered));
    }));
    ASKING.set(false);
    match asserted {
        Ok(()) => Ok(()),
        Err(_) => Err("not the golden; review it with `cargo insta review`".to_owned()),
    }
}
