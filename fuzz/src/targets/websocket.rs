//! WebSocket: the same messages however the bytes are cut, and a prefix of them where they end early; after a hole only such as
//! the whole has.

use crate::cost::Cost;
use h2lens::body::credit::Credit;
use h2lens::body::websocket::{Message, WebSocket};

const LIMIT: usize = 4 << 10;

/// The first byte says whether permessage-deflate was agreed on, the second the pieces.
pub fn run(data: &[u8]) {
    let Some((&[deflate, piece], bytes)) = data.split_first_chunk() else { return };
    let deflate = match deflate & 3 {
        0 | 1 => None,
        2 => Some(true),
        _ => Some(false),
    };
    let cost = Cost::start();
    let whole = read(bytes, bytes.len(), deflate);
    assert_eq!(read(bytes, usize::from(piece) + 1, deflate), whole);
    let cut = bytes.len() / 2;
    assert!(whole.starts_with(&read(bytes.get(..cut).unwrap_or_default(), 100, deflate)));
    cost.assert(bytes.len(), (4 << 20) + 64 * bytes.len(), 20_000);
}

type Told = (&'static str, u64, Option<Vec<u8>>);

fn read(bytes: &[u8], piece: usize, deflate: Option<bool>) -> Vec<Told> {
    let (mut socket, credit, mut told) = (WebSocket::new(LIMIT, deflate), Credit::default(), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        socket.push(piece, &credit, &mut |message: Message<'_>| {
            told.push((message.opcode.name(), message.wire_size, message.content.ok().map(<[u8]>::to_vec)));
        });
        assert!(socket.memory() <= 128 << 10);
    }
    told
}

/// Text, fragments with a ping between them, a close; compressed, too.
pub fn seeds() -> Vec<Vec<u8>> {
    let talk = b"\x81\x85\x01\x02\x03\x04igohn\x01\x02fr\x89\x00\x80\x02ag\x82\x7e\x00\x80".to_vec();
    let talk = [talk, vec![7; 128], b"\x88\x02\x03\xe8".to_vec()].concat();
    let deflated = b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x05\xf2\x00\x11\x00\x00".to_vec();
    vec![
        [vec![0, 3], talk].concat(),
        [vec![2, 5], deflated.clone()].concat(),
        [vec![3, 1], deflated].concat(),
    ]
}
