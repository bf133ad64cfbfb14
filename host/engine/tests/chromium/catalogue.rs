//! The README's table: a row for each known failure, and tests that exist.

use std::{fs, path::Path};

/// How many are known.
const KNOWN: usize = 32;

/// `` `crate: module::test` `` in a row.
fn tests_in(row: &str) -> Vec<(String, String)> {
    let quoted = row.split('`').skip(1).step_by(2);
    let named = quoted.filter_map(|text| text.split_once(": "));
    named.map(|(place, test)| (place.to_owned(), test.to_owned())).collect()
}

fn sources(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && entry.file_name() != "target" && entry.file_name() != "node_modules" {
            sources(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs" || end == "mjs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn every_known_failure_has_a_row_and_every_test_that_it_names_exists() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(here.join("README.md")).unwrap();
    let rows: Vec<&str> = readme
        .lines()
        .filter(|line| {
            line.strip_prefix("| ").is_some_and(|row| row.starts_with(|c: char| c.is_ascii_digit()))
        })
        .collect();
    let numbers: Vec<usize> = rows
        .iter()
        .map(|row| row.trim_start_matches("| ").split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(numbers, (1..=KNOWN).collect::<Vec<_>>());

    let mut named = 0;
    for row in rows {
        let tests = tests_in(row);
        assert!(!tests.is_empty() || row.contains("Not imitated"), "no test and no reason: {row}");
        for (place, test) in tests {
            let mut text = String::new();
            sources(&here.join("../..").join(&place), &mut text);
            let name = test.rsplit("::").next().unwrap();
            assert!(text.contains(&format!("fn {name}(")), "{place} has no test {test}: {row}");
            named += 1;
        }
    }
    println!("{KNOWN} known failures, {named} tests named");
}
