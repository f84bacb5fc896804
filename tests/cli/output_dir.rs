//! `--output-dir`: whole files or none.

use super::h2lens;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/curl-h2c.pcap");

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn each_kind_has_a_file_that_holds_what_standard_output_would() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("deep/new");
    for format in ["csv", "ndjson", "json"] {
        let path = directory.to_str().unwrap();
        let show = "transactions,connections";
        let output = h2lens(&[CAPTURE, "-o", format, "-S", show, "--output-dir", path]).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{output:?}");
        for kind in show.split(',') {
            let alone = h2lens(&[CAPTURE, "-o", format, "-S", kind]).output().unwrap().stdout;
            assert!(
                alone == fs::read(directory.join(format!("{kind}.{format}"))).unwrap(),
                "{kind} {format}"
            );
        }
    }
    assert_eq!(names(&directory).len(), 6);
}

#[test]
fn what_is_in_the_way_stays_unless_forced() {
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (home.path().join("telemetry.csv"), home.path().join("transactions.csv"));
    fs::write(&first, "precious").unwrap();
    let arguments = [CAPTURE, "-o", "csv", "--output-dir", home.path().to_str().unwrap()];
    let output = h2lens(&arguments).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("telemetry.csv is there already; --force") && message.lines().count() == 1);
    assert_eq!((output.status.code(), names(home.path())), (Some(2), vec!["telemetry.csv".to_owned()]));
    assert_eq!(fs::read(&first).unwrap(), b"precious");
    assert!(h2lens(&[&arguments[..], &["--force"]].concat()).output().unwrap().status.success());
    assert!(fs::read(&first).unwrap() != b"precious" && second.exists());

    fs::remove_file(&first).unwrap();
    fs::create_dir(&first).unwrap();
    let output = h2lens(&[&arguments[..], &["--force"]].concat()).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "a directory is in the way");
}

#[test]
fn an_input_that_fails_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("new");
    let arguments = ["missing.pcap", "--json", "--output-dir", directory.to_str().unwrap()];
    let output = h2lens(&arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!directory.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_removes_what_is_not_whole() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let home = tempfile::tempdir().unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_h2lens"))
            .args(["-", "-o", "csv", "--output-dir", home.path().to_str().unwrap()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut packets = child.stdin.take().unwrap();
        packets.write_all(&fs::read(CAPTURE).unwrap()[..2000]).unwrap();
        while names(home.path()).len() < 2 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let kill = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(status));
        assert_eq!(names(home.path()), Vec::<String>::new());
    }
}
