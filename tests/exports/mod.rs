//! The formats that other programs read: what they hold of a capture, and what happens when they cannot be written.

use super::cli::h2lens;
use std::path::Path;

const CAPTURE: &str = "testdata/curl-h2c.pcap";
/// Those whose text is their own: the others show records, which have snapshots of their own.
const GOLDEN: [&str; 1] = ["curl"];
const FORMATS: [&str; 4] = ["har", "otlp", "trace", "curl"];

fn printed(arguments: &[&str]) -> String {
    let output = h2lens(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// `UPDATE_GOLDEN=1 cargo test --test tests exports` writes the files anew.
#[test]
fn each_format_is_as_it_was() {
    for format in GOLDEN {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/exports/curl-h2c.{format}"));
        let text = printed(&[CAPTURE, "-o", format]);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text, golden, "{format}");
    }
}

#[test]
fn threads_and_header_fields_change_nothing() {
    for format in FORMATS {
        let one = printed(&[CAPTURE, "-o", format, "--threads", "1"]);
        assert_eq!(one, printed(&[CAPTURE, "-o", format, "--threads", "4"]), "{format}");
        assert_eq!(one, printed(&[CAPTURE, "-o", format, "-H"]), "{format}");
    }
}

#[test]
fn exchanges_that_are_not_asked_for_are_in_none() {
    let har: serde_json::Value =
        serde_json::from_str(&printed(&[CAPTURE, "-o", "har", "--where", "status == 404"])).unwrap();
    assert_eq!(har["log"]["entries"].as_array().unwrap().len(), 1);
    assert_eq!(printed(&[CAPTURE, "-o", "otlp", "--where", "status == 500"]), "");
    assert_eq!(printed(&[CAPTURE, "-o", "curl", "--where", "status == 404"]).matches("curl ").count(), 1);
}

#[test]
fn what_they_hold_cannot_be_chosen() {
    for format in FORMATS {
        let output = h2lens(&[CAPTURE, "-o", format, "--show", "transactions"]).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("leave out --show") && message.lines().count() == 1, "{message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_one_line_and_exit_2() {
    for format in FORMATS {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_h2lens"))
            .args([CAPTURE, "-o", format])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(full)
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
    }
}
