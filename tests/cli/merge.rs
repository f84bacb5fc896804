//! `--partition` and `merge`, as a shell drives them.

use super::{h2lens, refused};
use std::fs;
use std::path::{Path, PathBuf};

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/agent-differs.pcap");
const SHOW: &str = "transactions,connections,endpoints,telemetry";

fn parts(directory: &Path, of: usize) -> Vec<String> {
    let part = |index| {
        let part = format!("{index}/{of}");
        let output = h2lens(&[CAPTURE, "-o", "ndjson", "-S", SHOW, "--partition", &part]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let path: PathBuf = directory.join(format!("{index}.ndjson"));
        fs::write(&path, output.stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    (0..of).map(part).collect()
}

fn merge(parts: &[String]) -> Vec<&str> {
    ["merge"].into_iter().chain(parts.iter().map(String::as_str)).collect()
}

#[test]
fn all_parts_are_merged_to_what_one_process_prints() {
    let home = tempfile::tempdir().unwrap();
    let parts = parts(home.path(), 3);
    let whole = h2lens(&[CAPTURE, "-o", "ndjson", "-S", SHOW]).output().unwrap().stdout;
    let merged = h2lens(&merge(&parts)).output().unwrap();
    assert!(merged.status.success() && merged.stderr.is_empty());
    assert!(merged.stdout == whole);
}

#[test]
fn what_is_not_all_of_one_capture_is_one_line_and_exit_2() {
    let home = tempfile::tempdir().unwrap();
    let parts = parts(home.path(), 3);
    assert!(refused(&merge(&parts[..2])).contains("of 3 parts one is not there: 2"));
    let text = fs::read(&parts[1]).unwrap();
    let behind_a_line = memchr::memchr(b'\n', &text).unwrap() + 1;
    fs::write(&parts[1], &text[behind_a_line..]).unwrap();
    assert!(refused(&merge(&parts)).contains("1.ndjson: lines are missing, or are not as they were written"));
    fs::write(&parts[1], &text[..text.len() / 2]).unwrap();
    assert!(refused(&merge(&parts)).contains("1.ndjson: not a whole part"));
    fs::remove_file(&parts[1]).unwrap();
    assert!(refused(&merge(&parts)).contains("No such file"));
}

#[test]
fn parts_with_other_secrets_are_none_of_one_whole() {
    let home = tempfile::tempdir().unwrap();
    let parts = parts(home.path(), 2);
    let log = home.path().join("keys.log");
    let line = format!("CLIENT_RANDOM {} {}\n", "ab".repeat(32), "cd".repeat(48));
    fs::write(&log, line).unwrap();
    let mut other = h2lens(&[CAPTURE, "-o", "ndjson", "-S", SHOW, "--partition", "1/2", "--keylog"]);
    fs::write(&parts[1], other.arg(&log).output().unwrap().stdout).unwrap();
    assert!(refused(&merge(&parts)).contains("1.ndjson: made with other TLS secrets than"));
}

#[test]
fn what_is_not_known_of_a_part_is_refused() {
    let refused = |more: &[&str]| refused(&[&[CAPTURE, "--partition", "0/16"], more].concat());
    assert!(refused(&["-o", "table"]).contains("--partition does not go with -o table: give -o ndjson"));
    for (option, value) in
        [("--top", "3"), ("--idle-timeout", "9s"), ("--write", "x.pcap"), ("--follow", "1:1")]
    {
        assert!(refused(&["-o", "ndjson", option, value]).contains(option), "{option}");
    }
    assert!(super::refused(&[CAPTURE, "--partition", "8/8"]).contains("it takes I/N"));
}
