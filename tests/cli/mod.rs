//! What a shell sees: exit statuses, messages, and where they go.

mod follow;
mod inputs;
mod merge;
mod output_dir;
mod rights;
mod sort;

use assert_cmd::Command;
use std::process::Stdio;

/// A pcap file without packets: little-endian, microseconds, Ethernet.
const EMPTY_PCAP: [u8; 24] =
    [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0];

pub(crate) fn h2lens(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_h2lens"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.env_remove("SSLKEYLOGFILE").env_remove("NO_COLOR");
    command
}

/// What it prints, without a complaint.
pub(crate) fn printed(arguments: &[&str]) -> String {
    let output = h2lens(arguments).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn refused(arguments: &[&str]) -> String {
    let output = h2lens(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(message.starts_with("h2lens: "), "{message}");
    message
}

#[test]
fn usage_errors_are_one_line_and_exit_2() {
    assert!(refused(&["--shwo", "frames"]).contains("did you mean '--show'?"));
    assert!(refused(&["x.pcap", "--show", "frame"]).contains("choose transactions, endpoints, connections"));
    assert!(refused(&["-i", "any", "x.pcap"]).contains("leave out 'x.pcap'"));
    assert!(refused(&[]).contains("nothing to read"));
}

#[test]
fn inputs_that_are_no_captures_are_named_and_exit_2() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text\u{1b}[31m.pcap");
    std::fs::write(&text, "no capture, just text that goes on for a while").unwrap();
    let message = refused(&[text.to_str().unwrap()]);
    assert!(message.contains("text\\x1b[31m.pcap") && !message.contains('\u{1b}'), "{message}");
    let empty = dir.path().join("empty.pcap");
    std::fs::write(&empty, "").unwrap();
    assert!(refused(&[empty.to_str().unwrap()]).contains("empty.pcap: empty"));
    assert!(refused(&["missing.pcap"]).contains("missing.pcap: "));
    let good = dir.path().join("good.pcap");
    std::fs::write(&good, EMPTY_PCAP).unwrap();
    assert!(refused(&[good.to_str().unwrap(), "missing.pcap"]).contains("missing.pcap: "));
    assert!(refused(&[good.to_str().unwrap(), "--keylog", "missing.keys"]).contains("missing.keys: "));
}

#[test]
fn a_capture_on_standard_input_is_analyzed() {
    let output = h2lens(&["-"]).write_stdin(EMPTY_PCAP).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let record: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&record["record"], &record["coverage"]["complete"]), (&"telemetry".into(), &true.into()));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_missing_key_log_of_the_environment_is_no_error() {
    let output =
        h2lens(&["-"]).env("SSLKEYLOGFILE", "/missing/keys").write_stdin(EMPTY_PCAP).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stderr).unwrap().contains("SSLKEYLOGFILE: /missing/keys"));
    let quiet =
        h2lens(&["-", "-q"]).env("SSLKEYLOGFILE", "/missing/keys").write_stdin(EMPTY_PCAP).output().unwrap();
    assert!(quiet.stderr.is_empty());
}

#[test]
fn a_capture_that_is_cut_off_is_reported_and_strict_is_1() {
    let mut cut = EMPTY_PCAP.to_vec();
    cut.extend([0; 8]);
    for (arguments, status) in [(&["-"][..], 0), (&["-", "--strict"], 1)] {
        let output = h2lens(arguments).write_stdin(cut.clone()).output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn help_and_version_are_answers() {
    for argument in ["-h", "--help", "-V", "--version"] {
        let output = h2lens(&[argument]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{argument}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{argument}");
    }
}

#[test]
fn each_format_is_valid_without_records() {
    let run = |format| {
        let output = h2lens(&["-", "-o", format]).write_stdin(EMPTY_PCAP).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{format}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(serde_json::from_str::<Vec<serde_json::Value>>(&run("json")).unwrap().len(), 1);
    assert!(run("csv").starts_with("@timestamp,duration,") && run("csv").lines().count() == 1);
    assert!(run("table").starts_with("No transactions.\n"));
}

/// The reader has closed its end before anything was written.
#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_h2lens"))
        .args(["--generate", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}
