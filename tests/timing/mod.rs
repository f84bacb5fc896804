//! Where the time of calls went: the parts add up whatever is missing, and agree with what both ends did.

mod blocks;
mod drains;
mod goaway;
mod priorities;
mod retries;
mod scripts;
mod stalls;
mod sums;
mod unseen;

use crate::support::conversation::Event::Wrote;
use crate::support::conversation::{Conversation, Cut, Ends, Side};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
/// A frame with a short payload.
fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    [&[0, high, low, kind, flags, 0, 0, 0, stream], payload].concat()
}

/// A connection that says these things, each so many nanoseconds after the capture's beginning.
fn connection(n: u16, said: &[(u64, Side, Vec<u8>)]) -> Conversation {
    let mut conversation = Conversation::new(Ends::v4(n), n.into()).after(said[0].0);
    conversation.handshake();
    conversation.data(Side::Client, &[PREFACE, SETTINGS].concat());
    conversation.data(Side::Server, SETTINGS);
    let mut now = said[0].0;
    for (at, from, bytes) in said {
        conversation = conversation.after(at - std::mem::replace(&mut now, *at));
        conversation.events(&[Wrote(*from, bytes.clone())], Cut::Writes);
    }
    conversation
}
