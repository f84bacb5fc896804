//! Each stage alone, once, for `benches/stages.py`, which counts its instructions. What the stage works on is made
//! before; what is counted happens within [`measured_stage`].
//!
//! `stages NAME` prints what was worked on: a unit and how many of it.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;
mod traffic;

use h2lens::agent::{Agent, Params};
use h2lens::capture::{Batch, Input, Timeline};
use h2lens::counters::Counters;
use h2lens::flow::{Budget, ByteSink, Direction, End, Gap, GapCause, Table};
use h2lens::http2::frame::{FrameHeader, FrameView};
use h2lens::http2::{self, Anomaly, Block, BlockEnd, Connection, EventSink, FrameSpot, Start, hpack};
use h2lens::limits;
use h2lens::output::{Format, Options, Renderer};
use h2lens::packet::{Decoder, Endpoint};
use h2lens::pipeline::{Output, Pipeline, Settings};
use h2lens::shard::Job;
use h2lens::time::Moment;
use h2lens::tls::{self, KeyStore};
use h2lens::transaction::{
    ConnectionMeta, ConnectionRecord, Finding, Pairing, RecordSink, Session, Stats, StreamPool, Transaction,
    Wanted,
};
use std::hint::black_box;
use traffic::{Blocks, Traffic};

/// What a stage has worked on.
type Units = (&'static str, u64);

type Stage = (&'static str, fn() -> Units);

/// By name, in the order of the data's way.
const STAGES: [Stage; 11] = [
    ("capture_read", capture_read),
    ("packet_decode", packet_decode),
    ("reassembly", reassembly),
    ("tls", tls_records),
    ("http2", http2_events),
    ("hpack_huffman", || header_blocks(&traffic::literals(50))),
    ("hpack_index", || header_blocks(&traffic::indices(100))),
    ("http2_and_pairing", pairing),
    ("shard", all_of_a_shard),
    ("json", json),
    ("agent", agent),
];

fn main() {
    let names: Vec<_> = std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    if names.is_empty() {
        STAGES.iter().for_each(|(name, _)| println!("{name}"));
    }
    for name in names {
        let (_, stage) = STAGES.iter().find(|stage| stage.0 == name).expect("the name of a stage");
        let (unit, count) = stage();
        println!("{unit} {count}");
    }
}

/// What is counted.
#[inline(never)]
fn measured_stage<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

fn cleartext() -> Traffic {
    traffic::cleartext(4, 500)
}

fn capture_read() -> Units {
    let traffic = cleartext();
    let input = [Input::File(traffic.file.path().to_owned())];
    let packets = measured_stage(|| {
        let (mut timeline, mut batch, mut packets) = (Timeline::open(&input).unwrap(), Batch::default(), 0);
        while timeline.next_batch(&mut batch) {
            packets += batch.packets.len();
        }
        packets
    });
    ("packet", packets as u64)
}

/// All of a capture's packets.
fn read(traffic: &Traffic) -> Batch {
    let mut timeline = Timeline::open(&[Input::File(traffic.file.path().to_owned())]).unwrap();
    let (mut all, mut batch) = (Batch::default(), Batch::default());
    while timeline.next_batch(&mut batch) {
        let start = all.bytes.len() as u32;
        all.bytes.extend_from_slice(&batch.bytes);
        for mut head in batch.packets.drain(..) {
            head.range = head.range.start + start..head.range.end + start;
            all.packets.push(head);
        }
    }
    all
}

fn packet_decode() -> Units {
    let batch = read(&cleartext());
    measured_stage(|| {
        let mut decoder = Decoder::new();
        for head in &batch.packets {
            let at = Moment { packet: head.number, time: head.time };
            black_box(decoder.decode(at, head.link.0, head.original_len, batch.packet(head)));
        }
    });
    ("packet", batch.packets.len() as u64)
}

/// A capture's segments.
fn segments(traffic: &Traffic) -> Job {
    let mut job = Job::default();
    job.batch = read(traffic);
    let all = 0..job.batch.packets.len();
    job.decode(&mut Decoder::new(), all);
    job
}

/// A connection's bytes as the reassembly hands them on.
type Pieces = Vec<(Direction, Moment, Vec<u8>)>;

struct Keep<'a>(&'a mut Pieces);

impl ByteSink for Keep<'_> {
    fn data(&mut self, from: Direction, at: Moment, bytes: &[u8]) {
        self.0.push((from, at, bytes.to_vec()));
    }
    fn gap(&mut self, _: Direction, _: Moment, _: Gap) {}
    fn end(&mut self, _: Direction, _: Moment, _: End) {}
}

/// Looks at nothing.
#[derive(Default)]
struct Ignore(Counters);

impl ByteSink for Ignore {
    fn data(&mut self, _: Direction, _: Moment, bytes: &[u8]) {
        black_box(bytes);
    }
    fn gap(&mut self, _: Direction, _: Moment, _: Gap) {}
    fn end(&mut self, _: Direction, _: Moment, _: End) {}
}

impl tls::PlaintextSink for Ignore {
    fn describe(&mut self, _: &tls::Description) {}
}

impl EventSink for Ignore {
    fn counters(&mut self) -> &mut Counters {
        &mut self.0
    }
    fn wants_frames(&self) -> bool {
        false
    }
    fn frame_header(&mut self, _: http2::Side, _: &FrameHeader, _: Moment) {}
    fn frame(&mut self, _: &FrameView<'_>) {}
    fn block_start(&mut self, _: &Block) {}
    fn field(&mut self, field: &hpack::Field<'_>) {
        black_box(field);
    }
    fn block_end(&mut self, _: &Block, _: &BlockEnd) {}
    fn data(&mut self, _: http2::Side, _: u32, _: Moment, bytes: &[u8]) {
        black_box(bytes);
    }
    fn data_lost(&mut self, _: http2::Side, _: u32, _: Moment, _: u64, _: GapCause) {}
    fn data_end(&mut self, _: http2::Side, _: u32, _: Moment, _: bool, _: FrameSpot) {}
    fn reset(&mut self, _: http2::Side, _: u32, _: Option<u32>, _: Moment, _: FrameSpot) {}
    fn goaway(&mut self, _: http2::Side, _: u32, _: u32, _: &[u8], _: Moment) {}
    fn setting(&mut self, _: http2::Side, _: u16, _: u32) {}
    fn lost(&mut self, _: http2::Side, _: GapCause, _: Moment) {}
    fn skipped(&mut self, _: http2::Side, _: u64, _: Moment) {}
    fn anomaly(&mut self, _: http2::Side, _: u32, _: Anomaly, _: Moment) {}
}

impl RecordSink for Ignore {
    fn transaction(&mut self, _: Moment, _: &ConnectionMeta, transaction: &Transaction) {
        black_box(transaction);
    }
    fn connection(&mut self, _: Moment, _: &ConnectionRecord) {}
    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}
    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}

impl Output for Ignore {
    fn tls_record(&mut self, _: Moment, _: Endpoint, _: Endpoint, _: &[u8]) {}
}

fn reassembly() -> Units {
    let job = segments(&cleartext());
    measured_stage(|| {
        let mut table = Table::new(limits::CONNECTIONS_SHARD);
        let mut budget = Budget::new(limits::REASSEMBLY_SHARD);
        for segment in job.segments() {
            let found = table.find(&segment, || ());
            let entry = table.get_mut(found.slot).unwrap();
            entry.reassembly.segment(found.from, &segment, &mut budget, &mut Ignore::default());
        }
        table
    });
    ("segment", job.segments().count() as u64)
}

/// What the connections of a capture say, each one's bytes in the order in which they came; forward is the client.
fn streams(traffic: &Traffic) -> Vec<Pieces> {
    let mut table = Table::new(limits::CONNECTIONS_SHARD);
    let mut budget = Budget::new(limits::REASSEMBLY_SHARD);
    for segment in segments(traffic).segments() {
        let found = table.find(&segment, Pieces::new);
        let entry = table.get_mut(found.slot).unwrap();
        let mut keep = Keep(entry.state.as_mut().unwrap());
        entry.reassembly.segment(found.from, &segment, &mut budget, &mut keep);
    }
    table.drain().map(|entry| entry.state.unwrap()).collect()
}

fn tls_records() -> Units {
    let traffic = traffic::encrypted(2, 500);
    let streams = streams(&traffic);
    let mut keys = KeyStore::default();
    keys.add_text(traffic.keys.as_bytes());
    keys.set_complete();
    let mut work = tls::Workspace::default();
    measured_stage(|| {
        for stream in &streams {
            let mut session = tls::Session::new(&work);
            for (from, at, bytes) in stream {
                session.data(&keys, &mut work, *from, *at, bytes, &mut Ignore::default());
            }
        }
    });
    ("record", work.counters().records_decrypted)
}

const fn side(from: Direction) -> http2::Side {
    match from {
        Direction::Forward => http2::Side::Client,
        Direction::Backward => http2::Side::Server,
    }
}

fn http2_events() -> Units {
    let traffic = cleartext();
    let streams = streams(&traffic);
    measured_stage(|| {
        for stream in &streams {
            let mut connection = Connection::new(Start::Preface, Start::Frames);
            for (from, at, bytes) in stream {
                connection.data(side(*from), *at, bytes, &mut Ignore::default());
            }
        }
    });
    // Of each exchange one block of the client's and one of the server's.
    ("header block", traffic.exchanges * 2)
}

fn header_blocks(blocks: &Blocks) -> Units {
    let mut decoder = hpack::Decoder::new();
    measured_stage(|| {
        for block in &blocks.blocks {
            decoder.decode(block, &[], &mut |field| {
                black_box(field);
            });
        }
    });
    ("field", blocks.fields)
}

fn pairing() -> Units {
    let traffic = cleartext();
    let streams = streams(&traffic);
    let wanted = Wanted { transactions: true, ..Wanted::default() };
    let (mut stats, mut pool, mut records) = (Stats::default(), StreamPool::default(), Ignore::default());
    measured_stage(|| {
        for stream in &streams {
            let mut connection = Connection::new(Start::Preface, Start::Frames);
            let mut pairing = Pairing::new(meta(), wanted, (false, false));
            for (from, at, bytes) in stream {
                let mut session = Session {
                    pairing: &mut pairing,
                    stats: &mut stats,
                    records: &mut records,
                    now: *at,
                    pool: &mut pool,
                };
                connection.data(side(*from), *at, bytes, &mut session);
            }
        }
    });
    assert_eq!(stats.complete, traffic.exchanges);
    ("transaction", traffic.exchanges)
}

fn meta() -> ConnectionMeta {
    ConnectionMeta {
        id: 1,
        client: Endpoint::UNKNOWN,
        server: Endpoint::UNKNOWN,
        tls: None,
        client_is_forward: true,
    }
}

/// Segments → records, all stages of a shard together.
fn shard<O: Output>(job: &Job, wanted: Wanted, out: &mut O) {
    let keys = KeyStore::default();
    let mut pipeline = Pipeline::new(Settings { wanted, idle_timeout: None });
    for segment in job.segments() {
        pipeline.segment(&segment, &keys, out);
    }
}

fn all_of_a_shard() -> Units {
    let traffic = cleartext();
    let job = segments(&traffic);
    let wanted = Wanted { transactions: true, ..Wanted::default() };
    measured_stage(|| shard(&job, wanted, &mut Ignore::default()));
    ("transaction", traffic.exchanges)
}

/// Keeps the transactions.
struct Records(Vec<(Moment, ConnectionMeta, Transaction)>);

impl RecordSink for Records {
    fn transaction(&mut self, now: Moment, connection: &ConnectionMeta, transaction: &Transaction) {
        self.0.push((now, connection.clone(), transaction.clone()));
    }
    fn connection(&mut self, _: Moment, _: &ConnectionRecord) {}
    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}
    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}

impl Output for Records {
    fn tls_record(&mut self, _: Moment, _: Endpoint, _: Endpoint, _: &[u8]) {}
}

fn json() -> Units {
    let wanted = Wanted { transactions: true, ..Wanted::default() };
    let mut records = Records(Vec::new());
    shard(&segments(&cleartext()), wanted, &mut records);
    let mut renderer = Renderer::new(Options { format: Format::Ndjson, wanted, ..Options::default() });
    measured_stage(|| {
        for (now, connection, transaction) in &records.0 {
            renderer.transaction(*now, connection, transaction);
        }
    });
    ("transaction", records.0.len() as u64)
}

fn agent() -> Units {
    let job = segments(&cleartext());
    let mut agent = Agent::new(Params::default());
    measured_stage(|| {
        for segment in job.segments() {
            agent.segment(&segment);
        }
    });
    assert!(agent.summary().plaintext.requests > 0);
    ("segment", job.segments().count() as u64)
}
