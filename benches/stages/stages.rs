//! Each stage alone, once: `compare.py` runs this and shows the difference. What a stage works on is made before, and
//! not counted.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

use gungraun::{Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use h2lens::agent::{Agent, Params};
use h2lens::base::direction::Direction;
use h2lens::base::endpoint::Endpoint;
use h2lens::base::limits;
use h2lens::base::time::Moment;
use h2lens::base::tls::Description;
use h2lens::capture::{Batch, Input, Timeline};
use h2lens::engine::Job;
use h2lens::export::{Format, Options, Renderer};
use h2lens::flow::{Arrival, Budget, ByteSink, End, Gap, Table};
use h2lens::http2::frame::FrameView;
use h2lens::http2::{self, Connection, EventContext, EventSink, Start, hpack};
use h2lens::packet::Decoder;
use h2lens::pipeline::{Output, Pipeline, PipelineConfig};
use h2lens::record::{ConnectionMeta, ConnectionRecord, Finding, RecordSink, Transaction, Wanted};
use h2lens::tls::{self, KeyStore};
use h2lens::transaction::{Pairing, PairingInput, Stats, StreamPool};
use std::hint::black_box;
use std::path::{Path, PathBuf};

/// A file beside this one.
fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn timeline(name: &str) -> Timeline {
    Timeline::open(&[Input::File(recorded(name))]).unwrap()
}

#[library_benchmark]
#[bench::packets(args = ("cleartext.pcap"), setup = timeline)]
fn capture_read(mut timeline: Timeline) -> (Timeline, Batch, usize) {
    let (mut batch, mut packets) = (Batch::default(), 0);
    while timeline.next_batch(&mut batch) {
        packets += batch.packets.len();
    }
    (timeline, batch, packets)
}

/// All of a capture's packets.
fn read(name: &str) -> Batch {
    let mut timeline = timeline(name);
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

#[library_benchmark]
#[bench::packets(args = ("cleartext.pcap"), setup = read)]
fn packet_decode(batch: Batch) -> Batch {
    let mut decoder = Decoder::new();
    for head in &batch.packets {
        let at = Moment { packet: head.number, time: head.time };
        black_box(decoder.decode(at, head.link.0, head.original_len, batch.packet(head)));
    }
    batch
}

/// A capture's segments.
fn segments(name: &str) -> Job {
    let mut job = Job::default();
    job.batch = read(name);
    let all = 0..job.batch.packets.len();
    job.decode(&mut Decoder::new(), all);
    job
}

/// A connection's bytes as the reassembly hands them on.
type Pieces = Vec<(Direction, Arrival, Vec<u8>)>;

struct Keep<'a>(&'a mut Pieces);

impl ByteSink for Keep<'_> {
    fn data(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        self.0.push((from, *arrival, bytes.to_vec()));
    }
    fn gap(&mut self, _: Direction, _: &Arrival, _: Gap) {}
    fn end(&mut self, _: Direction, _: &Arrival, _: End) {}
}

/// Looks at nothing.
#[derive(Default)]
struct Ignore;

impl ByteSink for Ignore {
    fn data(&mut self, _: Direction, _: &Arrival, bytes: &[u8]) {
        black_box(bytes);
    }
    fn gap(&mut self, _: Direction, _: &Arrival, _: Gap) {}
    fn end(&mut self, _: Direction, _: &Arrival, _: End) {}
}

impl tls::PlaintextSink for Ignore {
    fn describe(&mut self, _: &Description) {}
}

impl EventSink for Ignore {
    fn field(&mut self, field: &hpack::Field<'_>) {
        black_box(field);
    }
    fn data(&mut self, _: &EventContext<'_>, _: u32, bytes: &[u8]) {
        black_box(bytes);
    }
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
    fn tls_record(&mut self, _: Moment, _: Moment, _: Endpoint, _: Endpoint, _: &[u8]) {}
}

#[library_benchmark]
#[bench::segments(args = ("cleartext.pcap"), setup = segments)]
fn reassembly(job: Job) -> (Job, Table<()>) {
    let mut table = Table::new(limits::CONNECTIONS_SHARD);
    let mut budget = Budget::new(limits::REASSEMBLY_SHARD);
    for segment in job.segments() {
        let found = table.find(&segment, || ());
        let entry = table.get_mut(found.slot).unwrap();
        entry.reassembly.segment(found.from, &segment, &mut budget, &mut Ignore);
    }
    (job, table)
}

/// What the connections of a capture say, each one's bytes in the order in which they came; forward is the client.
fn streams(name: &str) -> Vec<Pieces> {
    let mut table = Table::new(limits::CONNECTIONS_SHARD);
    let mut budget = Budget::new(limits::REASSEMBLY_SHARD);
    for segment in segments(name).segments() {
        let found = table.find(&segment, Pieces::new);
        let entry = table.get_mut(found.slot).unwrap();
        let mut keep = Keep(entry.state.as_mut().unwrap());
        entry.reassembly.segment(found.from, &segment, &mut budget, &mut keep);
    }
    table.drain().map(|entry| entry.state.unwrap()).collect()
}

fn tls_streams(name: &str) -> (Vec<Pieces>, KeyStore) {
    let mut keys = KeyStore::default();
    keys.add_text(&std::fs::read(recorded(name).with_extension("keys")).unwrap());
    keys.set_complete();
    (streams(name), keys)
}

#[library_benchmark]
#[bench::records(args = ("encrypted.pcap"), setup = tls_streams)]
fn tls_records((streams, keys): (Vec<Pieces>, KeyStore)) -> (Vec<Pieces>, tls::Workspace) {
    let mut work = tls::Workspace::default();
    for stream in &streams {
        let mut session = tls::Session::new(&work);
        for (from, arrival, bytes) in stream {
            session.data(&keys, &mut work, *from, arrival, bytes, &mut Ignore);
        }
    }
    (streams, work)
}

const fn side(from: Direction) -> http2::Side {
    match from {
        Direction::Forward => http2::Side::Client,
        Direction::Backward => http2::Side::Server,
    }
}

#[library_benchmark]
#[bench::blocks(args = ("cleartext.pcap"), setup = streams)]
fn http2_frames(streams: Vec<Pieces>) -> Vec<Pieces> {
    for stream in &streams {
        let mut connection = Connection::new(Start::Preface, Start::Frames, false);
        for (from, arrival, bytes) in stream {
            connection.data(side(*from), arrival, bytes, &mut Ignore);
        }
    }
    streams
}

/// Header blocks, each of which stands behind its length in the file.
fn blocks(name: &str) -> Vec<Vec<u8>> {
    let file = std::fs::read(recorded(name)).unwrap();
    let (mut blocks, mut rest) = (Vec::new(), file.as_slice());
    while let Some((len, after)) = rest.split_first_chunk() {
        let (block, after) = after.split_at(u32::from_be_bytes(*len) as usize);
        blocks.push(block.to_vec());
        rest = after;
    }
    blocks
}

#[library_benchmark]
#[bench::literals(args = ("literals.blocks"), setup = blocks)]
#[bench::indices(args = ("indices.blocks"), setup = blocks)]
fn hpack_fields(blocks: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, hpack::Decoder) {
    let mut decoder = hpack::Decoder::new();
    for block in &blocks {
        decoder.decode(block, &[], &mut |field| {
            black_box(field);
        });
    }
    (blocks, decoder)
}

const TRANSACTIONS: Wanted = Wanted {
    transactions: true,
    connections: false,
    frames: false,
    findings: false,
    telemetry: false,
    headers: false,
};

#[library_benchmark]
#[bench::transactions(args = ("cleartext.pcap"), setup = streams)]
fn http2_and_pairing(streams: Vec<Pieces>) -> (Vec<Pieces>, Stats) {
    let (mut stats, mut pool) = (Stats::default(), StreamPool::default());
    for stream in &streams {
        let mut connection = Connection::new(Start::Preface, Start::Frames, false);
        let mut pairing = Pairing::new(false, TRANSACTIONS, (false, false));
        for (from, arrival, bytes) in stream {
            let mut session = PairingInput { pairing: &mut pairing, stats: &mut stats, pool: &mut pool };
            connection.data(side(*from), arrival, bytes, &mut session);
            pairing.take_ended(&mut pool, |transaction| {
                black_box(transaction);
            });
        }
    }
    (streams, stats)
}

/// Segments → records, all stages of a shard together.
fn analyze<O: Output>(job: &Job, out: &mut O) -> Pipeline {
    let keys = KeyStore::default();
    let mut pipeline = Pipeline::new(PipelineConfig { wanted: TRANSACTIONS, ..PipelineConfig::default() });
    for segment in job.segments() {
        pipeline.segment(0, &segment, &keys, out);
    }
    pipeline
}

#[library_benchmark]
#[bench::transactions(args = ("cleartext.pcap"), setup = segments)]
fn shard(job: Job) -> (Job, Pipeline) {
    let pipeline = analyze(&job, &mut Ignore);
    (job, pipeline)
}

/// Keeps the transactions.
#[derive(Default)]
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
    fn tls_record(&mut self, _: Moment, _: Moment, _: Endpoint, _: Endpoint, _: &[u8]) {}
}

fn transactions(name: &str) -> (Records, Renderer) {
    let mut records = Records::default();
    analyze(&segments(name), &mut records);
    let options = Options { format: Format::Ndjson, wanted: TRANSACTIONS, ..Options::default() };
    (records, Renderer::new(options))
}

#[library_benchmark]
#[bench::transactions(args = ("cleartext.pcap"), setup = transactions)]
fn json((records, mut renderer): (Records, Renderer)) -> (Records, Renderer) {
    for (now, connection, transaction) in &records.0 {
        renderer.transaction(*now, connection, transaction);
    }
    (records, renderer)
}

#[library_benchmark]
#[bench::segments(args = ("cleartext.pcap"), setup = segments)]
fn agent(job: Job) -> (Job, Agent) {
    let mut agent = Agent::new(Params::default());
    for segment in job.segments() {
        agent.segment(&segment);
    }
    (job, agent)
}

library_benchmark_group!(
    name = stages;
    benchmarks =
        capture_read, packet_decode, reassembly, tls_records, http2_frames, hpack_fields, http2_and_pairing, shard, json, agent
);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"]));
    library_benchmark_groups = stages
);
