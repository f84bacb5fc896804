//! Sessions over connections of real TLS stacks, whole and damaged.

mod caps;
mod connections;
mod damage;
mod hostile;
mod late;
mod openssl;
mod stack;
mod vectors;

use super::{Counters, KeyStore, PlaintextSink, Session, Workspace};
use crate::base::direction::{Direction, PerDirection};
use crate::base::time::Moment;
use crate::base::tls::Description;
use crate::flow::{Arrival, ByteSink, End};

const BOTH: [Direction; 2] = [Direction::Forward, Direction::Backward];

/// What a direction's bytes are to a session.
#[derive(Clone, Debug)]
enum Event {
    Data(Vec<u8>),
    Gap(Option<u64>),
    End(End),
}

/// What a session handed on, and what it told.
#[derive(Clone, Debug, Default)]
struct Output {
    data: PerDirection<Vec<u8>>,
    /// Length and packet of each piece of data.
    records: PerDirection<Vec<(usize, u64)>>,
    /// Bytes of data before the gap, and its length.
    gaps: PerDirection<Vec<(usize, Option<u64>)>>,
    ends: PerDirection<Vec<End>>,
    /// What was told last, and what had been told when the first plaintext came.
    told: Description,
    told_first: Option<Description>,
    description: Description,
    counters: Counters,
}

impl ByteSink for Output {
    fn data(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        assert!(!bytes.is_empty() && self.ends[from].is_empty());
        self.told_first.get_or_insert_with(|| self.told.clone());
        self.data[from].extend_from_slice(bytes);
        self.records[from].push((bytes.len(), arrival.at.packet));
    }
    fn gap(&mut self, from: Direction, _: &Arrival, gap: crate::flow::Gap) {
        assert!(self.ends[from].is_empty());
        let offset = self.data[from].len();
        assert_ne!(self.gaps[from].last().map(|gap| gap.0), Some(offset), "two gaps in a row");
        self.gaps[from].push((offset, gap.len));
    }
    fn end(&mut self, from: Direction, _: &Arrival, how: End) {
        assert!(self.ends[from].is_empty());
        self.ends[from].push(how);
    }
}

impl PlaintextSink for Output {
    fn describe(&mut self, description: &Description) {
        self.told = description.clone();
    }
}

/// A session's output for these events, of which the n-th is packet n + 1; all secrets are there from the start.
fn decrypt(events: &[(Direction, Event)], key_log: &str) -> Output {
    let mut keys = KeyStore::default();
    keys.add_text(key_log.as_bytes());
    keys.set_complete();
    run(events, &keys)
}

/// As [`decrypt`], with a store that may still get more.
fn run(events: &[(Direction, Event)], keys: &KeyStore) -> Output {
    let mut work = Workspace::default();
    let (mut session, mut output) = (Session::new(&work), Output::default());
    for (packet, event) in (1..).zip(events) {
        feed(&mut session, &mut work, keys, packet, event, &mut output);
    }
    session.finish(keys, &mut work, &mut output);
    output.told.bytes = session.description().bytes.clone();
    assert_eq!(output.told, *session.description());
    output.description = session.description().clone();
    output.counters = work.counters();
    output
}

fn feed(
    session: &mut Session,
    work: &mut Workspace,
    keys: &KeyStore,
    packet: u64,
    (from, event): &(Direction, Event),
    output: &mut Output,
) {
    let at = Moment { packet, ..Moment::default() };
    let arrival = Arrival { at, ..Arrival::default() };
    match event {
        Event::Data(bytes) => session.data(keys, work, *from, &arrival, bytes, output),
        Event::Gap(len) => session.gap(keys, work, *from, &arrival, *len, output),
        Event::End(how) => session.end(keys, work, *from, &arrival, *how, output),
    }
}
