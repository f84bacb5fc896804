//! `--bodies`: one file a body, and what the manifest says.

use super::plans::plans;
use super::record;
use crate::support::conversation::Cut;
use crate::support::{Conversation, Ends, json_lines};
use assert_cmd::Command;
use std::fs;
use std::path::Path;

fn write(capture: &Path, directory: &Path, more: &[&str]) -> std::process::Output {
    let mut command = Command::cargo_bin("h2lens").unwrap();
    command.arg(capture).arg("--bodies").arg(directory).args(more).args(["--show", "transactions", "--json"]);
    command.env_remove("SSLKEYLOGFILE").output().unwrap()
}

#[test]
fn each_body_is_a_file() {
    let plans = plans();
    let home = tempfile::tempdir().unwrap();
    let capture = home.path().join("a.pcap");
    let events = record(&plans);
    fs::write(&capture, Conversation::of(Ends::v4(3), 1, &events, Cut::ALL[0]).capture().pcap()).unwrap();
    for (as_sent, more) in [(false, &[][..]), (true, &["--raw-bodies"])] {
        let directory = home.path().join(if as_sent { "sent" } else { "decoded" });
        let output = write(&capture, &directory, more);
        assert!(output.status.success(), "{output:?}");
        assert!(!String::from_utf8_lossy(&output.stdout).contains("\"content\""), "they are not asked for");
        let manifest = fs::read_to_string(directory.join("manifest.ndjson")).unwrap();
        let lines = json_lines(&manifest);
        assert_eq!(lines.len(), 2 * plans.len());
        for (n, line) in lines.iter().enumerate() {
            let plan = &plans[n / 2];
            let expected = if as_sent { plan.pieces.concat() } else { plan.content.clone() };
            let file = fs::read(directory.join(line["file"].as_str().unwrap())).unwrap();
            assert!(file == expected, "{line}");
            assert_eq!((&line["complete"], &line["path"]), (&true.into(), &plan.path.into()), "{line}");
        }
        let again = write(&capture, &directory, more);
        assert!(
            !again.status.success() && String::from_utf8_lossy(&again.stderr).contains("--bodies"),
            "{again:?}"
        );
    }
}
