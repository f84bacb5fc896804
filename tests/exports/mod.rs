//! The formats that other programs read: what they hold of a capture, and what happens when they cannot be written.

#[cfg(feature = "parquet")]
mod columns;

use super::cli::{h2lens, printed};
use sha2::{Digest, Sha256};
use std::path::Path;

const CAPTURE: &str = "testdata/curl-h2c.pcap";
/// Formats of text, and what they are asked to show.
const GOLDEN: [(&str, &[&str]); 9] = [
    ("table", &[]),
    ("ndjson", &[]),
    ("json", &[]),
    ("csv", &["--show", "transactions"]),
    ("har", &[]),
    ("otlp", &[]),
    ("trace", &[]),
    ("curl", &[]),
    ("html", &["-H"]),
];
const FORMATS: [&str; 4] = ["har", "otlp", "trace", "curl"];
/// As `creator` and `scope` name it.
const VERSION: &str = concat!("\"version\":\"", env!("CARGO_PKG_VERSION"), "\"");

/// What a page says of its capture: all but its style, its script, and what names their versions.
fn contents_of_page(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (body, script) = rest.split_once("</style>").unwrap().1.rsplit_once("<script>").unwrap();
    assert!(head.contains("default-src 'none'") && script.ends_with("</script>\n</body>\n</html>\n"));
    body.replace(concat!("h2lens ", env!("CARGO_PKG_VERSION")), "h2lens VERSION")
}

/// Compares with the file `curl-h2c.NAME`, and says where it differs. `UPDATE_GOLDEN=1 cargo test --test tests exports` writes the
/// files anew.
fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/exports/curl-h2c.{name}"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap();
    for (n, (is, was)) in text.lines().zip(golden.lines()).enumerate() {
        let same = is.chars().zip(was.chars()).take_while(|(is, was)| is == was).count();
        let part = |line: &str| line.chars().skip(same.saturating_sub(60)).take(200).collect::<String>();
        assert!(is == was, "{name}, line {}:\nwas …{}\n is …{}", n + 1, part(was), part(is));
    }
    assert_eq!(text.len(), golden.len(), "{name}: one has more lines");
}

#[test]
fn each_format_is_as_it_was() {
    for (format, more) in GOLDEN {
        let mut text = printed(&[&[CAPTURE, "-o", format], more].concat()).replace(VERSION, "VERSION");
        if format == "html" {
            text = contents_of_page(&text);
        }
        golden(format, &text);
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
    let shown = ["table", "ndjson", "json", "csv", "parquet", "arrow"]
        .map(|format| (format, &["--show", "transactions"][..]));
    let fixed = ["har", "otlp", "trace", "curl", "html"].map(|format| (format, &[][..]));
    for (format, more) in shown.into_iter().chain(fixed).filter(|(format, _)| is_built(format)) {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_h2lens"))
            .args([CAPTURE, "-o", format])
            .args(more)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdout(full)
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{message}");
    }
}

fn is_built(format: &str) -> bool {
    cfg!(feature = "parquet") || !matches!(format, "parquet" | "arrow")
}

/// No file may grow beyond a block: as on a full disk, but without one.
#[cfg(target_os = "linux")]
#[test]
fn a_directory_has_whole_files_or_none() {
    for format in ["ndjson", "csv", "parquet", "arrow"].into_iter().filter(|format| is_built(format)) {
        let dir = tempfile::tempdir().unwrap();
        let into = dir.path().join("new");
        let limited = "trap '' XFSZ; ulimit -f 1; exec \"$@\"";
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", limited, "sh", env!("CARGO_BIN_EXE_h2lens"), CAPTURE, "-o", format])
            .args(["--show", "transactions,connections", "--output-dir"])
            .arg(&into)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), message.lines().count()), (Some(2), 1), "{format}: {message}");
        assert!(!into.exists(), "{format}: something is left");
    }
}

/// The digest of the schema stands in the changelog beside its version: neither changes without a line there.
#[test]
fn the_changelog_tells_of_the_record_schema() {
    let schema: serde_json::Value = serde_json::from_str(&printed(&["--generate", "schema"])).unwrap();
    let digest = Sha256::digest(without_descriptions(&schema).to_string());
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let line = format!("Record schema {} (`{digest}`)", h2lens::record::schema::VERSION);
    let changelog =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("CHANGELOG.md")).unwrap();
    assert!(
        changelog.contains(&line),
        "the records' schema is another: say in CHANGELOG.md what changed, behind \"{line}\"; released versions keep theirs"
    );
}

/// Names and types alone.
fn without_descriptions(schema: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match schema {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, value)| *name != "description" || !value.is_string());
            kept.map(|(name, value)| (name.clone(), without_descriptions(value))).collect()
        }
        Value::Array(items) => items.iter().map(without_descriptions).collect(),
        other => other.clone(),
    }
}
