//! Text from strangers in the formats that other programs read: nothing of it becomes a command, a script, or a part of the
//! format, and what is text there is what was sent.

use super::lens::run;
use super::text::{NASTY, capture};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn output(format: &str, more: &[&str]) -> Vec<u8> {
    let run = run(&capture(), &[&["-o", format, "--no-redact"], more].concat()).within(96);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{format}");
    run.stdout
}

fn json(bytes: &[u8]) -> Value {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(!text.chars().any(|char| char.is_control() && char != '\n'));
    crate::support::json(text)
}

/// The paths of the requests, which name their authorities too.
fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort_unstable();
    texts
}

fn sent() -> Vec<String> {
    sorted(NASTY.iter().map(|&text| text.to_owned()))
}

#[test]
fn har_holds_what_was_sent() {
    let log = json(&output("har", &[]));
    let entries = log["log"]["entries"].as_array().unwrap();
    assert_eq!(entries.len(), NASTY.len() + 1);
    let fields = || entries.iter().flat_map(|entry| entry["request"]["headers"].as_array().unwrap());
    let values = |name: &str| {
        let named = fields().filter(|field| field["name"] == name);
        named.map(|field| field["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(sorted(values(":authority").into_iter()), sent());
    assert_eq!(values("long"), ["x".repeat(65_536)]);
    for entry in entries {
        let url = entry["request"]["url"].as_str().unwrap();
        assert!(url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'<'), "{url}");
    }
}

#[test]
fn spans_and_trace_events_stay_json() {
    let mut spans = 0;
    for line in output("otlp", &[]).split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let data = json(line);
        for resource in data["resourceSpans"].as_array().unwrap() {
            spans += resource["scopeSpans"][0]["spans"].as_array().unwrap().len();
        }
    }
    assert_eq!(spans, NASTY.len() + 1);
    let trace = json(&output("trace", &[]));
    let begun = trace["traceEvents"].as_array().unwrap().iter();
    let begun = begun.filter(|event| event["ph"] == "b" && event["args"].get("h2.stream.id").is_some());
    assert!(begun.count() <= NASTY.len() + 1);
}

/// Runs the commands with a `curl` that writes down its URLs.
fn run_commands(script: &[u8], dir: &Path) -> String {
    let curl = dir.join("curl");
    std::fs::write(
        &curl,
        "#!/bin/sh\nfor a in \"$@\"; do last=$a; done\nprintf '%s\\n' \"$last\" >> \"$SEEN\"\n",
    )
    .unwrap();
    std::fs::set_permissions(&curl, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (file, seen) = (dir.join("script"), dir.join("seen"));
    std::fs::write(&file, script).unwrap();
    let path = format!("{}:/usr/bin:/bin", dir.display());
    let mut shell = Command::new("/bin/sh");
    let output = shell.arg(&file).current_dir(dir).env("PATH", path).env("SEEN", &seen).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    std::fs::read_to_string(seen).unwrap_or_default()
}

#[test]
fn a_shell_runs_nothing_but_curl() {
    let script = output("curl", &[]);
    let dir = tempfile::tempdir().unwrap();
    let urls = run_commands(&script, dir.path());
    assert!(!dir.path().join("canary").exists(), "a value was run");
    let commands = urls.lines().count();
    let comments: Vec<_> =
        script.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"#")).collect();
    assert!(comments.iter().all(|line| line.iter().all(|byte| matches!(byte, b' '..=b'~'))));
    assert_eq!(commands + comments.len(), NASTY.len() + 1);
}

#[test]
fn the_report_has_no_markup_but_its_own() {
    let page = String::from_utf8(output("html", &[])).unwrap().to_lowercase();
    let benign = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/curl-h2c.pcap")).unwrap();
    let benign = run(&benign, &["-o", "html"]).stdout;
    let benign = String::from_utf8(benign).unwrap().to_lowercase();
    for tag in ["<script", "</script", "<img", "<!--", "<iframe"] {
        assert_eq!(page.matches(tag).count(), benign.matches(tag).count(), "{tag}");
    }
    assert!(!page.contains("href=\"javascript:"));
    assert!(!page.chars().any(|char| char.is_control() && !matches!(char, '\n' | '\t')));
}

#[cfg(feature = "parquet")]
#[test]
fn columns_are_written_whole() {
    let parquet = output("parquet", &["--show", "transactions", "-H"]);
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let arrow = output("arrow", &["--show", "transactions", "-H"]);
    for text in NASTY.iter().map(|text| text.as_bytes()).chain([&[b'x'; 65_536][..]]) {
        assert!(arrow.windows(text.len()).any(|window| window == text));
    }
}
