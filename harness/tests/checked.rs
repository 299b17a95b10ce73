//! `check` over every golden: with the roles of its scenario it finds what the scenario's `finds`
//! names, and with roles guessed no more than that.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use testing::project;
use wireproof::catalog::Root;
use wireproof::checks::observed::{Given, Observed, Observer, Part, Settings};
use wireproof::checks::{Answers, Finding};
use wireproof::golden::{self, State};
use wireproof::nodes::Role;
use wireproof::outcome::Walked;
use wireproof::plan::Plan;
use wireproof::walk::Walk;
use wireproof::wire::Capture;

/// A golden with its scenario.
struct Golden {
    id: String,
    plan: Plan,
    capture: Capture,
    /// A link did something to a frame, which a capture of what was emitted does not show: one that
    /// was lost looks like one that was not answered, two answers to one that was doubled like one
    /// too many.
    harmed: bool,
}

/// A frame without a whole Ethernet header is nobody's, so no role says that it was chosen.
const NOBODYS: (&str, &str) = ("wire/raw-runt", "eth-header");

/// The golden of each scenario that has one.
fn goldens() -> Vec<Golden> {
    // A guest takes seconds to boot.
    let walk = Walk { guests: false, ..Walk::standard() };
    let items = Root::at(&project()).expect("the project's own folder").items().expect("scenarios");
    let mut all = Vec::new();
    for item in items {
        let (Ok(plan), Ok(State::Accepted(capture))) = (walk.plan(&item), golden::read(&item))
        else {
            continue;
        };
        let Walked::Judged(judged) = walk.item(&item) else { continue };
        let harmed = !judged.run.transcript.notes.is_empty();
        all.push(Golden { id: item.id.clone(), plan, capture: *capture, harmed });
    }
    assert!(all.len() > 100, "the goldens were not found");
    all
}

fn judged(capture: &Capture, given: Vec<Given>, whole: bool) -> Observed {
    let mut observer = Observer::new(Settings { given, whole, ..Settings::default() });
    for (id, record, _) in capture.iter() {
        observer.push(id, record.time, record.port, capture.captured(id));
    }
    observer.finish()
}

fn broadcast(address: &wireproof::link::Address) -> Option<Ipv4Addr> {
    match address.ip {
        IpAddr::V4(ip) if address.prefix <= 30 => {
            Some(Ipv4Addr::from(u32::from(ip) | u32::MAX >> address.prefix))
        }
        _ => None,
    }
}

/// The hosts of a scenario with their roles.
fn given(plan: &Plan) -> Vec<Given> {
    let host = |node: &wireproof::plan::PlanNode| {
        let ports = &node.config.ports;
        let answers = match &node.role {
            Role::Silent | Role::Sender => Answers::Never,
            Role::ClosedPort { ports } => Answers::ClosedPorts(ports.clone()),
            Role::Host { open } => Answers::ClosedPorts(open.complement()),
            Role::Forwarder { reject, may_reject } => {
                Answers::Forwards { rejects: reject.clone(), may_reject: may_reject.clone() }
            }
            Role::Bridge { .. } | Role::Other => Answers::Unknown,
        };
        let part = match node.role {
            // What is planted in what a sender was told to send is no choice.
            Role::Sender if node.kind != "faulty" => Part::Scripted,
            _ => Part::Judged(answers),
        };
        let addresses = || ports.iter().flat_map(|port| &port.addresses);
        Given {
            addresses: addresses().map(|address| address.ip).collect(),
            broadcasts: addresses().filter_map(broadcast).collect(),
            stations: ports.iter().map(|port| port.mac).collect(),
            part,
        }
    };
    plan.nodes.iter().map(host).collect()
}

fn ids(observed: &Observed) -> BTreeSet<&str> {
    observed.counts.keys().copied().collect()
}

#[test]
fn with_the_scenarios_roles_it_finds_what_they_name() {
    let mut wrong = Vec::new();
    for Golden { id, plan, capture, harmed } in goldens() {
        let observed = judged(&capture, given(&plan), true);
        let wanted: BTreeSet<&str> = plan.finds.iter().map(String::as_str).collect();
        let excused = |check: &str| {
            (harmed && matches!(check, "rst-missing" | "rst-doubled"))
                || (id.as_str(), check) == NOBODYS
        };
        let found: BTreeSet<&str> = ids(&observed)
            .into_iter()
            .filter(|check| wanted.contains(check) || !excused(check))
            .collect();
        if found != wanted {
            wrong.push(format!("{id}: found {:?}, wanted {wanted:?}", ids(&observed)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn with_roles_guessed_it_finds_no_more() {
    let mut wrong = Vec::new();
    for Golden { id, plan, capture, .. } in goldens() {
        let observed = judged(&capture, Vec::new(), false);
        // Without the roles nobody knows that a tester's frames are wrong by choice.
        let chosen = |finding: &&Finding| {
            let port = finding.frame.map(|frame| usize::from(capture.record(frame).port.0));
            let mut nodes =
                plan.nodes.iter().flat_map(|node| node.config.ports.iter().map(move |_| node));
            let node = port.and_then(|port| nodes.nth(port));
            node.is_some_and(|node| node.role == Role::Sender && node.kind != "faulty")
        };
        for finding in observed.findings.iter().filter(|finding| !chosen(finding)) {
            if !plan.finds.iter().any(|id| id == finding.check.id) {
                wrong.push(format!("{id}: {finding:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
