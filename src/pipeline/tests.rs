//! The caps of a whole shard.

use super::*;
use crate::base::endpoint::Endpoint;
use crate::base::limit_counters::Limit;
use crate::http2::frame::FrameView;
use crate::packet::TcpFlags;
use crate::record::{ConnectionMeta, ConnectionRecord, Finding, RecordSink, Transaction};

/// How the exchanges ended.
#[derive(Debug, Default)]
struct Ends(Vec<(u16, EndHow)>);

impl RecordSink for Ends {
    fn transaction(&mut self, _: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.0.push((connection.client.port, transaction.end.how));
    }
    fn connection(&mut self, _: Moment, _: &ConnectionRecord) {}
    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}
    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}

impl Output for Ends {
    fn tls_record(&mut self, _: Moment, _: Moment, _: Endpoint, _: Endpoint, _: &[u8]) {}
}

/// Three clients, each with a request, and another one whose header block does not end; the most memory that they took together,
/// and how many were given up.
fn three(memory_cap: usize) -> (usize, u64, Ends) {
    let wanted = Wanted { transactions: true, ..Wanted::default() };
    let mut pipeline = Pipeline::new(PipelineConfig { wanted, ..PipelineConfig::default() });
    pipeline.memory_cap = memory_cap;
    let (keys, mut ends, mut packet, mut most) = (tls::KeyStore::default(), Ends::default(), 0, 0);
    for port in [1001, 1002, 1003] {
        let request = [0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84];
        let open = [&[0, 0x20, 0, 1, 0, 0, 0, 0, 3][..], &[0x20; 0x2000]].concat();
        let mut seq = 1;
        for part in [crate::http2::PREFACE.as_slice(), &[0, 0, 0, 4, 0, 0, 0, 0, 0], &request, &open] {
            packet += 1;
            let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
            let segment = Segment {
                seq,
                flags: TcpFlags(TcpFlags::PSH),
                payload: part,
                ..Segment::empty(
                    Moment { packet, time: Timestamp::from_nanos(packet * 1000) },
                    end(port),
                    end(80),
                )
            };
            pipeline.segment(0, &segment, &keys, &mut ends);
            seq += part.len() as u32;
            most = most.max(pipeline.held());
        }
    }
    let report = pipeline.report();
    pipeline.line_up();
    pipeline.end_before(u64::MAX, Moment { packet, ..Moment::default() }, &keys, &mut ends);
    assert_eq!(pipeline.memory, 0, "all is given back");
    (most, report.limits.of(Limit::ConnectionMemory), ends)
}

/// What docs/limits.md says of it.
#[test]
fn a_connection_with_nothing_but_a_handshake_takes_less_than_four_kilobytes() {
    let mut pipeline = Pipeline::new(PipelineConfig::default());
    let (keys, mut ends) = (tls::KeyStore::default(), Ends::default());
    let (client, server) =
        (Endpoint { ip: [10, 0, 0, 1].into(), port: 0 }, Endpoint { ip: [10, 0, 0, 2].into(), port: 80 });
    let count = 1000;
    for n in 0..count {
        let client = Endpoint { port: 1000 + n, ..client };
        let handshake = [
            (client, server, 100, 0, TcpFlags::SYN),
            (server, client, 500, 101, TcpFlags::SYN | TcpFlags::ACK),
            (client, server, 101, 501, TcpFlags::ACK),
        ];
        for (src, dst, seq, ack, flags) in handshake {
            let at = Moment { packet: u64::from(n), ..Moment::default() };
            let segment = Segment { seq, ack, flags: TcpFlags(flags), ..Segment::empty(at, src, dst) };
            pipeline.segment(0, &segment, &keys, &mut ends);
        }
    }
    let each = pipeline.held() / usize::from(count);
    assert!((512..4096).contains(&each), "{each} bytes");
}

#[test]
fn cap_connection_memory_shard() {
    let (most, evicted_for_memory, ends) = three(limits::CONNECTION_MEMORY_SHARD);
    assert_eq!((evicted_for_memory, ends.0.len()), (0, 6));
    assert!(most > 3 * 0x2000, "{most} bytes");
    for (cap, given_up) in [(most + 1, 0), (most, 0), (most - 1, 1)] {
        let (held, evicted_for_memory, ends) = three(cap);
        assert!(held <= cap);
        assert_eq!((evicted_for_memory, ends.0.len()), (given_up, 6), "each exchange is told of");
        assert_eq!(ends.0[0], (1001, EndHow::Eof), "the one idle for longest goes first");
    }
}
