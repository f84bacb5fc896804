//! HTTP/1.1 up to an upgrade: however the bytes are cut, the outcome is the same; the fields' values stand in the input.

use crate::cost::Cost;
use crate::pieces::{Builder, Piece, Pieces, What};
use h2lens::base::limits;
use h2lens::base::time::{Moment, Timestamp};
use h2lens::flow::Arrival;
use h2lens::http1::{Dialogue, Step, Upgraded};
use memchr::memmem;

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// HTTP/1.1 to the end.
    Open,
    /// In this piece.
    Lost(u64),
    /// Which request, what the client sent behind it, and how much the server did up to the end of its answer.
    Switched(Option<Box<Upgraded>>, Vec<u8>, usize),
}

/// Both directions as [`Pieces`].
pub fn run(data: &[u8]) {
    let mut pieces = Pieces::read(data);
    pieces.list.retain(|piece| matches!(piece.what, What::Bytes(bytes) if !bytes.is_empty()));
    let cost = Cost::start();
    let (whole, declined) = follow(&pieces.list);
    let memory = (limits::HTTP1_PIPELINED + 4) * 4096 + 8 * limits::HTTP1_HEAD + 64 * data.len();
    cost.assert(data.len(), memory, 20_000);
    let (cut, declined_cut) = follow(&pieces.cut());
    assert_eq!((&whole, declined), (&cut, declined_cut), "cut otherwise, read otherwise");
    if let Outcome::Switched(Some(request), rest, _) = &whole {
        let client = pieces.bytes(false);
        assert!(client.ends_with(rest) || memmem::find(&client, rest).is_some());
        for (name, value) in &request.fields {
            let made = [&b":scheme"[..], b":path", b":authority", b":method"].contains(&name.as_slice());
            assert!(made || memmem::find(&client, value).is_some(), "{value:?} is not in the input");
        }
    }
}

fn follow(pieces: &[Piece<'_>]) -> (Outcome, bool) {
    let (mut dialogue, mut server) = (Dialogue::default(), 0);
    for piece in pieces {
        let What::Bytes(bytes) = piece.what else { continue };
        let at = Moment { packet: piece.number, time: Timestamp::from_nanos(piece.number) };
        let step = if piece.backward {
            server += bytes.len();
            dialogue.server(bytes)
        } else {
            dialogue.client(&Arrival { at, ..Arrival::default() }, bytes)
        };
        match step {
            Step::More => {}
            Step::Lost => return (Outcome::Lost(piece.number), dialogue.declined()),
            Step::Switched(switch) => {
                let outcome =
                    Outcome::Switched(switch.upgraded, switch.client_rest, server - switch.server_rest);
                return (outcome, dialogue.declined());
            }
        }
    }
    (Outcome::Open, dialogue.declined())
}

/// Upgrades that were accepted and declined, bodies, CONNECT.
pub fn seeds() -> Vec<Vec<u8>> {
    let upgrade =
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let dialogues = [
        (format!("GET /a?b HTTP/1.1\r\nHost: a.example\r\n{upgrade}\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), format!("{switching}\0\0\0\x04\0\0\0\0\0")),
        (format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n{upgrade}\r\nhello"), switching.to_owned()),
        (format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n{upgrade}\r\n5;x=y\r\nhello\r\n0\r\nt: u\r\n\r\n"), switching.to_owned()),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{upgrade}\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n".to_owned()),
        ("CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n".to_owned(), "HTTP/1.1 200 OK\r\n\r\n".to_owned()),
        ("HEAD / HTTP/1.0\r\n\r\nGET / HTTP/1.1\r\n\r\n".to_owned(), "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n".to_owned()),
    ];
    let seed = |(client, server): &(String, String)| {
        Builder::new(0, 9).bytes(false, client.as_bytes()).bytes(true, server.as_bytes()).build()
    };
    dialogues.iter().map(seed).collect()
}
