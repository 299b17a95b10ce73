//! What is written reads as what was written, and writing it again changes nothing.

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use wire::{Chance, Duration, Mac, Value};
use wireproof_scenario::{
    Action, Due, Expr, OptionTemplate, Scalar, Scenario, Spanned, ValueTemplate, parse, write,
};

const EVERYTHING: &str = include_str!("good/everything.json");

fn read(text: &str) -> Scenario {
    parse(text.as_bytes()).unwrap_or_else(|faults| {
        let lines: Vec<String> = faults.iter().map(|fault| fault.in_file("test")).collect();
        panic!("{}\n{text}", lines.join("\n"))
    })
}

/// A scenario without its places.
fn values(scenario: &Scenario) -> String {
    let shown = format!("{scenario:?}");
    let mut parts = shown.split("Span { start: ");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += part.split_once(" }").map_or("", |(_, rest)| rest);
    }
    out
}

/// Both ways of writing it, each of which reads as the same and is a fixed point.
fn written(text: &str) -> [String; 2] {
    let scenario = read(text);
    let kept = write(&scenario, Some(text));
    let made = write(&scenario, None);
    for new in [&kept, &made] {
        let again = read(new);
        assert_eq!(values(&again), values(&scenario), "{new}");
        assert_eq!(write(&again, Some(new)), *new);
    }
    [kept, made]
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    files.into_iter().chain(folders.iter().flat_map(|folder| files_below(folder))).collect()
}

#[test]
fn every_scenario_is_read_back_as_it_was() {
    let files = files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios"));
    let mut count = 0;
    for path in files.iter().filter(|path| !path.ends_with("schema.json")) {
        written(&std::fs::read_to_string(path).unwrap());
        count += 1;
    }
    assert!(count > 250, "{count}");
}

#[test]
fn every_key_and_every_spelling_is_kept() {
    let [kept, made] = written(EVERYTHING);
    insta::assert_snapshot!("everything as it was written", kept);
    insta::assert_snapshot!("everything as it is made", made);
}

#[test]
fn a_mark_at_the_beginning_and_odd_texts_are_no_hindrance() {
    let odd = r#"a \"quote\", a \\, \u0001, \ud83d\ude00 and a\ttab"#;
    let text = EVERYTHING.replace("the whole", odd);
    let [kept, _] = written(&format!("\u{feff}{text}"));
    assert!(kept.contains(r#"a \"quote\", a \\, \u0001, 😀 and a\ttab"#), "{kept}");
}

#[test]
fn no_line_that_could_be_shorter_is_longer_than_a_hundred_columns() {
    for line in written(EVERYTHING).iter().flat_map(|text| text.lines()) {
        assert!(line.chars().count() <= 100, "{line}");
    }
}

/// The text of an argument that would read as an expression is told apart from one.
#[test]
fn texts_with_a_dollar_are_texts() {
    let mut scenario = read(EVERYTHING);
    let mut texts = 0;
    for step in &mut scenario.steps {
        if let Action::Do { args, .. } = &mut step.action {
            for arg in args {
                arg.value.value = Scalar::Text(format!("$$ {texts} $isn"));
                texts += 1;
            }
        }
    }
    let new = write(&scenario, Some(EVERYTHING));
    assert_eq!(values(&read(&new)), values(&scenario), "{new}");
    assert!(texts > 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    /// A program changes what it read: the new values stand there, and no old spelling of them.
    #[test]
    fn what_a_program_changed_is_written(
        nanos in any::<u64>(),
        number in any::<u64>(),
        bits in 1u64..,
        rate in 0u32..=1_000_000,
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        keep in any::<u32>(),
        text in ".{0,20}",
    ) {
        let mut scenario = read(EVERYTHING);
        let time = Duration::from_nanos(nanos);
        scenario.end = Some(Spanned::new(time, scenario.end.expect("an end").span));
        scenario.note = Some(text.clone());
        scenario.nodes[0].options[0].value.value = Scalar::Text(text);
        let mac = Mac(number.to_be_bytes()[..6].try_into().expect("six bytes"));
        scenario.nodes[0].mac.as_mut().expect("a mac").value = mac;
        let settings = &mut scenario.links[0].settings.clone();
        settings.delay = Some(time);
        settings.rate_bps = Some(Some(bits));
        settings.loss = Some(Chance::per_million(rate));
        scenario.links[0].settings = settings.clone();
        for step in &mut scenario.steps {
            match &mut step.action {
                Action::Expect { due: Due::Within(within), .. } => *within = time,
                Action::Send { packet, .. } => {
                    packet.value.raw.iter_mut().for_each(|raw| raw.clone_from(&bytes));
                    for layer in &mut packet.value.layers {
                        for given in &mut layer.fields {
                            match (given.field.max(), &mut given.value) {
                                (Some(max), value) if number.is_multiple_of(2) => {
                                    *value = ValueTemplate::Fixed(Value::Num(number & max));
                                }
                                (None, ValueTemplate::Fixed(Value::Bytes(old))) => {
                                    old.clone_from(&bytes);
                                }
                                _ => {}
                            }
                        }
                        for option in layer.tcp_options.iter_mut().flatten() {
                            if let OptionTemplate::Mss(mss) = option {
                                *mss = Expr::number(number & 0xffff);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        // What is bound must stay bound: only what follows the last name goes.
        let mut place = 0;
        scenario.steps.retain(|_| {
            place += 1;
            place < 12 || keep >> (place % 32) & 1 == 0
        });
        for new in [write(&scenario, Some(EVERYTHING)), write(&scenario, None)] {
            let again = read(&new);
            prop_assert_eq!(values(&again), values(&scenario), "{}", new);
            prop_assert_eq!(write(&again, Some(&new)), new);
        }
    }
}
