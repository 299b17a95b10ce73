//! What is written from the code: the committed file is what the code says now. Set
//! `WIREPROOF_WRITE_DOCS=1` to write it anew (`just docs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use testing::project;
use wireproof::catalog::{Item, Root};
use wireproof::commands::lists::schema_text;
use wireproof::files::write_whole;
use wireproof::link::Datum;
use wireproof::outcome::Walked;
use wireproof::plan::{Plan, PlanNode, Swap};
use wireproof::spec::NodeSpec;
use wireproof::walk::Walk;
use wireproof::wire::field::{Field, Form};
use wireproof::wire::link_settings::SettingShape;
use wireproof::wire::{LINK_SETTINGS, Proto};

/// Holds a committed file against what the code says, or writes it.
fn committed(name: &str, text: &str) {
    let path = project().join(name);
    if std::env::var_os("WIREPROOF_WRITE_DOCS").is_some() {
        write_whole(&path, text.as_bytes()).expect("a file to write");
        return;
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(found == text, "{name} is stale; `just docs` writes it anew, then read the difference");
}

#[test]
fn the_schema_is_what_the_reader_takes() {
    committed("scenarios/schema.json", &schema_text().expect("a schema"));
}

#[test]
fn the_fields_are_those_of_the_tables() {
    let mut text = String::from(FIELDS);
    let (sent, shown): (Vec<Proto>, Vec<Proto>) =
        Proto::ALL.into_iter().partition(|proto| proto.is_sendable());
    for proto in sent.iter().chain(&shown) {
        if shown.first() == Some(proto) {
            text.push_str(SHOWN);
        }
        let _ = writeln!(text, "\n## `{}`: {}\n", proto.key(), proto.title());
        text.push_str(
            "| key | name | Wireshark | bit | bits | takes |\n|---|---|---|---|---|---|\n",
        );
        for field in proto.fields() {
            let also = if field.alias { ", an alias" } else { "" };
            let bits = if field.width == 0 { "to the end".into() } else { field.width.to_string() };
            let _ = writeln!(
                text,
                "| `{}` | {}{also} | `{}` | {} | {bits} | {} |",
                field.key,
                field.title,
                field.abbrev,
                field.bit,
                takes(field)
            );
        }
    }
    committed("docs/fields.md", &text);
}

/// The same for a part of a file: what stands between two marks, each a line of its own.
fn committed_part(name: &str, part: &str, text: &str) {
    let (begin, end) = (format!("<!-- {part}: begin -->\n"), format!("<!-- {part}: end -->\n"));
    let whole = std::fs::read_to_string(project().join(name)).expect("a file");
    let (before, rest) = whole.split_once(&begin).expect("where the part begins");
    let (_, after) = rest.split_once(&end).expect("where it ends");
    committed(name, &format!("{before}{begin}{text}{end}{after}"));
}

#[test]
fn the_manual_lists_the_settings_of_a_link() {
    let mut text = String::from("\n| key | takes | left out | means |\n|---|---|---|---|\n");
    for row in LINK_SETTINGS {
        let takes = match row.shape {
            SettingShape::Time => "a duration".to_owned(),
            SettingShape::Rate => "a rate".to_owned(),
            SettingShape::Count(least, most) => format!("{least} to {most}, or `\"unlimited\"`"),
            SettingShape::Chance => "a chance".to_owned(),
            SettingShape::Flag => "`true` or `false`".to_owned(),
        };
        let _ = writeln!(text, "| `{}` | {takes} | `{}` | {} |", row.key, row.left_out, row.about);
    }
    text.push('\n');
    committed_part("docs/scenarios.md", "settings of a link", &text);
}

/// What stands before the layers that a scenario cannot name.
const SHOWN: &str = "
# Layers that are only shown

`wireproof show -v` and differences name these too. No scenario sends or expects them: what they
carry is sent as a payload.
";

/// What a field takes, with the words that the scenario reader allows beside a number.
fn takes(field: &Field) -> String {
    match field.form {
        Form::Bit => "0 or 1, `false` or `true`".into(),
        _ => field.wants(),
    }
}

const FIELDS: &str = "\
# Fields

Written by `harness/tests/documents.rs` (`just docs`) from the tables in
`crates/wire/src/fields.rs`. A section is a layer of a packet; [scenarios.md](scenarios.md) says how
layers are written, and what a field is where it is left out.

`bit` counts from the start of the header, the most significant bit first. An alias is another name
of bits that other fields name too: it can be sent, expected, bound and masked, and a report shows
the other names. Of two fields that are given for the same bits, the later one in the file stands.
A number is written in decimal, or in hex as a text: `\"0x8b52\"`. A field whose value is a number
also takes an expression over bound names: `\"$isn + 1\"`.
";

/// What became of one fault over all scenarios.
#[derive(Default)]
struct Caught {
    /// Scenarios in which it changed what crossed.
    changed: usize,
    /// Of those, the ones whose golden shows it.
    by_golden: usize,
    /// Checks that find it with the golden taken away, each with the first scenario.
    by_check: BTreeMap<&'static str, String>,
}

/// Kinds whose frames can carry a fault.
const SPEAKERS: [&str; 4] = ["reject", "firewall", "skb-sender", "md5-receiver"];

/// What a tester sends is the scenario's own; what it answers to ARP and its like is not.
fn speaks(node: &PlanNode) -> bool {
    let answers = |name: &&str| node.config.options.get(*name) == Some(&Datum::Bool(true));
    SPEAKERS.contains(&node.kind.as_str()) || ["arp", "nd"].iter().any(answers)
}

#[test]
fn every_fault_is_caught_and_the_table_says_by_what() {
    let root = Root::at(&project()).expect("the project's own folder");
    let walk = Walk::standard();
    let plans: Vec<(Item, Plan)> = root
        .items()
        .expect("scenarios")
        .into_iter()
        .filter(|item| !item.id.starts_with("negative/"))
        .filter_map(|item| walk.plan(&item).ok().map(|plan| (item, plan)))
        .collect();
    let mut text = String::from(HEAD);
    let mut wrong = Vec::new();
    for fault in wireproof::nodes::faulty::FAULTS {
        let mut caught = Caught::default();
        for (item, plan) in &plans {
            for node in plan.nodes.iter().filter(|node| speaks(node)) {
                plant(fault.name, item, plan, &node.name, &mut caught);
            }
        }
        if caught.changed == 0 || caught.by_golden != caught.changed {
            wrong.push(format!(
                "{}: changed {} runs, {} goldens show it",
                fault.name, caught.changed, caught.by_golden
            ));
        }
        let checks: Vec<String> =
            caught.by_check.iter().map(|(id, first)| format!("`{id}` ({first})")).collect();
        let checks = if checks.is_empty() {
            "no rule forbids it: the golden alone".to_owned()
        } else {
            checks.join(", ")
        };
        let _ = writeln!(
            text,
            "| `{}` | {} | {} of {} | {checks} |",
            fault.name, fault.about, caught.by_golden, caught.changed
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    committed("docs/faults.md", &text);
}

const HEAD: &str = "\
# Faults, and who caught them

Written by `harness/tests/documents.rs` (`just docs`). Each fault that a `faulty` node can plant
was planted in every node that speaks for itself, in every scenario outside `negative/`. The third
column counts the runs in which it changed a frame, and in how many of those the golden showed it.
The last names the checks that found it with the golden taken away, each with the first scenario in
which it did.

| fault | what it does | caught by the golden | caught by a check alone |
|---|---|---|---|
";

/// Plants a fault in one node of one scenario and notes who caught it.
fn plant(fault: &str, item: &Item, plan: &Plan, node: &str, caught: &mut Caught) {
    let old = plan.nodes.iter().find(|found| found.name == node).expect("a node of the plan");
    let mut options = old.config.options.clone();
    options.insert("of".into(), Datum::Text(old.kind.clone()));
    options.insert("fault".into(), Datum::Text(fault.into()));
    let spec = NodeSpec { kind: "faulty".into(), options, ..NodeSpec::default() };
    let swaps = vec![Swap { node: node.to_owned(), spec }];
    let walk = Walk { swaps, ..Walk::standard() };
    let Ok(faulty) = walk.plan(item) else { return };
    let honest = walk.run(plan).expect("a run");
    let run = walk.run(&faulty).expect("a run");
    let frames =
        |run: &wireproof::run::Run| wireproof::golden::encode(&run.transcript.capture).unwrap();
    if frames(&honest) == frames(&run) {
        return;
    }
    caught.changed += 1;
    if let Walked::Judged(judged) = walk.item(item)
        && let wireproof::judge::Against::Golden(found) = &judged.judgement.against
        && !found.differences.is_empty()
    {
        caught.by_golden += 1;
    }
    let reason = || Err("taken away".to_owned());
    let before: BTreeSet<&str> = wireproof::judge::judge(plan, &honest, reason())
        .findings
        .iter()
        .map(|finding| finding.check.id)
        .collect();
    for finding in wireproof::judge::judge(&faulty, &run, reason()).findings {
        if !before.contains(finding.check.id) {
            caught.by_check.entry(finding.check.id).or_insert_with(|| item.id.clone());
        }
    }
}
