//! Is this byte stream one direction of an HTTP/2 connection that was joined late? (spec/loss-tolerance.md)
//!
//! Rather a doubtful connection is missed for a few frames than one invented: a header block must be whole and
//! make sense, or eight frames in a row must; or one side sends DATA alone, and the other gives credit for it.

use super::bulk::Bulk;
use super::frame::FrameHeader;
use super::plausibility::{self, Expect};
use super::resync::{RequiredEvidence, SearchBuffer};
use super::side::Side;
use crate::base::limits;
use crate::flow::Arrival;

/// Looks at one direction of a connection of unknown protocol.
#[derive(Debug, Default)]
pub struct Detector {
    buffer: SearchBuffer,
    bulk: Bulk,
    seen: usize,
}

/// HTTP/2 was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// Which side sends this direction, where its frames tell.
    pub sender: Option<Side>,
    /// Frame headers that follow from one another, as far as was looked.
    pub frames: u32,
    /// Of their places, and the one behind them, those where a segment begins or ends.
    pub aligned: u32,
}

impl Detector {
    /// The next bytes: all from one segment.
    pub fn data(&mut self, bytes: &[u8]) -> Option<Recognised> {
        self.seen = self.seen.saturating_add(bytes.len());
        let early = self.seen <= limits::DETECT_BYTES;
        self.bulk.data(bytes, &Expect::ANY, early);
        let idle = !early && !self.buffer.hopeful();
        if idle {
            // Much was seen and nothing found: from now on only what stands at the start of a segment.
            self.buffer.clear();
            let header = FrameHeader::read(bytes)?;
            plausibility::header_bits(&header, &Expect::ANY)?;
        }
        self.buffer.push_data(&Arrival::default(), bytes);
        let chain = self.buffer.search(&Expect::ANY, RequiredEvidence::PROTOCOL, false)?;
        Some(Recognised { sender: chain.sender(), frames: chain.frames, aligned: chain.aligned })
    }

    /// The next bytes of what is known to be HTTP/2, or that none follow: which side sends this direction, or probably does,
    /// where its frames tell.
    pub fn sender(&mut self, bytes: Option<&[u8]>) -> Option<Side> {
        self.buffer.push_data(&Arrival::default(), bytes.unwrap_or_default());
        self.buffer.search(&Expect::ANY, RequiredEvidence::SENDER, bytes.is_none())?.likely_sender()
    }

    /// Nothing follows, and HTTP/2 was not recognised: how many bytes were seen, if they cannot be told from HTTP/2.
    pub fn doubtful_bytes(&self) -> u64 {
        if self.buffer.is_doubtful() { self.seen as u64 } else { 0 }
    }

    /// This direction sends DATA frames in a row, and the other one, of which no more may be known, gives credit: each is a
    /// sign of HTTP/2, and both are a proof.
    pub fn is_given_credit_by(&self, other: &Self) -> bool {
        self.bulk.sends() && other.bulk.grants()
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        self.buffer.memory() + self.bulk.memory()
    }

    /// Bytes are missing here.
    pub fn gap(&mut self, len: Option<u64>) {
        match len {
            Some(len) if len <= limits::RESYNC_BUFFER as u64 => {
                self.buffer.push_gap(&Arrival::default(), len, crate::flow::GapCause::Lost);
                self.bulk.gap(len);
            }
            _ => {
                self.buffer.clear();
                self.bulk.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_is_evidence_and_less_is_a_doubt() {
        let data = [&[0, 0, 5, 0, 0, 0, 0, 0, 7][..], b"a\xffb\xfec"].concat();
        let round = [&data[..], &[0, 0, 4, 8, 0, 0, 0, 0, 7, 0, 0, 1, 0]].concat();
        let mut few = Detector::default();
        assert_eq!(few.data(&round), None);
        assert_eq!(few.doubtful_bytes(), round.len() as u64);
        let mut many = Detector::default();
        let recognised = (0..5).find_map(|_| many.data(&round)).unwrap();
        assert_eq!((recognised.frames, recognised.sender), (8, None));
        assert!((4..=5).contains(&recognised.aligned), "{recognised:?}");
        let mut other = Detector::default();
        assert_eq!(other.data(&[0xff; 1000]), None);
        assert_eq!(other.doubtful_bytes(), 0);
    }
}
