//! Scenario files that mean nothing: each is refused with its place, nothing is written.

use std::fs;

use crate::support::{FIRST, Place, page};

/// Each way to be wrong as a change of the first scenario: (name, from, to).
const CHANGES: [(&str, &str, &str); 24] = [
    ("an unknown key", r#""delay": "1ms""#, r#""delai": "1ms""#),
    ("an unknown key of a step", r#""note": "123 and"#, r#""notes": "123 and"#),
    ("an unknown field", r#""seq": 123"#, r#""sequence": 123"#),
    ("an unknown node", r#""from": "receiver""#, r#""from": "reciever""#),
    ("an unknown node at a link", r#"["sender", "receiver"]"#, r#"["sender", "nobody"]"#),
    ("an unknown kind", r#""kind": "reject""#, r#""kind": "rejekt""#),
    ("an unknown option of a kind", r#""10.0.0.2" }"#, r#""10.0.0.2", "profle": "linux" }"#),
    ("an unknown value of an option", r#""10.0.0.2" }"#, r#""10.0.0.2", "profile": "bsd" }"#),
    ("a bad duration", r#""delay": "1ms""#, r#""delay": "1 minute""#),
    ("a negative duration", r#""within": "5ms""#, r#""within": "-5ms""#),
    ("a number out of range", r#""dst": 80"#, r#""dst": 80000"#),
    ("a text where a number is due", r#""ack": 124"#, r#""ack": "many""#),
    ("an unknown flag", r#""flags": "F""#, r#""flags": "FX""#),
    ("an unbound name", r#""ack": 124"#, r#""ack": "$isn + 1""#),
    ("a bad address", r#""10.0.0.2" }"#, r#""10.0.0.256" }"#),
    ("a bad hardware address", r#""02:00:00:00:00:02""#, r#""02:00:00:00:02""#),
    ("two nodes with one name", r#""receiver": {"#, r#""sender": {"#),
    (
        "a port that is not there",
        "\"ip\": \"10.0.0.2\" }\n  },\n  \"links\": [{ \"ends\": [\"sender\", \"receiver\"]",
        "\"ports\": { \"left\": {} } }\n  },\n  \"links\": [{ \"ends\": [\"sender\", \
         \"receiver:right\"]",
    ),
    (
        "a port that has its link",
        "\"links\": [",
        "\"links\": [{ \"ends\": [\"sender:eth0\", \"receiver:eth0\"] },\n    ",
    ),
    ("an unknown check", r#""links""#, r#""finds": ["tcp-checksums"], "links""#),
    ("a mask without a reason", r#""links""#, r#""masks": [{ "field": "ip4.id" }], "links""#),
    ("a missing comma", r#""ack": 124, "flags""#, r#""ack": 124 "flags""#),
    ("a comment", r#""nodes": {"#, "// who is who\n  \"nodes\": {"),
    ("a kind that is left out", r#""kind": "reject", "#, ""),
];

#[test]
fn every_wrong_word_is_shown_in_its_place() {
    let mut said = String::new();
    for (name, from, to) in CHANGES {
        let place = Place::changed(from, to);
        let before = place.all();
        let told = place.run(&["run"]).ends_with(2);
        assert!(told.err.is_empty(), "a refused scenario is part of the report: {}", told.shown());
        assert!(told.out().contains(&format!("{FIRST}.json:")), "no place: {}", told.out());
        assert!(before == place.all(), "{name}: a file was written");
        let bless = place.run(&["bless", "--all"]).ends_with(2);
        assert_eq!(bless.out(), told.out(), "{name}: bless says something else");
        assert!(before == place.all(), "{name}: bless wrote a file");
        said += &format!("# {name}\n{}\n", told.out());
    }
    page("refused files", &said);
}

/// A scenario with one step; `receiver` is an md5-receiver with an `skb-sender` behind it.
fn with_step(step: &str) -> String {
    format!(
        r#"{{
  "title": "t",
  "nodes": {{
    "sender": {{ "kind": "skb-sender", "ip": "10.0.0.1" }},
    "receiver": {{ "kind": "md5-receiver", "ip": "10.0.0.2", "behind": "skb-sender" }},
    "quiet": {{ "kind": "faulty", "fault": "seq+1", "ip": "10.0.0.3" }}
  }},
  "links": [{{ "ends": ["sender", "receiver"] }}],
  "steps": [
    {step}
  ]
}}
"#
    )
}

/// A verb that the node does not have would else be found in the middle of the run.
#[test]
fn commands_and_events_that_a_kind_does_not_have_are_refused_in_their_place() {
    let place = Place::made();
    let mut said = String::new();
    for (name, step) in [
        ("a verb mistyped", r#"{ "node": "sender", "do": { "fial": { "step": "tcp" } } }"#),
        ("a verb of another kind", r#"{ "node": "sender", "do": "listen" }"#),
        ("a verb where there are none", r#"{ "node": "quiet", "do": "listen" }"#),
        ("an argument mistyped", r#"{ "node": "receiver", "do": { "fail": { "stpe": "tcp" } } }"#),
        (
            "an event mistyped",
            r#"{ "from": "receiver", "within": "1ms", "expect-event": { "kind": "paylaod" } }"#,
        ),
        (
            "an event of another kind",
            r#"{ "from": "sender", "within": "1ms", "expect-event": { "kind": "data" } }"#,
        ),
        (
            "fields of another event",
            r#"{ "from": "receiver", "within": "1ms",
      "expect-event": { "kind": "drop", "reasons": "x", "sport": 1 } }"#,
        ),
    ] {
        place.write("scenarios/odd/one.json", with_step(step));
        let told = place.run(&["run", "odd/one"]).ends_with(2);
        let placed = ["one.json:10:", "one.json:11:"].iter().any(|at| told.out().contains(at));
        assert!(placed, "{}", told.shown());
        said += &format!("# {name}\n{}\n", place.plain(&told));
    }
    page("refused verbs", &said);
}

#[test]
fn a_scenario_without_steps_is_refused() {
    let place = Place::made();
    let file = format!("scenarios/{FIRST}.json");
    let text = place.text(&file);
    let head = text.split("\"steps\"").next().expect("a head");
    place.write(&file, format!("{head}\"steps\": []\n}}\n"));
    let empty = place.run(&["run"]).ends_with(2);
    place.write(&file, format!("{}\n}}\n", head.trim_end().trim_end_matches(',')));
    let none = place.run(&["run"]).ends_with(2);
    page(
        "refused without steps",
        &format!("# an empty list\n{}\n# none\n{}", empty.out(), none.out()),
    );
}

#[test]
fn files_that_are_no_text_at_all_are_refused() {
    let place = Place::made();
    let whole = place.read(&format!("scenarios/{FIRST}.json"));
    let half = &whole[..whole.len() / 2];
    let files: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("blank", b" \n\n"),
        ("half", half),
        ("not UTF-8", b"{\n  \"title\": \"caf\xe9\"\n}"),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("binary", b"\x00\x01\x02\xff"),
    ];
    let mut said = String::new();
    for (name, bytes) in files {
        place.write("scenarios/odd/one.json", bytes);
        let before = place.all();
        let told = place.run(&["run", "odd/one"]).ends_with(2);
        assert!(told.out().contains("one.json:"), "no place: {}", told.shown());
        assert!(before == place.all(), "{name}: a file was written");
        said += &format!("# {name}\n{}\n", place.plain(&told));
    }
    page("refused bytes", &said);
}

#[test]
fn a_file_cut_anywhere_is_refused_or_whole() {
    let place = Place::made();
    let whole = place.read(&format!("scenarios/{FIRST}.json"));
    let end = whole.iter().rposition(|byte| *byte == b'}').expect("a brace");
    for cut in (0..end).step_by(37) {
        place.write("scenarios/odd/one.json", &whole[..cut]);
        let told = place.run(&["run", "odd/one"]).ends_with(2);
        assert!(told.out().contains("one.json:"), "cut at {cut}: {}", told.shown());
    }
}

#[test]
fn a_huge_file_is_refused_before_it_is_read() {
    let place = Place::made();
    let file = fs::File::create(place.path("scenarios/first/huge.json")).expect("a file");
    file.set_len(100 << 20).expect("a hole");
    let told = place.run(&["run", "huge"]).ends_with(2);
    page("refused huge file", &place.plain(&told));
}

#[test]
fn a_folder_and_a_link_to_nothing_in_place_of_a_file_are_refused() {
    let place = Place::made();
    fs::create_dir(place.path("folder.json")).expect("a folder");
    let folder = place.run(&["run", "folder.json"]).ends_with(2);
    let mut said = format!("# a folder\n{}", place.plain(&folder));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("nowhere", place.path("scenarios/first/lost.json"))
            .expect("a link");
        let lost = place.run(&["run", "lost"]).ends_with(2);
        said += &format!("\n# a link to nothing\n{}", place.plain(&lost));
    }
    page("refused places", &said);
}

#[test]
fn one_refused_file_among_others_spoils_the_exit_code_and_nothing_else() {
    let place = Place::made();
    place.write("scenarios/first/odd.json", "{}");
    let told = place.run(&["run"]).ends_with(2);
    page("refused among others", &place.plain(&told));
    let listed = place.run(&["list"]).ends_with(2);
    page("refused in a list", &place.plain(&listed));
}
