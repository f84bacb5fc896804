//! What a GOAWAY says of the calls that were under way (RFC 9113 section 6.8).

use super::{connection, frame};
use crate::support::Analyze;
use crate::support::conversation::Side::{Client, Server};
use h2lens::record::EndHow;
use std::time::Duration;

const MS: u64 = 1_000_000;

/// What the server will not look at waits for nothing: whoever closes the connection then, the GOAWAY had ended it.
#[test]
fn what_is_disclaimed_has_ended() {
    let request = |stream| frame(1, 5, stream, &[0x83, 0x86, 0x84]);
    let said = [
        (MS, Client, [request(1), request(3)].concat()),
        (10 * MS, Server, frame(7, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0])),
        (20 * MS, Server, frame(1, 5, 1, &[0x88])),
    ];
    for first in [Server, Client] {
        let mut conversation = connection(1, &said).after(100 * MS);
        conversation.fin(first);
        let mut conversation = conversation.after(MS);
        conversation.fin(first.peer());
        let outcome = Analyze::capture(&conversation.capture()).run();
        let told: Vec<_> =
            outcome.transactions().map(|call| (call.stream, call.end.how, call.end.code)).collect();
        let expected = [(1, EndHow::EndStream, None), (3, EndHow::Goaway, Some(0))];
        assert_eq!(told, expected, "{first:?} closes first");
        let took = outcome.transactions().find(|call| call.stream == 3).unwrap().duration();
        assert!(took < Duration::from_millis(15), "{took:?}");
    }
}
