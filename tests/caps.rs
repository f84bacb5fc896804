//! Every cap has a counter, a test and a line in the documentation.

use h2lens::base::limit_counters::Limit;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const SOURCE: &str = include_str!("../src/base/limits.rs");
const PAGE: &str = include_str!("../docs/limits.md");

/// Where caps are counted beside `coverage.limits`.
const ELSEWHERE: [&str; 9] = [
    "damaged_inputs",
    "skipped_bytes",
    "dropped_records",
    "h2lens_endpoints_left_out",
    "_OTHER",
    "parquet",
    "report",
    "window",
    "…",
];

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

/// The sources below a directory of the package.
fn sources(directory: &str) -> Vec<(String, String)> {
    fn collect(directory: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory), &mut found);
    found
}

/// The body of the test of that name, wherever it is.
fn test_body(sources: &[(String, String)], name: &str) -> Option<String> {
    sources.iter().find_map(|(_, text)| {
        ["", "    "].iter().find_map(|indent| {
            let (_, rest) = text.split_once(&format!("#[test]\n{indent}fn {name}() {{\n"))?;
            Some(rest.split_once(&format!("\n{indent}}}\n"))?.0.to_owned())
        })
    })
}

/// The words of the program's own code: no comments, no test modules.
fn words_of_production() -> Vec<String> {
    let mut words = Vec::new();
    for (path, text) in sources("src") {
        if path.contains("/tests") || path.ends_with("/limits.rs") || path.ends_with("/testing.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let split = code.flat_map(|line| line.split(|char: char| !char.is_alphanumeric() && char != '_'));
        words.extend(split.map(str::to_owned));
    }
    words
}

#[test]
fn every_cap_names_a_counter_that_there_is() {
    for Cap { name, counter, .. } in caps() {
        let counter = counter.unwrap_or_else(|| panic!("{name} has no counter"));
        let known =
            ELSEWHERE.contains(&counter.as_str()) || Limit::ALL.iter().any(|limit| limit.name() == counter);
        assert!(known, "{name}: there is no counter {counter}");
    }
}

#[test]
fn every_cap_has_a_test() {
    let sources = [sources("src"), sources("tests")].concat();
    for Cap { name, .. } in caps() {
        let body = test_body(&sources, &format!("cap_{}", name.to_lowercase()));
        let body = body.unwrap_or_else(|| panic!("{name} has no test"));
        assert!(!body.trim().is_empty(), "the test of {name} is empty");
    }
}

#[test]
fn every_cap_is_used_by_the_program() {
    let words = words_of_production();
    let limits: Vec<_> = SOURCE.lines().filter(|line| line.starts_with("pub const ")).collect();
    for Cap { name, .. } in caps() {
        // A cap may be made of another one.
        let within =
            limits.iter().any(|line| line.split_once('=').is_some_and(|(_, value)| value.contains(name)));
        assert!(within || words.iter().any(|word| word == name), "{name}");
    }
}

#[test]
fn every_counter_is_counted_by_the_program() {
    let words = words_of_production();
    for limit in Limit::ALL {
        let name = format!("{limit:?}");
        // Once in its definition.
        assert!(words.iter().filter(|word| **word == name).count() >= 2, "{name} is never counted");
    }
}

#[test]
fn every_counter_is_documented() {
    let rows = rows();
    let names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).chain(ELSEWHERE).collect();
    for name in &names {
        assert!(rows.contains_key(name), "docs/limits.md has no row for {name}");
    }
    for name in rows.keys() {
        assert!(names.contains(name), "docs/limits.md: there is no counter {name}");
    }
    for limit in Limit::ALL {
        let cell = rows[limit.name()][0];
        assert_eq!(
            cell,
            if limit.costs() { "yes" } else { "no" },
            "{}: makes coverage incomplete",
            limit.name()
        );
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
