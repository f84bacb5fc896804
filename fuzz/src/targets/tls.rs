//! TLS: however the ciphertext is cut, the plaintext is the same, as long as records follow one another and open; without
//! keys there is none; memory and time follow the input.

use crate::cost::Cost;
use crate::pieces::{Piece, Pieces, What};
use h2lens::base::direction::Direction;
use h2lens::base::time::{Moment, Timestamp};
use h2lens::base::tls::Description;
use h2lens::flow::{Arrival, ByteSink, End, Gap};
use h2lens::tls::{Counters, KeyStore, PlaintextSink, Session, Workspace};

/// What a direction's reader is told.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    Data(Vec<u8>),
    Gap(Gap),
    End(End),
}

/// One list for each direction.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sink(pub(super) [Vec<Told>; 2]);

impl ByteSink for Sink {
    fn data(&mut self, from: Direction, _: &Arrival, bytes: &[u8]) {
        self.0[from.index()].push(Told::Data(bytes.to_vec()));
    }
    fn gap(&mut self, from: Direction, _: &Arrival, gap: Gap) {
        self.0[from.index()].push(Told::Gap(gap));
    }
    fn end(&mut self, from: Direction, _: &Arrival, how: End) {
        self.0[from.index()].push(Told::End(how));
    }
}

impl PlaintextSink for Sink {
    fn describe(&mut self, _: &Description) {}
}

/// Length of the key log (2), key log, then the ciphertext as [`Pieces`].
pub fn run(data: &[u8]) {
    let Some((&[high, low], rest)) = data.split_first_chunk() else { return };
    let (log, rest) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
    let pieces = Pieces::read(rest);
    let mut keys = KeyStore::default();
    keys.add_text(log);
    if pieces.options & 1 != 0 {
        keys.set_complete();
    }
    let cost = Cost::start();
    let (whole, description, counters) = decrypt(&pieces.list, &keys);
    // Records that do not open may be tried with several keys, and after holes with several numbers: the caps of
    // that are in bytes tried, 4 MiB to begin with. Where the handshake is missing, two million tries may be made of a
    // tenth of a microsecond.
    cost.assert(data.len() + (12 << 20), (4 << 20) + 16 * data.len(), 50);
    let (cut, description_cut, _) = decrypt(&pieces.cut(), &keys);
    // Where records are looked for, it matters how much is there to look at.
    let gaps = pieces.list.iter().any(|piece| matches!(piece.what, What::Gap(_)));
    let damaged = gaps
        || counters.records_failed + counters.records_skipped > 0
        || description.contains("not_decrypted: Some");
    if !damaged && [false, true].iter().all(|&backward| is_records(&pieces.bytes(backward), false)) {
        assert_eq!(whole, cut, "cut otherwise, decrypted otherwise: {counters:?} {description}");
        assert_eq!(description, description_cut);
    }
    let told = whole.0.iter().flatten();
    let plain: usize = told.map(|told| if let Told::Data(bytes) = told { bytes.len() } else { 0 }).sum();
    assert!(plain <= data.len(), "more plaintext than ciphertext");
    assert!(plain == 0 || !keys.is_empty(), "plaintext without keys");
}

/// Record headers (RFC 8446 section 5.1) that lead from one to the next, the last record `whole` or perhaps cut.
pub(super) fn is_records(bytes: &[u8], whole: bool) -> bool {
    let mut rest = bytes;
    while let Some((&[kind, major, minor, high, low], after)) = rest.split_first_chunk() {
        let len = usize::from(u16::from_be_bytes([high, low]));
        if !(20..=23).contains(&kind) || major != 3 || minor > 4 || len == 0 || len > 16_384 + 256 {
            return false;
        }
        let Some(next) = after.get(len..) else { return !whole };
        rest = next;
    }
    rest.is_empty()
}

/// What a session makes of the pieces.
pub(super) fn decrypt(pieces: &[Piece<'_>], keys: &KeyStore) -> (Sink, String, Counters) {
    let (mut work, mut sink) = (Workspace::default(), Sink::default());
    let mut session = Session::new(&work);
    for piece in pieces {
        let from = if piece.backward { Direction::Backward } else { Direction::Forward };
        let at = Moment { packet: piece.number, time: Timestamp::from_nanos(piece.number) };
        let arrival = Arrival { at, ..Arrival::default() };
        match piece.what {
            What::Bytes(bytes) => session.data(keys, &mut work, from, &arrival, bytes, &mut sink),
            What::Gap(len) => session.gap(keys, &mut work, from, &arrival, Some(len), &mut sink),
        }
    }
    session.finish(keys, &mut work, &mut sink);
    (sink, format!("{:?}", session.description()), work.counters())
}
