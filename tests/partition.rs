//! `--partition` and `merge`: what several processes tell of their parts of the connections is what one tells of all.

use crate::damage::samples;
use crate::support::{Analyze, Capture, Random};
use h2lens::merge::{MergeError, Source, merge};
use h2lens::record::Wanted;
use serde_json::Value;
use std::io::Cursor;
use std::path::{Path, PathBuf};

const ALL: Wanted = Wanted {
    transactions: true,
    connections: true,
    frames: true,
    findings: true,
    messages: false,
    timeline: false,
    segments: false,
    openings: false,
    filtered: false,
    steps: false,
    endpoints: true,
    telemetry: true,
    headers: true,
};

/// The NDJSON of each part.
fn parts(analyze: &Analyze, of: usize) -> Vec<String> {
    parts_of(analyze, ALL, of)
}

fn parts_of(analyze: &Analyze, wanted: Wanted, of: usize) -> Vec<String> {
    (0..of).map(|index| analyze.clone().wanted(wanted).part(index, of).run_text().ndjson).collect()
}

/// What the parts are merged to.
fn merged(parts: &[String]) -> Result<String, MergeError> {
    let source = |(number, text): (usize, &String)| Source {
        name: format!("part {number}"),
        file: Cursor::new(text.clone().into_bytes()),
    };
    let mut out = Vec::new();
    merge(parts.iter().enumerate().map(source).collect(), &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// The parts add up to the whole, byte for byte.
#[track_caller]
fn compare(analyze: &Analyze, of: usize) {
    compare_records(analyze, ALL, of);
}

/// The same of these records.
#[track_caller]
pub(crate) fn compare_records(analyze: &Analyze, wanted: Wanted, of: usize) {
    let whole = analyze.clone().wanted(wanted).run_text().ndjson;
    let mut parts = parts_of(analyze, wanted, of);
    // In whatever order they are given.
    parts.rotate_left(of / 2);
    let merged = merged(&parts).unwrap();
    if let Some((line, (ours, theirs))) =
        merged.lines().zip(whole.lines()).enumerate().find(|(_, (ours, theirs))| ours != theirs)
    {
        panic!("line {line} of {of} parts:\n{ours}\n{theirs}");
    }
    assert_eq!(merged.len(), whole.len(), "{of} parts");
}

fn captures(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            captures(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng") {
            found.push(path);
        }
    }
}

#[test]
fn parts_of_the_captures_in_testdata_are_the_whole() {
    let mut found = Vec::new();
    captures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata"), &mut found);
    assert!(found.len() > 20);
    for path in found {
        for of in [1, 2, 3, 8, 64] {
            compare(&Analyze::file(&path), of);
        }
    }
}

/// Many connections at the same time, so that most parts have some.
fn crowd() -> Capture {
    let mut packets: Vec<_> = samples().iter().flat_map(|sample| sample.capture.packets.clone()).collect();
    packets.sort_by_key(|packet| packet.time);
    Capture { packets }
}

#[test]
fn parts_of_a_damaged_capture_are_the_whole() {
    let mut random = Random::new(25);
    let crowd = crowd();
    let lossy = crowd.lossy(30, &mut random);
    for damaged in [lossy.clone().reordered(100, &mut random), lossy, crowd.late(1000)] {
        for of in [2, 3, 8, 64] {
            compare(&Analyze::capture(&damaged), of);
        }
    }
}

#[test]
fn the_capture_as_a_whole_is_told_once() {
    let texts = parts(&Analyze::capture(&crowd()), 3);
    for (index, text) in texts.iter().enumerate() {
        let telemetry = text.lines().find(|line| line.starts_with(r#"{"record":"telemetry""#)).unwrap();
        let telemetry: Value = serde_json::from_str(telemetry).unwrap();
        assert_eq!(telemetry["partition"]["index"], index);
        assert_eq!(telemetry["partition"]["of"], 3);
        assert_eq!(telemetry["partition"]["inputs"][0], "capture.pcap");
        assert_eq!(telemetry["coverage"]["packets"] == 0, index > 0);
    }
}

#[test]
fn what_is_not_all_of_one_whole_gives_no_result() {
    let good = parts(&Analyze::capture(&samples()[0].capture), 3);
    let error = |parts: &[String]| merged(parts).unwrap_err().to_string();
    assert_eq!(error(&good[..2]), "of 3 parts one is not there: 2");
    assert_eq!(error(&good[1..2]), "of 3 parts these are not there: 0, 2");
    assert_eq!(error(&[good.clone(), good[1..2].to_vec()].concat()), "part 1 and part 3 are both part 1");
    let other = parts(&Analyze::capture(&samples()[1].capture), 3);
    assert_eq!(
        error(&[good[0].clone(), other[1].clone(), good[2].clone()]),
        "part 1: made of another capture than part 0"
    );
    let fewer = parts(&Analyze::capture(&samples()[0].capture), 2);
    assert_eq!(
        error(&[good[0].clone(), fewer[1].clone(), good[2].clone()]),
        "part 1: made as one of another number of parts than part 0"
    );
    let whole = Analyze::capture(&samples()[0].capture).run_text().ndjson;
    assert!(error(&[whole]).contains("not a whole part"));
    assert!(error(&[String::new()]).contains("not a whole part"));
}

#[test]
fn a_part_that_is_cut_or_changed_gives_no_result() {
    let good = parts(&Analyze::capture(&crowd()), 3);
    let with = |part: String| merged(&[good[0].clone(), part, good[2].clone()]);
    let lines: Vec<&str> = good[1].lines().collect();
    let joined = |lines: &[&str]| lines.join("\n") + "\n";
    assert!(with(joined(&lines)).is_ok());
    assert!(with(good[1].replace('\n', "\r\n")).is_err(), "other ends of lines");
    // Cut anywhere; a line gone from anywhere; a line twice.
    for end in (0..good[1].len()).step_by(997) {
        let end = (0..=end).rfind(|&end| good[1].is_char_boundary(end)).unwrap();
        assert!(with(good[1][..end].to_owned()).is_err(), "cut at {end}");
    }
    for at in (0..lines.len() - 1).step_by(lines.len() / 40) {
        assert!(with(joined(&[&lines[..at], &lines[at + 1..]].concat())).is_err(), "without line {at}");
        assert!(with(joined(&[&lines[..=at], &lines[at..]].concat())).is_err(), "line {at} twice");
    }
}

#[test]
fn what_one_process_may_have_had_no_room_for_is_named() {
    let good = parts(&Analyze::capture(&crowd()), 2);
    assert!(!merged(&good).unwrap().contains("\"inexact\""));
    let full = |text: &String| {
        let (text, last) = text.trim_end().rsplit_once('\n').unwrap();
        let mut last: Value = serde_json::from_str(last).unwrap();
        for load in last["loads"].as_array_mut().unwrap() {
            if load["limit"] == "agent_in_flight" {
                load["most"] = 40_000.into();
            }
        }
        let last = last.to_string();
        let last = last.replacen('{', r#"{"record":"part","#, 1).replace(r#","record":"part""#, "");
        format!("{text}\n{last}\n")
    };
    let merged = merged(&good.iter().map(full).collect::<Vec<_>>()).unwrap();
    let telemetry: Value = serde_json::from_str(merged.lines().last().unwrap()).unwrap();
    assert_eq!(telemetry["inexact"], serde_json::json!(["agent_in_flight"]));
}
