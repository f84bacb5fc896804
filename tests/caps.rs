//! Every cap has a counter, a test and a line in the documentation.

use h2lens::base::limit::LIMITS;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const SOURCE: &str = include_str!("../src/base/limits.rs");
const PAGE: &str = include_str!("../docs/limits.md");

/// Where caps are counted beside `coverage.limits`.
const ELSEWHERE: [&str; 4] = ["damaged_inputs", "skipped_bytes", "dropped_records", "…"];

/// A constant of `src/base/limits.rs`.
struct Cap {
    name: &'static str,
    value: u64,
    /// What its text names after `Counter:`.
    counter: Option<String>,
}

fn caps() -> Vec<Cap> {
    let (mut caps, mut text) = (Vec::new(), String::new());
    for line in SOURCE.lines() {
        if let Some(more) = line.strip_prefix("///") {
            text.push_str(more);
        } else if let Some(rest) = line.strip_prefix("pub const ") {
            let (name, rest) = rest.split_once(':').unwrap();
            let value = rest.split_once('=').unwrap().1.trim_end_matches(';');
            let counter =
                text.split_once("Counter: `").map(|(_, rest)| rest.split('`').next().unwrap().to_owned());
            caps.push(Cap { name, value: value_of(value), counter });
        }
        if !line.starts_with("///") {
            text.clear();
        }
    }
    assert!(caps.len() > 70, "{}", caps.len());
    caps
}

/// The value of an expression of integers, `<<`, `-`, `*`, `/` and parentheses around the first operand.
fn value_of(expression: &str) -> u64 {
    let expression = expression.trim().replace("SHARDS", &h2lens::base::tuning::SHARDS.to_string());
    let operand = |text: &str| text.trim().replace('_', "").parse::<u64>().unwrap();
    let (mut value, mut rest) = match expression.strip_prefix('(').map(|rest| rest.split_once(')').unwrap()) {
        Some((inner, rest)) => (value_of(inner), rest.to_owned()),
        None => {
            let end = expression.find(' ').unwrap_or(expression.len());
            (operand(&expression[..end]), expression[end..].to_owned())
        }
    };
    while let Some((operator, after)) = rest.trim().split_once(' ') {
        let end = after.find(' ').unwrap_or(after.len());
        let right = operand(&after[..end]);
        value = match operator {
            "<<" => value << right,
            "-" => value - right,
            "*" => value * right,
            "/" => value / right,
            _ => panic!("{expression}"),
        };
        rest = after[end..].to_owned();
    }
    value
}

/// With commas between thousands.
fn shown(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<_> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}

/// The rows of the page's tables: name, and the other columns.
fn rows() -> BTreeMap<&'static str, Vec<&'static str>> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let (name, rest) = row.split_once('`').unwrap();
        (name, rest.trim_matches('|').split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect())
    })
    .collect()
}

/// All that stands in the sources and tests.
fn everything() -> String {
    fn collect(directory: &Path, text: &mut String) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    let mut text = String::new();
    for directory in ["src", "tests"] {
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut text);
    }
    text
}

#[test]
fn every_cap_names_a_counter_that_there_is() {
    for Cap { name, counter, .. } in caps() {
        let counter = counter.unwrap_or_else(|| panic!("{name} has no counter"));
        let known = ELSEWHERE.contains(&counter.as_str()) || LIMITS.iter().any(|limit| limit.name == counter);
        assert!(known, "{name}: there is no counter {counter}");
    }
}

#[test]
fn every_cap_has_a_test() {
    let everything = everything();
    for Cap { name, .. } in caps() {
        let test = format!("#[test]\n    fn cap_{}()", name.to_lowercase());
        let found = everything.contains(&test) || everything.contains(&test.replace("    fn", "fn"));
        assert!(found, "{name} has no test");
    }
}

#[test]
fn every_cap_is_used() {
    let everything = everything();
    let code: String = everything.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let words: Vec<_> = code.split(|char: char| !char.is_alphanumeric() && char != '_').collect();
    for Cap { name, .. } in caps() {
        // Its definition is one.
        assert!(words.iter().filter(|word| **word == name).count() >= 2, "{name}");
    }
}

#[test]
fn every_counter_is_documented() {
    let rows = rows();
    let names: Vec<_> = LIMITS.iter().map(|limit| limit.name).chain(ELSEWHERE).collect();
    for name in &names {
        assert!(rows.contains_key(name), "docs/limits.md has no row for {name}");
    }
    for name in rows.keys() {
        assert!(names.contains(name), "docs/limits.md: there is no counter {name}");
    }
    for limit in LIMITS {
        let cell = rows[limit.name][0];
        assert_eq!(cell, if limit.costs { "yes" } else { "no" }, "{}: makes coverage incomplete", limit.name);
    }
}

#[test]
fn every_cap_is_documented_with_its_value() {
    let rows = rows();
    let caps = caps();
    for Cap { name, value, counter } in &caps {
        let told = format!("{} (`{name}`)", shown(*value));
        let row = &rows[counter.as_ref().unwrap().as_str()];
        assert!(row.iter().any(|cell| cell.contains(&told)), "docs/limits.md: {told}");
    }
    for cell in rows.values().flatten() {
        let told = cell.split("(`").skip(1).filter_map(|rest| rest.split('`').next());
        for name in told.filter(|name| name.starts_with(char::is_uppercase)) {
            assert!(caps.iter().any(|cap| cap.name == name), "docs/limits.md: there is no cap {name}");
        }
    }
}
