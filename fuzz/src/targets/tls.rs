//! TLS: however the ciphertext is cut, the plaintext is the same; without keys there is none; memory and time follow
//! the input.

use crate::cost::Cost;
use crate::pieces::{Piece, Pieces, What};
use h2lens::flow::{ByteSink, Direction, End, Gap};
use h2lens::time::{Moment, Timestamp};
use h2lens::tls::{KeyStore, Session, Workspace};

#[derive(Debug, PartialEq, Eq)]
enum Told {
    Data(Vec<u8>),
    Gap(Gap),
    End(End),
}

/// One list for each direction.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sink([Vec<Told>; 2]);

impl ByteSink for Sink {
    fn data(&mut self, from: Direction, _: Moment, bytes: &[u8]) {
        self.0[from.index()].push(Told::Data(bytes.to_vec()));
    }
    fn gap(&mut self, from: Direction, _: Moment, gap: Gap) {
        self.0[from.index()].push(Told::Gap(gap));
    }
    fn end(&mut self, from: Direction, _: Moment, how: End) {
        self.0[from.index()].push(Told::End(how));
    }
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
    let (whole, description) = decrypt(&pieces.list, &keys);
    // Records that do not open may be tried with several keys, and after holes with several numbers: the caps of
    // that are in bytes tried, 4 MiB to begin with.
    cost.assert(data.len() + (4 << 20), (4 << 20) + 16 * data.len(), 50);
    let (cut, description_cut) = decrypt(&pieces.cut(), &keys);
    assert_eq!(whole, cut, "cut otherwise, decrypted otherwise");
    assert_eq!(description, description_cut);
    let told = whole.0.iter().flatten();
    let plain: usize = told.map(|told| if let Told::Data(bytes) = told { bytes.len() } else { 0 }).sum();
    assert!(plain <= data.len(), "more plaintext than ciphertext");
    assert!(plain == 0 || !keys.is_empty(), "plaintext without keys");
}

fn decrypt(pieces: &[Piece<'_>], keys: &KeyStore) -> (Sink, String) {
    let (mut work, mut sink) = (Workspace::default(), Sink::default());
    let mut session = Session::new(&work);
    for piece in pieces {
        let from = if piece.backward { Direction::Backward } else { Direction::Forward };
        let at = Moment { packet: piece.number, time: Timestamp::from_nanos(piece.number) };
        match piece.what {
            What::Bytes(bytes) => session.data(keys, &mut work, from, at, bytes, &mut sink),
            What::Gap(len) => session.gap(keys, &mut work, from, at, Some(len), &mut sink),
        }
    }
    session.finish(keys, &mut work, &mut sink);
    (sink, format!("{:?}", session.description()))
}
