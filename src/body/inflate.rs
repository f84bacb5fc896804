//! gzip (RFC 1952), zlib (RFC 1950) and bare deflate (RFC 1951).

use super::step::{Damage, Progress};
use flate2::{Decompress, FlushDecompress, Status};

/// What stands around the compressed data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// gzip's header and trailer; members may follow each other.
    Gzip,
    /// zlib's header and trailer, or none: the first octets tell.
    Deflate,
    /// None.
    Raw,
}

/// Decodes deflate in its three wrappers.
pub(super) struct Inflate {
    wrapper: Wrapper,
    state: InflateState,
    /// The first octets, until there are enough to tell.
    head: [u8; 2],
    have: u8,
    /// Octets of the head not yet given to the decoder.
    fed: u8,
}

enum InflateState {
    /// The first octets of a stream or member are awaited.
    Head,
    /// Within one.
    Body(Decompress),
    /// One has ended.
    Ended,
}

impl Inflate {
    /// Bytes of memory: the window and the tables.
    pub(super) const MEMORY: usize = 48 << 10;

    /// A decoder at the beginning.
    pub(super) fn new(wrapper: Wrapper) -> Self {
        let state = if wrapper == Wrapper::Raw {
            InflateState::Body(Decompress::new(false))
        } else {
            InflateState::Head
        };
        Self { wrapper, state, head: [0; 2], have: 0, fed: 2 }
    }

    /// Decodes as much as fits.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> (Progress, Option<Damage>) {
        let mut read = 0;
        while matches!(self.state, InflateState::Head | InflateState::Ended) {
            let Some(&octet) = input.get(read) else { return (Progress { read, written: 0 }, None) };
            if matches!(self.state, InflateState::Ended) {
                if self.wrapper != Wrapper::Gzip || octet != 0x1f {
                    return (Progress { read, written: 0 }, Some(Damage::Trailing));
                }
                (self.state, self.have) = (InflateState::Head, 0);
            }
            read += 1;
            if let Some(place) = self.head.get_mut(usize::from(self.have)) {
                *place = octet;
            }
            self.have += 1;
            if self.have == 2 {
                self.begin();
            }
        }
        let (progress, damage) = self.inflate(input.get(read..).unwrap_or_default(), output);
        (Progress { read: read + progress.read, ..progress }, damage)
    }

    fn begin(&mut self) {
        let [first, second] = self.head;
        let zlib = first & 0x0f == 8
            && first >> 4 <= 7
            && (u16::from(first) << 8 | u16::from(second)).is_multiple_of(31)
            && second & 0x20 == 0;
        self.fed = 0;
        self.state = InflateState::Body(match self.wrapper {
            Wrapper::Gzip => Decompress::new_gzip(15),
            _ => Decompress::new(zlib),
        });
        if self.wrapper == Wrapper::Deflate && !zlib {
            self.wrapper = Wrapper::Raw;
        }
    }

    fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> (Progress, Option<Damage>) {
        let mut written = 0;
        while self.fed < 2 {
            // What was looked at to tell the wrapper still has to be decoded.
            let head = self.head;
            let rest = head.get(usize::from(self.fed)..).unwrap_or_default();
            let (progress, damage) = self.advance(rest, output.get_mut(written..).unwrap_or_default());
            self.fed += progress.read as u8;
            written += progress.written;
            if damage.is_some() || progress.read == 0 {
                return (Progress { read: 0, written }, damage);
            }
            if matches!(self.state, InflateState::Ended) && self.fed < 2 {
                return (Progress { read: 0, written }, Some(Damage::Trailing));
            }
        }
        if matches!(self.state, InflateState::Ended) {
            return (Progress { read: 0, written }, None);
        }
        let (progress, damage) = self.advance(input, output.get_mut(written..).unwrap_or_default());
        (Progress { read: progress.read, written: written + progress.written }, damage)
    }

    fn advance(&mut self, input: &[u8], output: &mut [u8]) -> (Progress, Option<Damage>) {
        let InflateState::Body(decoder) = &mut self.state else {
            return (Progress { read: 0, written: 0 }, None);
        };
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let status = decoder.decompress(input, output, FlushDecompress::None);
        let progress = Progress {
            read: (decoder.total_in() - read) as usize,
            written: (decoder.total_out() - written) as usize,
        };
        let damage = match status {
            Ok(Status::StreamEnd) => {
                self.state = InflateState::Ended;
                None
            }
            Ok(Status::Ok | Status::BufError) => None,
            Err(error) => Some(match error.message() {
                Some("incorrect data check" | "incorrect length check") => Damage::Checksum,
                _ => Damage::Data,
            }),
        };
        (progress, damage)
    }

    /// A stream has ended, and no other has begun.
    pub(super) fn at_end(&self) -> bool {
        matches!(self.state, InflateState::Ended)
    }

    /// A header with a signature was read.
    pub(super) fn is_signed(&self) -> bool {
        self.wrapper != Wrapper::Raw && self.have == 2
    }

    /// Begins anew with an empty window, for bare deflate.
    pub(super) fn reset(&mut self) {
        if let InflateState::Body(decoder) = &mut self.state {
            decoder.reset(false);
        } else {
            self.state = InflateState::Body(Decompress::new(false));
        }
    }
}
