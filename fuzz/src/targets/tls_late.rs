//! TLS joined late: of a connection that is read whole, what is read from any piece on is a part, in order.

use super::tls::{Told, decrypt, is_records};
use crate::pieces::Pieces;
use h2lens::tls::KeyStore;

/// Inputs as of the target `tls`; the options say how many pieces are left out.
pub fn run(data: &[u8]) {
    let Some((&[high, low], rest)) = data.split_first_chunk() else { return };
    let (log, rest) = rest.split_at(usize::from(u16::from_be_bytes([high, low])).min(rest.len()));
    let pieces = Pieces::read(rest);
    let mut keys = KeyStore::default();
    keys.add_text(log);
    keys.set_complete();
    let (whole, description, counters) = decrypt(&pieces.list, &keys);
    let skipped = usize::from(pieces.options) % (pieces.list.len() + 1);
    let (late, told, _) = decrypt(pieces.list.get(skipped..).unwrap_or_default(), &keys);
    let missed = counters.records_failed + counters.records_skipped > 0
        || description.contains("not_decrypted: Some")
        || description.contains("early_data: Some(false)")
        || whole.0.iter().flatten().any(|told| matches!(told, Told::Gap(_)))
        || ![false, true].iter().all(|&backward| is_records(&pieces.bytes(backward), true));
    if missed {
        return; // there is more to be read than the whole connection gave
    }
    for (late, whole) in late.0.iter().zip(&whole.0) {
        let mut whole = whole.iter().filter_map(data_of);
        for record in late.iter().filter_map(data_of) {
            assert!(whole.any(|other| other == record), "not sent, or not in that order: {told}");
        }
    }
}

fn data_of(told: &Told) -> Option<&[u8]> {
    if let Told::Data(bytes) = told { Some(bytes) } else { None }
}
