//! Multipart bodies: the same parts however the bytes are cut, and a prefix of them where they end early.

use crate::cost::Cost;
use h2lens::body::multipart::Multipart;

const LIMIT: usize = 1 << 10;

/// The first byte says the pieces.
pub fn run(data: &[u8]) {
    let Some((&piece, bytes)) = data.split_first() else { return };
    let cost = Cost::start();
    let whole = parts(bytes, bytes.len());
    assert_eq!(parts(bytes, usize::from(piece) + 1), whole);
    let cut = bytes.len() / 2;
    assert!(whole.starts_with(&parts(bytes.get(..cut).unwrap_or_default(), 7)));
    cost.assert(bytes.len(), (4 << 20) + 64 * bytes.len(), 10_000);
}

type Told = (Option<String>, Option<String>, u64, Vec<u8>);

fn parts(bytes: &[u8], piece: usize) -> Vec<Told> {
    let (mut multipart, mut told) = (Multipart::new("b", LIMIT), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        multipart.push(piece, &mut |part| {
            told.push((part.name, part.content_type, part.size, part.content.to_vec()))
        });
        assert!(multipart.memory() <= 64 << 10);
    }
    told
}

/// A form with a file, and what is nearly a delimiter.
pub fn seeds() -> Vec<Vec<u8>> {
    let body = "pre\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--bee\r\n--b \r\n\r\n{}\r\n--b--\r\nend";
    vec![[b"\x05", body.as_bytes()].concat()]
}
