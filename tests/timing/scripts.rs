//! Other implementations, where they are installed: what they say of themselves agrees with the records.

use std::path::Path;
use std::process::Command;

/// Runs a script of `tests/scripts` with the program, where there is Python; the script says what is missing.
fn run(script: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts").join(script);
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let mut command = Command::new(python);
    command.arg(path).arg(assert_cmd::cargo::cargo_bin!("h2lens"));
    let Ok(output) = command.output() else { return };
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    println!("{}{}", said[0], said[1]);
    assert!(output.status.success());
}

/// With `PYTHON` one names an interpreter that has grpcio.
#[test]
fn grpc_names_the_same_streams_as_stalled() {
    run("flowctl.py");
}

#[test]
fn what_servers_that_drain_have_executed_is_not_safe() {
    run("drains.py");
}
