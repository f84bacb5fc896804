//! From a capture file to records, by the clock: `cargo bench --bench end_to_end`.
//!
//! The captures are made anew each time, from the traffic of real endpoints in this process.

#![allow(clippy::pedantic, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests use the rest")]
mod support;
mod traffic;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use h2lens::capture::{Input, Timeline};
use h2lens::engine::{Analysis, captures};
use h2lens::export::{Exporter, Format, Options};
use h2lens::http2::hpack;
use h2lens::record::Wanted;
use h2lens::tls::KeyStore;
use std::hint::black_box;
use std::sync::LazyLock;
use traffic::{Blocks, Traffic};

static CLEARTEXT: LazyLock<Traffic> = LazyLock::new(|| traffic::cleartext(8, 5000));
static ENCRYPTED: LazyLock<Traffic> = LazyLock::new(|| traffic::encrypted(8, 2500));

fn main() {
    divan::main();
}

/// The whole program but for its command line, into the void.
fn analyze(traffic: &Traffic, wanted: Wanted, threads: usize) {
    let mut timeline = Timeline::open(&[Input::File(traffic.file.path().to_owned())]).unwrap();
    let mut keys = KeyStore::default();
    keys.add_text(traffic.keys.as_bytes());
    keys.set_complete();
    let output = Options { format: Format::Ndjson, wanted, ..Options::default() };
    let analysis = Analysis { wanted, threads, keys, ..Analysis::default() };
    captures(&mut timeline, analysis, None, Exporter::new([(std::io::sink(), output)])).unwrap();
}

fn measure(bencher: Bencher<'_, '_>, traffic: &Traffic, wanted: Wanted, threads: usize) {
    bencher
        .counter(ItemsCount::new(traffic.exchanges))
        .counter(BytesCount::new(traffic.file.as_file().metadata().unwrap().len()))
        .bench_local(|| analyze(traffic, wanted, threads));
}

/// Items are transactions.
#[divan::bench(args = [1, 2], sample_count = 20)]
fn transactions(bencher: Bencher<'_, '_>, threads: usize) {
    let wanted = Wanted { transactions: true, ..Wanted::default() };
    measure(bencher, &CLEARTEXT, wanted, threads);
}

#[divan::bench(sample_count = 20)]
fn transactions_with_all_headers(bencher: Bencher<'_, '_>) {
    let wanted = Wanted { transactions: true, headers: true, ..Wanted::default() };
    measure(bencher, &CLEARTEXT, wanted, 1);
}

#[divan::bench(args = [1, 2], sample_count = 20)]
fn telemetry(bencher: Bencher<'_, '_>, threads: usize) {
    let wanted = Wanted { telemetry: true, ..Wanted::default() };
    measure(bencher, &CLEARTEXT, wanted, threads);
}

#[divan::bench(sample_count = 20)]
fn tls_transactions(bencher: Bencher<'_, '_>) {
    let wanted = Wanted { transactions: true, ..Wanted::default() };
    measure(bencher, &ENCRYPTED, wanted, 1);
}

fn decode(bencher: Bencher<'_, '_>, blocks: &Blocks) {
    bencher.counter(ItemsCount::new(blocks.fields)).bench_local(|| {
        let mut decoder = hpack::Decoder::new();
        for block in &blocks.blocks {
            decoder.decode(black_box(block), &[], &mut |field| {
                black_box(field);
            });
        }
    });
}

/// Items are literals of 20 Huffman-coded characters.
#[divan::bench(sample_count = 50)]
fn hpack_huffman(bencher: Bencher<'_, '_>) {
    decode(bencher, &traffic::literals(100));
}

/// Items are indices into the dynamic table.
#[divan::bench(sample_count = 50)]
fn hpack_index(bencher: Bencher<'_, '_>) {
    decode(bencher, &traffic::indices(100));
}
