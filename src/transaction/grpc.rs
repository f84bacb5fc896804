//! gRPC over HTTP/2: messages counted by their length prefixes, status and message from the trailers.

/// Counts the length-prefixed messages in one side's DATA, those that are whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MessageCounter {
    /// Octets of a prefix that has not wholly arrived, and how many there are.
    prefix: [u8; 5],
    have: u8,
    /// Octets of the current message still to come.
    left: u64,
    /// It is gRPC-Web's trailers, and no message.
    trailers: bool,
    /// Trailers of gRPC-Web were compressed.
    hidden: bool,
    count: u64,
    /// A prefix was lost: no more can be counted.
    lost: bool,
}

impl MessageCounter {
    /// The next octets.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        self.read(bytes, Kind::Plain, |_| ());
    }

    /// The next octets of gRPC-Web; `trailers` gets those of the trailers, unless they are compressed.
    pub(super) fn web_data(&mut self, bytes: &[u8], trailers: impl FnMut(&[u8])) {
        self.read(bytes, Kind::Web, trailers);
    }

    /// The next octets of what may be gRPC, gRPC-Web, that in Base64, or anything else.
    pub(super) fn unsure_data(&mut self, bytes: &[u8]) {
        self.read(bytes, Kind::Unsure, |_| ());
    }

    fn read(&mut self, bytes: &[u8], kind: Kind, mut trailers: impl FnMut(&[u8])) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.lost {
            if self.left > 0 {
                let here = rest.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
                let (message, after) = rest.split_at(here);
                if self.trailers && !self.hidden {
                    trailers(message);
                }
                self.pass(here as u64);
                rest = after;
                continue;
            }
            let Some((&byte, after)) = rest.split_first() else { break };
            if let Some(place) = self.prefix.get_mut(usize::from(self.have)) {
                *place = byte;
            }
            rest = after;
            self.have += 1;
            if self.have == 5 {
                // Flags: compressed, and in gRPC-Web trailers. Then the length.
                let [flags, a, b, c, d] = self.prefix;
                self.left = u64::from(u32::from_be_bytes([a, b, c, d]));
                self.trailers = kind != Kind::Plain && flags & TRAILERS != 0;
                // No message has other flags.
                self.lost |= kind == Kind::Unsure && flags & !(COMPRESSED | TRAILERS) != 0;
                self.hidden |= self.trailers && flags & COMPRESSED != 0;
                self.have = 0;
                self.pass(0);
            }
        }
    }

    /// So much of the current message is read, or lost.
    const fn pass(&mut self, len: u64) {
        self.left -= len;
        if self.left == 0 && !self.trailers {
            self.count += 1;
        }
    }

    /// Octets that are not in the capture.
    pub(super) fn lose(&mut self, len: u64) {
        if self.have == 0 && 0 < self.left && len <= self.left && !self.trailers {
            self.pass(len);
        } else {
            self.lost |= len > 0;
        }
    }

    /// Frames may be missing: where the next prefix stands is unknown.
    pub(super) fn lose_place(&mut self) {
        self.lost = true;
    }

    /// Trailers of gRPC-Web came that are compressed, and so were not read.
    pub(super) const fn has_hidden_trailers(&self) -> bool {
        self.hidden
    }

    /// Messages, unless some may have been missed.
    pub(super) fn count(&self) -> Option<u64> {
        (!self.lost).then_some(self.count)
    }
}

/// How messages lie in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// As in gRPC.
    Plain,
    /// As in gRPC-Web, whose trailers are in the body.
    Web,
    /// One cannot know.
    Unsure,
}

/// The flag of a message that is compressed.
const COMPRESSED: u8 = 0x01;
/// The flag of a gRPC-Web frame that holds trailers.
const TRAILERS: u8 = 0x80;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_however_cut() {
        let stream = [&[0, 0, 0, 0, 3][..], b"abc", &[1, 0, 0, 0, 0], &[0, 0, 0, 1, 0], &[7; 256]].concat();
        for size in 1..stream.len() {
            let mut counter = MessageCounter::default();
            stream.chunks(size).for_each(|piece| counter.data(piece));
            assert_eq!((counter.count(), counter.left), (Some(3), 0), "pieces of {size}");
        }
    }

    #[test]
    fn a_loss_within_a_message_costs_nothing() {
        let mut counter = MessageCounter::default();
        counter.data(&[0, 0, 0, 0, 10, 1, 2]);
        counter.lose(8);
        counter.data(&[0, 0, 0, 0, 0]);
        assert_eq!(counter.count(), Some(2));
        counter.lose(1);
        assert_eq!(counter.count(), None);
    }

    #[test]
    fn a_message_that_is_cut_short_is_none() {
        let mut counter = MessageCounter::default();
        counter.data(&[0, 0, 0, 0, 3, 1, 2]);
        assert_eq!(counter.count(), Some(0));
        counter.data(&[3]);
        assert_eq!(counter.count(), Some(1));
    }

    #[test]
    fn web_trailers_are_no_message() {
        let stream = [&[0, 0, 0, 0, 1][..], b"x", &[0x80, 0, 0, 0, 15], b"grpc-status: 5\n"].concat();
        for size in 1..stream.len() {
            let (mut counter, mut trailers) = (MessageCounter::default(), Vec::new());
            for piece in stream.chunks(size) {
                counter.web_data(piece, |bytes| trailers.extend_from_slice(bytes));
            }
            assert_eq!((counter.count(), &trailers[..]), (Some(1), &b"grpc-status: 5\n"[..]));
        }
        let mut plain = MessageCounter::default();
        plain.data(&stream);
        assert_eq!(plain.count(), Some(2), "only gRPC-Web has them");
    }

    #[test]
    fn of_a_body_of_unknown_kind_messages_alone_are_counted() {
        let count = |stream: &[u8]| {
            let mut counter = MessageCounter::default();
            counter.unsure_data(stream);
            counter.count()
        };
        let message = [0, 0, 0, 0, 1, b'x'];
        assert_eq!(count(&[message, message].concat()), Some(2));
        let web = [&message[..], &[0x80, 0, 0, 0, 15], b"grpc-status: 5\n"].concat();
        assert_eq!(count(&web), Some(1), "its trailers are none");
        assert_eq!(count(b"AAAAAAF4"), None, "it is Base64");
    }

    #[test]
    fn compressed_web_trailers_are_no_message_and_are_not_read() {
        let stream = [&[1, 0, 0, 0, 1][..], b"x", &[0x81, 0, 0, 0, 3], b"zip"].concat();
        for size in 1..stream.len() {
            let (mut counter, mut trailers) = (MessageCounter::default(), Vec::new());
            for piece in stream.chunks(size) {
                counter.web_data(piece, |bytes| trailers.extend_from_slice(bytes));
            }
            assert_eq!((counter.count(), counter.has_hidden_trailers()), (Some(1), true));
            assert!(trailers.is_empty());
        }
    }
}
