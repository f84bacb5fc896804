//! What is given up before a packet is looked at.

use super::{EMPTY_PCAP, h2lens, refused};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A line of what the kernel says of a process.
#[cfg(target_os = "linux")]
fn status(process: u32, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line[name.len() + 1..].trim().to_owned()
}

/// While it waits for the first packet, root is root no more, and no capability is left.
#[cfg(target_os = "linux")]
#[test]
fn captures_are_read_without_rights() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_h2lens"))
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&EMPTY_PCAP).unwrap();
    let began = Instant::now();
    while status(child.id(), "NoNewPrivs") != "1" {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(5));
    }
    let nothing = |name| u64::from_str_radix(&status(child.id(), name), 16) == Ok(0);
    assert!(["CapEff", "CapPrm", "CapInh", "CapAmb"].into_iter().all(nothing));
    for name in ["Uid", "Gid"] {
        assert!(status(child.id(), name).split_whitespace().all(|number| number != "0"), "{name}");
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_makes_files_later_keeps_the_rights_and_strict_refuses_it() {
    let directory = tempfile::tempdir().unwrap();
    let capture = "testdata/curl-h2c.pcap";
    for option in ["--write", "--output-dir", "--bodies"] {
        let target = directory.path().join(option).display().to_string();
        let message = refused(&[capture, option, &target, "--sandbox", "strict"]);
        assert!(message.contains(&format!("leave out {option}")), "{message}");
        assert!(std::fs::symlink_metadata(&target).is_err(), "{option}");
        let output = h2lens(&[capture, option, &target, "-v"]).output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("keeps its rights"), "{option}");
        assert!(std::fs::symlink_metadata(&target).is_ok(), "{option}");
    }
    assert!(refused(&[capture, capture, "--sandbox", "strict"]).contains("leave out all but one FILE"));
    let output = h2lens(&[capture, "--sandbox", "off", "-v"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("all rights are kept"));
}

/// Nobody but root may look into the directory, and each capture is opened when its time has come.
#[test]
fn many_captures_of_a_closed_directory_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let copies: Vec<String> =
        (0..20).map(|n| directory.path().join(format!("{n}.pcap")).display().to_string()).collect();
    for copy in &copies {
        std::fs::copy("testdata/curl-h2c.pcap", copy).unwrap();
    }
    let whole = directory.path().display().to_string();
    for inputs in [copies.iter().map(String::as_str).collect(), vec![whole.as_str()]] {
        let arguments = [inputs, vec!["--json", "--show", "telemetry"]].concat();
        let output = h2lens(&arguments).output().unwrap();
        let telemetry: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(telemetry["coverage"]["packets"], 20 * 59);
        assert_eq!(telemetry["coverage"]["damaged_inputs"], 0);
    }
}
