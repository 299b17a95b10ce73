//! Kinds that are measured by rules and those that are held to the golden, on the simulated wire;
//! and the scenarios that any host must hold to.

use wireproof::Suite;
use wireproof::link::Datum;
use wireproof::nodes::{Kind, Measure};

use crate::support::{FIRST, Place};

/// A stack of a user's own with a TTL of 63 where the golden has 64.
fn mine(measure: Measure) -> Kind {
    let kind = Kind::new("mine", "a stack of one's own", |config, all| {
        let mut options = config.options.clone();
        options.insert("ttl".to_owned(), Datum::Num(63));
        all.read("reject", &config.with_options(options))
    });
    kind.measure(measure)
}

fn ran(place: &Place, kind: Kind, swap: Option<&str>) -> (bool, String) {
    let suite = Suite::at(place.path("")).kind(kind);
    let suite = swap.map_or(Ok(suite.clone()), |words| suite.swap(words)).expect("right words");
    suite.run().expect("a scenario")
}

#[test]
fn a_users_kind_is_held_to_its_golden_unless_it_says_otherwise() {
    let place = Place::made();
    let choice = "choice: receiver chose ip4.ttl (Time to Live) 63 where the golden has 64, in \
                  frame 2";
    // In the place of another node, and named by the scenario itself.
    for swap in [Some("receiver=mine"), None] {
        if swap.is_none() {
            place.change("\"kind\": \"reject\"", "\"kind\": \"mine\"");
        }
        let (holds, told) = ran(&place, mine(Measure::Golden), swap);
        assert!(!holds && told.contains("differs") && !told.contains("choice"), "{told}");
        let (holds, told) = ran(&place, mine(Measure::Rules), swap);
        let verdict = "conformant, 2 frames, 1 choice of the implementation's";
        assert!(holds && told.contains(verdict) && told.contains(choice), "{told}");
    }
}

#[test]
fn what_a_step_asks_for_is_no_choice() {
    let place = Place::made();
    let (from, to) = (r#""expect": {"#, r#""expect": { "ip4": { "ttl": 64 },"#);
    place.change(from, to);
    let (holds, told) = ran(&place, mine(Measure::Rules), Some("receiver=mine"));
    for word in ["ip4.ttl: expected 64, got 63", "frame 2 differs", "differs, 2 frames"] {
        assert!(!holds && told.contains(word) && !told.contains("choice"), "{word}: {told}");
    }
}

#[test]
fn a_kind_in_a_nodes_place_that_claims_to_be_the_same_is_held_to_the_golden() {
    let place = Place::made();
    let told = place.run(&["run", "--swap", "receiver=reject,ttl=63", "-v"]).ends_with(1);
    for word in [
        "ip4.ttl  Time to Live  expected 64, got 63",
        "receiver is held to the golden's bytes: a reject claims to emit the same",
    ] {
        assert!(told.out().contains(word) && !told.out().contains("choice"), "{}", told.out());
    }
}

#[test]
fn a_scenario_says_why_another_implementation_is_not_held_to_it() {
    let place = Place::made();
    place.change("\"steps\":", r#""not-on": { "other": "it is about our own" }, "steps":"#);
    let (_, told) = ran(&place, mine(Measure::Rules), Some("receiver=mine"));
    let word = "not run: not with another implementation as `receiver`: it is about our own";
    assert!(told.contains(word), "{told}");
    // A kind that claims to be the same, and the scenario's own node, are run.
    let (_, told) = ran(&place, mine(Measure::Golden), Some("receiver=mine"));
    assert!(told.contains("differs"), "{told}");
    place.run(&["run"]).ends_with(0);
    // An option that imitates says it without a word.
    let place = Place::made();
    place
        .change("\"kind\": \"reject\",", r#""kind": "reject", "ttl": 64, "profile": "linux-2.6","#);
    let (_, told) = ran(&place, mine(Measure::Rules), Some("receiver=mine"));
    assert!(told.contains("it is about one that `profile=linux-2.6` makes"), "{told}");
}

#[test]
fn without_a_golden_another_implementation_is_judged_by_the_rest() {
    let place = Place::made();
    std::fs::remove_dir_all(place.path("golden-pcaps")).expect("goldens");
    let (holds, told) = ran(&place, mine(Measure::Rules), Some("receiver=mine"));
    let word = "golden not compared: there is none, and the checks and steps judge another";
    assert!(holds && told.contains(word), "{told}");
    let (holds, told) = ran(&place, mine(Measure::Golden), Some("receiver=mine"));
    assert!(!holds && told.contains("there is no golden yet"), "{told}");
}

#[test]
fn any_host_selects_what_a_clause_fixes() {
    let place = Place::made();
    let told = place.run(&["run", "--any-host"]).ends_with(2);
    assert!(told.err.contains("--any-host: none of 1 scenarios says `any-host`"), "{}", told.err);
    let text = place.text(&format!("scenarios/{FIRST}.json"));
    place.write("scenarios/first/second.json", &text);
    place.change("\"steps\":", r#""any-host": "RFC 9293 3.10.7.1", "steps":"#);
    let told = place.run(&["run", "--any-host"]).ends_with(0);
    assert_eq!(told.out(), format!("ok   {FIRST}: identical, 2 frames\n"));
    assert!(told.err.contains("1 of 2 scenarios ask what any host must do"), "{}", told.err);
    // The clause has to be named.
    place.change(r#""any-host": "RFC 9293 3.10.7.1""#, r#""any-host": " ""#);
    let told = place.run(&["run", "--any-host"]).ends_with(2);
    assert!(told.out().contains("an empty reason"), "{}", told.out());
}
