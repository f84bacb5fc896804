//! The library as its users see it: packets pushed, records taken.

use h2lens::{Analyzer, Config, Packet, Record, Report, Timestamp, Wanted};
use std::path::{Path, PathBuf};

const CAPTURES: [&str; 4] = ["curl-h2c.pcap", "grpcio.pcap", "nghttp-push.pcap", "findings.pcap"];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn everything(threads: usize) -> Config {
    let wanted = Wanted {
        transactions: true,
        connections: true,
        endpoints: true,
        frames: true,
        findings: true,
        telemetry: true,
        headers: true,
        ..Wanted::default()
    };
    Config { wanted, threads, ..Config::default() }
}

/// The packets of a pcap file, by a reader that is not the library's.
fn packets(name: &str) -> Vec<(Timestamp, u16, u32, Vec<u8>)> {
    use pcap_parser::traits::PcapReaderIterator;
    let bytes = std::fs::read(path(name)).unwrap();
    let mut reader = pcap_parser::LegacyPcapReader::new(1 << 20, &bytes[..]).unwrap();
    let (mut packets, mut link, mut nanos) = (Vec::new(), 0, false);
    loop {
        match reader.next() {
            Ok((offset, block)) => {
                match block {
                    pcap_parser::PcapBlockOwned::LegacyHeader(header) => {
                        link = header.network.0 as u16;
                        nanos = header.is_nanosecond_precision();
                    }
                    pcap_parser::PcapBlockOwned::Legacy(block) => {
                        let fraction = u64::from(block.ts_usec) * if nanos { 1 } else { 1000 };
                        let time = Timestamp::from_parts(block.ts_sec.into(), fraction);
                        packets.push((time, link, block.origlen, block.data.to_vec()));
                    }
                    pcap_parser::PcapBlockOwned::NG(_) => panic!("{name} is no pcap"),
                }
                reader.consume(offset);
            }
            Err(pcap_parser::PcapError::Eof) => return packets,
            Err(pcap_parser::PcapError::Incomplete(_)) => reader.refill().unwrap(),
            Err(error) => panic!("{name}: {error:?}"),
        }
    }
}

fn pushed(name: &str, threads: usize, advance_each: usize) -> (Vec<Record>, Report) {
    let mut analyzer = Analyzer::new(everything(threads));
    let mut records = Vec::new();
    let mut take = |record: Record| records.push(record);
    for (at, (time, link, original_len, bytes)) in packets(name).iter().enumerate() {
        let packet = Packet { time: *time, link: *link, original_len: *original_len, bytes };
        analyzer.push_packet(packet, &mut take);
        if at % advance_each == advance_each - 1 {
            analyzer.advance(*time, &mut take);
        }
    }
    let report = analyzer.finish(&mut take);
    (records, report)
}

#[test]
fn packets_pushed_give_the_records_of_the_file() {
    for name in CAPTURES {
        let mut read = h2lens::read([path(name)], everything(1)).unwrap();
        let of_file: Vec<_> = read.by_ref().collect();
        assert!(of_file.len() > 10, "{name}");
        for (threads, advance_each) in [(1, usize::MAX), (3, usize::MAX), (1, 1), (2, 7)] {
            let (records, report) = pushed(name, threads, advance_each);
            assert!(records == of_file, "{name}, {threads} threads, advanced each {advance_each}");
            assert_eq!(report, *read.report().unwrap());
        }
    }
}

#[test]
fn each_kind_of_record_comes_only_when_it_is_wanted() {
    let one = |wanted| {
        let config = Config { wanted, ..Config::default() };
        h2lens::read([path("findings.pcap")], config).unwrap().collect::<Vec<_>>()
    };
    assert!(one(Wanted::default()).is_empty());
    let frames = one(Wanted { frames: true, ..Wanted::default() });
    assert!(!frames.is_empty() && frames.iter().all(|record| matches!(record, Record::Frame { .. })));
    let findings = one(Wanted { findings: true, ..Wanted::default() });
    assert!(!findings.is_empty() && findings.iter().all(|record| matches!(record, Record::Finding { .. })));
    let connections = one(Wanted { connections: true, ..Wanted::default() });
    assert!(
        !connections.is_empty() && connections.iter().all(|record| matches!(record, Record::Connection(_)))
    );
    let endpoints = one(Wanted { endpoints: true, ..Wanted::default() });
    assert!(!endpoints.is_empty() && endpoints.iter().all(|record| matches!(record, Record::Endpoint(_))));
}

#[test]
fn a_kind_of_record_is_the_same_alone_and_beside_others() {
    let beside = Wanted {
        transactions: true,
        endpoints: true,
        connections: true,
        findings: true,
        ..Wanted::default()
    };
    let mut compared = 0;
    for name in CAPTURES.into_iter().chain(["slow.pcap", "tonic.pcap"]) {
        let read = |wanted| {
            h2lens::read([path(name)], Config { wanted, ..Config::default() }).unwrap().collect::<Vec<_>>()
        };
        let together = read(beside);
        for (wanted, is_kind) in [
            (
                Wanted { endpoints: true, ..Wanted::default() },
                (|record| matches!(record, Record::Endpoint(_))) as fn(&Record) -> bool,
            ),
            (Wanted { connections: true, ..Wanted::default() }, |record| {
                matches!(record, Record::Connection(_))
            }),
            (Wanted { findings: true, ..Wanted::default() }, |record| {
                matches!(record, Record::Finding { .. })
            }),
        ] {
            let of_kind: Vec<_> = together.iter().filter(|record| is_kind(record)).cloned().collect();
            assert_eq!(read(wanted), of_kind, "{name}");
            compared += of_kind.len();
        }
    }
    assert!(compared > 20, "{compared}");
}

#[test]
fn endpoints_come_last_and_add_up_to_all_calls() {
    let records: Vec<_> = h2lens::read([path("grpcio.pcap")], everything(1)).unwrap().collect();
    let is_endpoint = |record: &Record| matches!(record, Record::Endpoint(_));
    let (others, endpoints) = records.split_at(records.iter().position(is_endpoint).unwrap());
    assert!(endpoints.iter().all(is_endpoint));
    let added_up = |record: &Record| if let Record::Endpoint(row) = record { row.calls } else { 0 };
    let calls = others.iter().filter(|record| matches!(record, Record::Transaction { .. })).count();
    assert_eq!(endpoints.iter().map(added_up).sum::<u64>(), calls as u64);
}

#[test]
fn what_is_no_capture_is_an_error() {
    let error = h2lens::read([path("README.md")], Config::default()).unwrap_err();
    assert!(error.to_string().contains("README.md"), "{error}");
}
