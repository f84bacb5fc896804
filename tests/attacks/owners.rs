//! What is kept besides connections, each filled beyond its share of `--memory`: the process stays within that and 32 MiB, twice
//! as much input takes no more, and what had to go is counted.

use super::lens::{Run, run, run_with};
use super::wire::{REQUEST, RESPONSE, Wire, frame, insert, literal};
use std::io::Write;
use std::time::Duration;

const MEMORY: [&str; 2] = ["--memory", "64M"];
const MOST: u64 = 64 + 32;

/// At two sizes, of which the smaller one fills the share.
fn at_two_sizes(attack: impl Fn(u32) -> Vec<u8>, arguments: &[&str]) -> [Run; 2] {
    let arguments = [&MEMORY[..], arguments].concat();
    let [small, large] = [1, 2].map(|size| run(&attack(size), &arguments).within(MOST));
    assert!(large.mib <= small.mib + 16, "{arguments:?}: {} MiB, {} MiB", small.mib, large.mib);
    [small, large]
}

/// Calls of long paths, each another one and at another service.
pub(crate) fn calls(count: u32) -> Vec<u8> {
    calls_of(Duration::ZERO, &"p".repeat(1000), count)
}

/// The same, made so much later, of paths that end so.
fn calls_of(later: Duration, path: &str, count: u32) -> Vec<u8> {
    let mut wire = Wire::new();
    wire.wait(later);
    let mut flows: Vec<_> = (1000..1016).map(|port| wire.http2(port)).collect();
    let flow_of = |n: u32| n as usize % 16;
    for n in 0..count {
        let (client, server) = &mut flows[flow_of(n)];
        let id = 2 * (n / 16) + 1;
        let name: String = format!("{n:08}").bytes().map(|digit| char::from(digit + b'a' - b'0')).collect();
        let path = literal(4, format!("/{name}/{path}").as_bytes());
        let host = literal(1, name.as_bytes());
        wire.send(client, &frame(1, 5, id, &[&REQUEST[..2], &path, &host].concat()));
        wire.send(server, &frame(1, 5, id, &RESPONSE));
    }
    wire.file
}

#[test]
fn secrets_of_a_long_key_log() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys");
    let peaks = [10_000, 20_000].map(|count| {
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        for n in 0..count {
            writeln!(file, "PMS_CLIENT_RANDOM {n:064x} {}", "ab".repeat(1000)).unwrap();
            writeln!(file, "CLIENT_RANDOM {n:064x} {}", "ab".repeat(48)).unwrap();
        }
        file.flush().unwrap();
        let arguments = ["--json", "--keylog", path.to_str().unwrap()];
        let run = run(&Wire::new().file, &[&MEMORY[..], &arguments].concat()).within(MOST);
        assert!(run.limit("key_log_connections") > 0);
        run.mib
    });
    assert!(peaks[1] <= peaks[0] + 16, "{peaks:?} MiB");
}

/// Each connection has calls under way, and entries in the agent's table.
#[test]
fn connections_of_the_agents_model() {
    let attack = |size: u32| {
        let mut wire = Wire::new();
        for port in 0..5000 * size as u16 {
            let (mut client, _) = wire.http2(port);
            let request = |n| [&REQUEST[..2], &insert(4, &[b'/' + n as u8; 150])].concat();
            let requests: Vec<u8> = (0..3).flat_map(|n| frame(1, 5, 2 * n + 1, &request(n))).collect();
            wire.send(&mut client, &requests);
        }
        wire.file
    };
    for run in at_two_sizes(attack, &["--json", "--show", "telemetry"]) {
        for limit in ["agent_connections", "agent_in_flight"] {
            assert!(run.limit(limit) > 0, "{limit}");
        }
    }
}

#[test]
fn endpoints_of_many_paths() {
    for run in at_two_sizes(|size| calls(6000 * size), &["--json", "--show", "endpoints,telemetry"]) {
        assert!(run.limit("endpoint_paths") + run.limit("endpoint_rows") > 0, "{}", run.coverage());
    }
}

/// What is not held is in a file meanwhile: all come, in order.
#[test]
fn transactions_to_be_sorted() {
    let runs = at_two_sizes(|size| calls(5000 * size), &["--json", "--sort", "-start"]);
    for (run, count) in runs.iter().zip([5000, 10_000]) {
        let starts: Vec<_> = run
            .transactions()
            .iter()
            .map(|record| record["@timestamp"].as_str().unwrap().to_owned())
            .collect();
        assert!(starts.len() == count && starts.is_sorted_by(|a, b| a >= b));
    }
}

#[test]
fn rows_of_columns() {
    for format in ["parquet", "arrow"] {
        at_two_sizes(|size| calls(5000 * size), &["-o", format]);
    }
}

/// The page says how many of the calls it shows.
#[test]
fn calls_of_the_report() {
    for (run, count) in at_two_sizes(|size| calls(5000 * size), &["-o", "html"]).iter().zip([5000, 10_000]) {
        let page = String::from_utf8_lossy(&run.stdout);
        let held = page.matches("\"record\":\"transaction\"").count();
        assert!(held > 1000 && held < count, "{held} of {count}");
    }
}

/// Files of several kinds at once divide what one would have.
#[cfg(feature = "parquet")]
#[test]
fn columns_of_several_files() {
    let directory = tempfile::tempdir().unwrap();
    let files = directory.path().to_str().unwrap();
    let show = "transactions,connections,frames,endpoints,telemetry";
    let arguments = ["-o", "parquet", "-H", "--show", show, "--output-dir", files, "--force"];
    at_two_sizes(|size| calls(2000 * size), &arguments);
    for kind in show.split(',') {
        let file = std::fs::read(directory.path().join(format!("{kind}.parquet"))).unwrap();
        assert!(file.starts_with(b"PAR1") && file.ends_with(b"PAR1"), "{kind}");
    }
}

/// A command that takes two captures, of calls that are not the same.
fn of_two(command: &str, captures: [&[u8]; 2]) -> Run {
    let files = captures.map(|capture| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(capture).unwrap();
        file
    });
    let paths = files.each_ref().map(|file| file.path().to_str().unwrap());
    run_with(&[&[command, paths[0], paths[1], "--json"], &MEMORY[..]].concat(), |_| {}).within(MOST)
}

/// The second capture begins when the first one has ended long since: nothing can be told before there is no room.
#[test]
fn captures_that_are_joined() {
    let hour = Duration::from_secs(3600);
    for (length, count) in [(1000, 3000), (1, 12_000)] {
        let [small, large] = [1, 2].map(|size| {
            let calls = |later, path: &str| calls_of(later, &path.repeat(length), count * size);
            let run = of_two("join", [&calls(Duration::ZERO, "a"), &calls(hour, "b")]);
            let records = run.records();
            // And the record of all of them.
            assert_eq!(records.len() as u32, 2 * count * size + 1, "all calls are told of");
            run
        });
        assert!(large.mib <= small.mib + 16, "{} MiB, {} MiB", small.mib, large.mib);
    }
}

/// Of each run there are more endpoints than are kept apart.
#[test]
fn runs_that_are_compared() {
    let [small, large] = [1, 2].map(|size| {
        let captures = ["a", "b"].map(|path| calls_of(Duration::ZERO, &path.repeat(1000), 6000 * size));
        let run = of_two("diff", captures.each_ref().map(Vec::as_slice));
        assert!(run.stderr.contains("endpoint_"), "{}", run.stderr);
        run
    });
    assert!(large.mib <= small.mib + 16, "{} MiB, {} MiB", small.mib, large.mib);
}

/// The same of records that were made before, more of them than are read.
#[test]
fn records_that_are_compared() {
    let [small, large] = [1, 2].map(|size| {
        let runs = ["a", "b"].map(|path| {
            let calls = calls_of(Duration::ZERO, &path.repeat(1000), 6000);
            run(&calls, &["--json", "--show", "endpoints"]).within(544).stdout.repeat(4 * size)
        });
        let run = of_two("diff", runs.each_ref().map(Vec::as_slice));
        assert!(run.stderr.contains("diff_records"), "{}", run.stderr);
        run
    });
    assert!(large.mib <= small.mib + 16, "{} MiB, {} MiB", small.mib, large.mib);
}
