//! The tables in `README.md` name tests that exist, and there is a row for every promise.

use std::process::Command;

const README: &str = include_str!("README.md");
const PROMISES: usize = 57;

/// The number and the last cell of every row about a promise.
fn rows() -> impl Iterator<Item = (usize, &'static str)> {
    README.lines().filter_map(|line| {
        let mut cells = line.trim_matches('|').split('|').map(str::trim);
        Some((cells.next()?.parse().ok()?, cells.next_back()?))
    })
}

#[test]
fn every_promise_has_one_row() {
    let numbers: Vec<_> = rows().map(|(number, _)| number).collect();
    assert_eq!(numbers, (1..=PROMISES).collect::<Vec<_>>());
}

/// The first cell of every row about a storm.
fn storms() -> impl Iterator<Item = &'static str> {
    README
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
}

/// The names of all tests.
fn tests() -> String {
    let suite = std::env::current_exe().unwrap();
    let listed = Command::new(suite).arg("--list").output().unwrap();
    String::from_utf8(listed.stdout).unwrap()
}

#[test]
fn every_storm_in_the_table_is_a_test() {
    let tests = tests();
    assert!(storms().count() > 10);
    for filter in storms() {
        let matches = tests.lines().any(|test| test.starts_with(filter));
        assert!(matches, "{filter} matches no test");
    }
}

#[test]
fn every_filter_in_the_table_matches_a_test() {
    let tests = tests();
    for (number, cell) in rows() {
        // What stands between backticks, if it looks like the name of a test.
        let quoted = cell.split('`').skip(1).step_by(2);
        for filter in quoted.filter(|text| text.contains("::") || text.contains('_')) {
            let matches = tests.lines().any(|test| test.contains(filter));
            assert!(matches, "promise {number}: {filter} matches no test");
        }
    }
}
