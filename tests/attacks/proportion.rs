//! Attacks that ask for more output, memory or time than they are long.

use super::lens::{Run, run, run_unread};
use super::measure::{CALLS, NO_CALLS, at_two_sizes, in_proportion, struck};
use super::wire::{REQUEST, RESPONSE, Wire, frame, insert, literal};
use std::time::Duration;

const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const WHOLE: u8 = 5;

/// The fields of a capture's calls, by what names them.
const OUTPUTS: [&[&str]; 5] = [
    &["--json", "-H", "--no-redact"],
    &["-o", "csv", "-H", "--no-redact"],
    &["-o", "har", "--no-redact"],
    &["-o", "table", "-H", "--no-redact", "--color", "never"],
    &["-o", "otlp", "--no-redact"],
];

/// An attack, and the format that it is told in.
fn named(attack: &str, arguments: &[&str]) -> String {
    format!("{attack}, {}", if arguments[0] == "--json" { "ndjson" } else { arguments[1] })
}

/// The findings' codes: what is not shown is said to be too much, and not to be absent.
fn assert_nothing_absent(run: &Run) {
    let findings = run.records().into_iter().filter(|record| record["record"] == "finding");
    let codes: Vec<String> = findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
    assert_eq!(codes, ["header_list_limit"]);
}

/// One entry of nearly 4 KiB, named in each block, so often, by an octet. `index`: the name of the entry.
fn named_again(index: u8, byte: u8, often: usize, trailers: bool, blocks: u32) -> Vec<u8> {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    let entry = insert(index, &[byte; 4000]);
    let path = if index == 4 { &[][..] } else { &REQUEST[2..] };
    wire.send(&mut client, &frame(HEADERS, WHOLE, 1, &[&REQUEST[..2], path, &entry].concat()));
    let entry = insert(54, &[byte; 4000]);
    wire.send(&mut server, &frame(HEADERS, WHOLE, 1, &[&RESPONSE[..], &entry].concat()));
    let again = vec![0xbe; often];
    for n in 1..=blocks {
        let id = 2 * n + 1;
        if trailers {
            wire.send(&mut client, &frame(HEADERS, WHOLE, id, &REQUEST));
            wire.send(&mut server, &frame(HEADERS, END_HEADERS, id, &RESPONSE));
            wire.send(&mut server, &frame(HEADERS, WHOLE, id, &again));
        } else {
            wire.send(&mut client, &frame(HEADERS, WHOLE, id, &[&REQUEST[..2], path, &again].concat()));
            wire.send(&mut server, &frame(HEADERS, WHOLE, id, &RESPONSE));
        }
    }
    wire.file
}

#[test]
fn one_entry_in_the_headers_of_each_request() {
    for arguments in OUTPUTS {
        let attack = |size| named_again(58, b'u', 8, false, 600 * size as u32);
        let runs = at_two_sizes(&named("one entry in each request", arguments), attack, arguments, 96, CALLS);
        if arguments[0] == "--json" {
            struck(&runs, &["output"]);
        }
    }
}

#[test]
fn one_entry_in_trailers_that_are_kept_whole() {
    let arguments = ["--json", "--show", "transactions,findings,telemetry"];
    let attack = |size| named_again(58, b'u', 8, true, 600 * size as u32);
    for run in at_two_sizes("one entry in trailers", attack, &arguments, 96, CALLS) {
        assert!(run.limit("output") > 0);
        assert_eq!(run.coverage()["complete"], false);
        let transactions = run.transactions();
        let limited = |record: &&serde_json::Value| {
            record["h2"]["partial_reason"].as_array().is_some_and(|all| all.contains(&"limit".into()))
        };
        assert!(transactions.iter().filter(limited).count() as u64 >= run.limit("output"));
        assert!(transactions.iter().all(|record| record["http"]["response"]["status_code"] == 200));
        assert_nothing_absent(&run);
    }
}

#[test]
fn one_entry_for_the_path_of_each_request() {
    let arguments = ["--json", "-H", "--show", "transactions,findings,telemetry"];
    let attack = |size| named_again(4, b'/', 1, false, 1500 * size as u32);
    for run in at_two_sizes("one entry for each path", attack, &arguments, 96, CALLS) {
        assert!(run.limit("output") > 0);
        assert_nothing_absent(&run);
        for record in run.transactions() {
            let path = record["url"]["path"].as_str();
            assert!(path.is_none_or(|path| path.len() == 4000), "a value is whole, or left out");
        }
    }
}

#[test]
fn text_that_grows_as_it_is_escaped() {
    for byte in [1, b'"', b'\\', 0x7f, 0xff] {
        for arguments in OUTPUTS {
            let attack = |size| named_again(58, byte, 8, false, 300 * size as u32);
            let name = named("one entry of octets that are escaped", arguments);
            at_two_sizes(&name, attack, arguments, 96, CALLS);
        }
    }
}

/// Connections that each have what is granted however little they send: one entry of this octet, named 64 times.
fn small_connections(byte: u8, count: u16) -> Vec<u8> {
    let mut wire = Wire::new();
    for port in 0..count {
        let (mut client, mut server) = wire.http2(2000 + port);
        let block = [&REQUEST[..], &insert(58, &[byte; 4000]), &[0xbe; 64]].concat();
        wire.send(&mut client, &frame(HEADERS, WHOLE, 1, &block));
        wire.send(&mut server, &frame(HEADERS, WHOLE, 1, &RESPONSE));
    }
    wire.file
}

#[test]
fn many_connections_of_few_octets() {
    for arguments in OUTPUTS {
        let [small, large] = [1, 2].map(|size| run(&small_connections(1, 60 * size), arguments).within(128));
        // Each may have OUTPUT_SURE beside what its octets give.
        assert!(large.stdout.len() <= 120 * ((256 << 10) + 64 * 6000), "{}", large.stdout.len());
        assert!(large.stdout.len() <= 3 * small.stdout.len());
    }
}

/// Nobody reads the output for a while: what the workers make waits, and they wait with it; and then all of it comes.
#[test]
fn a_reader_that_sleeps() {
    let wait = Duration::from_secs(4);
    let peaks = [300, 600].map(|count| {
        let attack = small_connections(b'u', count);
        let (unread, mib) = run_unread(&attack, &["--json", "-H", "--no-redact", "--threads", "8"], wait);
        assert!(unread.len() > 64 << 20, "{} bytes: more than may wait", unread.len());
        assert!(mib <= 96, "{mib} MiB");
        let arguments = ["--json", "-H", "--no-redact"];
        let read = Run { mib, ..run(&attack, &arguments).within(64) };
        in_proportion("reader that sleeps", attack.len(), &read, &arguments, CALLS);
        assert!(read.stdout == unread);
        mib
    });
    assert!(peaks[1] <= peaks[0] + 16, "{peaks:?} MiB");
}

/// Requests that nobody has answered when the capture ends: their records are not made all at once.
#[test]
fn an_end_that_many_exchanges_wait_for() {
    let attack = |size: u32| {
        let mut wire = Wire::new();
        for port in 0..50 * size as u16 {
            let (mut client, _) = wire.http2(2000 + port);
            let path = literal(4, &[b'/'; 200]);
            let block = [&REQUEST[..2], &path].concat();
            let requests: Vec<u8> = (0..500).flat_map(|n| frame(HEADERS, WHOLE, 2 * n + 1, &block)).collect();
            wire.send(&mut client, &requests);
        }
        wire.file
    };
    let [small, large] = [1, 2].map(|size| run(&attack(size), &["--json"]).within(176));
    assert_eq!([&small, &large].map(|run| run.transactions().len()), [25_000, 50_000]);
    // What the exchanges hold takes most of it; their text is 50 MiB.
    assert!(
        large.stdout.len() > 40 << 20 && large.mib <= 2 * small.mib,
        "{} MiB, {} MiB",
        small.mib,
        large.mib
    );
    let ids: Vec<_> =
        large.transactions().iter().map(|record| record["h2"]["connection"]["id"].as_u64()).collect();
    assert!(ids.is_sorted());
    let threads = super::lens::run_on(&attack(1), &["--json", "--threads", "8"]);
    assert!(threads.stdout == small.stdout);
}

/// What is cut does not depend on the number of threads.
#[test]
fn the_same_is_cut_for_any_number_of_threads() {
    let attack = named_again(58, 1, 8, false, 300);
    let arguments = |threads| ["--json", "-H", "--threads", threads];
    let one = run(&attack, &["--json", "-H"]).within(96);
    for threads in ["2", "8"] {
        assert!(super::lens::run_on(&attack, &arguments(threads)).stdout == one.stdout, "{threads}");
    }
}

/// A cookie of 4 KB that each request of a browser names in one octet is not out of proportion.
#[test]
fn long_cookies_of_ordinary_requests_are_shown() {
    let mut wire = Wire::new();
    let (mut client, mut server) = wire.http2(1000);
    wire.send(&mut client, &frame(HEADERS, WHOLE, 1, &[&REQUEST[..], &insert(32, &[b'c'; 4000])].concat()));
    for n in 1..1000 {
        let id = 2 * n + 1;
        let path = literal(4, format!("/things/{n}").as_bytes());
        wire.send(&mut client, &frame(HEADERS, WHOLE, id, &[&REQUEST[..2], &path, &[0xbe]].concat()));
        wire.send(&mut server, &frame(HEADERS, END_HEADERS, id, &RESPONSE));
        wire.send(&mut server, &frame(0, END_STREAM, id, &[b'x'; 60]));
    }
    let run = run(&wire.file, &["--json", "-H"]).within(64);
    assert_eq!((run.limit("output"), run.transactions().len()), (0, 1000));
}

/// Bytes that look like long header blocks again and again, where framing was lost.
#[test]
fn bytes_that_keep_the_search_for_a_frame_busy() {
    // A field whose value is the header of a frame of 16,000 octets, and then fields of its block.
    let header = [0, 0x3e, 0x80, 1, 4, 0, 0, 0, 1];
    let field = [&[0, 1, b'a', 109][..], &header, &[0x82; 100]].concat();
    let attack = |size: usize| {
        let mut wire = Wire::new();
        let (mut client, mut server) = wire.http2(1000);
        client.seq += 1000;
        wire.send(&mut client, &field.repeat(9000 * size));
        wire.send(&mut client, &frame(6, 0, 0, &[7; 8]).repeat(20));
        wire.send(&mut client, &frame(HEADERS, WHOLE, 1, &REQUEST));
        wire.send(&mut server, &frame(HEADERS, WHOLE, 1, &RESPONSE));
        wire.file
    };
    for run in at_two_sizes("bytes that keep the search for a frame busy", attack, &["--json"], 64, NO_CALLS)
    {
        assert!(run.coverage()["skipped_bytes"].as_u64().unwrap() > 900_000);
        assert_eq!(run.transactions().len(), 1, "what follows is found");
    }
}
