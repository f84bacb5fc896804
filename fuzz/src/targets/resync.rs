//! Reading on after losses: no frame is told that does not stand in the input, in the order in which it stands there;
//! time follows the input.

use super::http2::{Events, read};
use crate::cost::Cost;
use crate::pieces::{Pieces, What};
use h2lens::http2::frame::FrameHeader;
use h2lens::http2::{Connection, Detector, Start};
use memchr::memmem;

/// Two streams as [`Pieces`] with gaps. Options: bits 0 and 1, the client's and the server's bytes begin somewhere.
pub fn run(data: &[u8]) {
    let pieces = Pieces::read(data);
    let start = |bit: u8, other| if pieces.options & bit != 0 { Start::Late } else { other };
    let connection = || Connection::new(start(1, Start::Preface), start(2, Start::Frames), true);
    let cost = Cost::start();
    let quiet = || Events { quiet: true, ..Events::default() };
    let whole = read(connection(), &pieces.list, quiet());
    let again = read(connection(), &pieces.cut(), quiet());
    cost.assert(2 * data.len(), (2 << 20) + 64 * data.len(), 40_000);
    for events in [&whole, &again] {
        for (backward, headers) in [false, true].into_iter().zip(&events.headers) {
            let bytes = pieces.bytes(backward);
            let mut rest = bytes.as_slice();
            for header in headers {
                let at = memmem::find(rest, &wire(header))
                    .unwrap_or_else(|| panic!("{header:?} is not in the input"));
                rest = &rest[at + 9..];
            }
            let told: usize = headers.len() * 9;
            let side = |side: &h2lens::http2::Side| side.is_client() != backward;
            let body: usize =
                events.data.iter().filter(|(from, _)| side(from)).map(|(_, data)| data.len()).sum();
            assert!(told + body <= bytes.len(), "more told than there is");
        }
        assert!(events.skipped as usize <= data.len() + 65_536 * pieces.list.len());
    }

    // A detector that recognises HTTP/2 does so on bytes, not on gaps.
    let mut detector = Detector::default();
    let cost = Cost::start();
    let mut seen = 0;
    for piece in &pieces.list {
        match piece.what {
            What::Bytes(bytes) => {
                seen += bytes.len();
                if detector.data(bytes).is_some() {
                    assert!(seen >= 9);
                    break;
                }
            }
            What::Gap(len) => detector.gap(Some(len)),
        }
    }
    cost.assert(data.len(), (1 << 20) + 64 * data.len(), 40_000);
}

fn wire(header: &FrameHeader) -> [u8; 9] {
    let [_, high, middle, low] = header.length.to_be_bytes();
    let [a, b, c, d] = (header.stream | u32::from(header.reserved) << 31).to_be_bytes();
    [high, middle, low, header.kind.0, header.flags.0, a, b, c, d]
}
