//! The same scenario gives the same bytes: again and again, and however many run at a time.

use wireproof::catalog::Root;
use wireproof::golden;
use wireproof::nodes::Home;
use wireproof::walk::Walk;

use crate::support::{Place, below, project};

/// Runs of every scenario of the project.
const RUNS: usize = 100;

#[test]
fn every_scenario_emits_the_same_bytes_a_hundred_times() {
    let walk = Walk::standard();
    let items = Root::at(&project()).and_then(|root| root.items()).expect("scenarios");
    // A running kernel does not run here, and is no machine of ours; a guest that was used before
    // draws other numbers.
    let (items, plans): (Vec<_>, Vec<_>) = items
        .into_iter()
        .map(|item| (walk.plan(&item).expect("a plan"), item))
        .filter(|(plan, _)| plan.nodes.iter().all(|node| node.home == Home::InProcess))
        .map(|(plan, item)| (item, plan))
        .unzip();
    let all = || -> Vec<Vec<u8>> {
        let run = |plan| walk.run(plan).expect("a run").transcript.capture;
        plans.iter().map(|plan| golden::encode(&run(plan)).expect("bytes")).collect()
    };
    let first = all();
    // Each thread starts elsewhere in the order of things.
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..RUNS / 2 {
                    for (item, (first, again)) in items.iter().zip(first.iter().zip(all())) {
                        assert!(*first == again, "{}: other frames", item.id);
                    }
                }
            });
        }
    });
}

#[test]
fn the_number_of_jobs_changes_no_byte() {
    let place = Place::empty();
    let root = project().display().to_string();
    let mut reports = Vec::new();
    for jobs in ["1", "2", "7"] {
        std::fs::create_dir(place.path(jobs)).expect("a folder");
        let out = place.path(jobs).display().to_string();
        let words = ["run", "--root", &root, "--jobs", jobs, "-w", &out, "--format", "json"];
        reports.push(place.run(&words));
    }
    let written = below(&place.path("1"), "pcapng");
    assert!(!written.is_empty());
    for jobs in ["2", "7"] {
        assert!(written == below(&place.path(jobs), "pcapng"), "{jobs} jobs");
    }
    assert!(reports[0] == reports[1] && reports[1] == reports[2], "another report");
}
