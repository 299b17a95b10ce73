//! The table of checks against itself and against `docs/requirements.tsv`.

use std::collections::BTreeSet;

use crate::checks::CHECKS;

const REQUIREMENTS: &str = include_str!("../../../../docs/requirements.tsv");
const COVERAGE: &str = include_str!("../../../../docs/requirements.md");

#[test]
fn ids_are_kebab_case_and_unique() {
    let mut seen = BTreeSet::new();
    for check in CHECKS {
        let id = check.id;
        assert!(seen.insert(id), "{id} twice");
        let word = |word: &str| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            !word.is_empty() && word.bytes().all(plain)
        };
        assert!(id.split('-').all(word), "{id} is not in kebab-case");
    }
}

#[test]
fn each_check_has_its_clause_and_its_words() {
    for check in CHECKS {
        assert!(!check.clause.is_empty(), "{} has no clause", check.id);
        assert!(!check.title.is_empty() && !check.title.ends_with('.'), "{}: title", check.id);
        let sentences = check.about.matches(". ").count() + 1;
        assert!(check.about.ends_with('.') && sentences <= 4, "{}: about", check.id);
        assert!(!check.about.contains("  "), "{}: about has a hole", check.id);
    }
}

#[test]
fn each_requirement_is_a_row_of_the_list() {
    let rows: BTreeSet<&str> =
        REQUIREMENTS.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
    for check in CHECKS {
        assert!(rows.contains(check.requirement), "{}: {}", check.id, check.requirement);
    }
}

#[test]
fn the_list_has_four_columns_and_no_id_twice() {
    let mut seen = BTreeSet::new();
    for line in REQUIREMENTS.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        assert_eq!(columns.len(), 4, "{line}");
        assert!(columns.iter().all(|column| !column.is_empty()), "{line}");
        assert!(seen.insert(columns[0]), "{} twice", columns[0]);
    }
}

#[test]
fn the_documents_say_which_check_covers_what() {
    for check in CHECKS {
        let row = format!("| `{}` | {} | {} |", check.id, check.requirement, check.level);
        assert!(COVERAGE.contains(&row), "docs/requirements.md lacks {row}");
    }
}
