//! The examples of README.md are what the program prints.

use assert_cmd::Command;

const README: &str = include_str!("../README.md");

fn printed(args: &[&str]) -> String {
    let mut command = Command::cargo_bin("h2lens").unwrap();
    let output = command.args(args).env_remove("COLUMNS").env("TZ", "UTC").output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{args:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The fenced blocks in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let fence = format!("\n```{language}\n");
    README.split(fence.as_str()).skip(1).map(|rest| rest.split("\n```\n").next().unwrap()).collect()
}

#[test]
fn tables() {
    let examples = blocks("console");
    assert!(examples.len() >= 2);
    for example in examples {
        let (command, expected) = example.split_once('\n').unwrap();
        let mut args: Vec<&str> = command.strip_prefix("$ h2lens ").unwrap().split(' ').collect();
        if !args.contains(&"-o") {
            // As on a terminal.
            args.extend(["-o", "table"]);
        }
        assert_eq!(printed(&args).trim_end(), expected, "{command}");
    }
}

#[test]
fn records() {
    let records = printed(&["testdata/curl-h2c.pcap", "--json", "--show", "transactions"]);
    for example in blocks("json") {
        assert!(records.lines().any(|record| record == example), "{example}");
    }
}
