//! gRPC over HTTP/2: messages counted by their length prefixes, status and message from the trailers.

/// Counts the length-prefixed messages in one side's DATA.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MessageCounter {
    /// Octets of a prefix that has not wholly arrived, and how many there are.
    prefix: [u8; 5],
    have: u8,
    /// Octets of the current message still to come.
    left: u64,
    count: u64,
    /// A prefix was lost: no more can be counted.
    lost: bool,
}

impl MessageCounter {
    /// The next octets.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.lost {
            if self.left > 0 {
                let (_, after) =
                    rest.split_at(rest.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
                self.left -= (rest.len() - after.len()) as u64;
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
                // Compressed flag, then the length.
                let [_, a, b, c, d] = self.prefix;
                self.left = u64::from(u32::from_be_bytes([a, b, c, d]));
                self.have = 0;
                self.count += 1;
            }
        }
    }

    /// Octets that are not in the capture.
    pub(super) fn lose(&mut self, len: u64) {
        if self.have == 0 && len <= self.left {
            self.left -= len;
        } else {
            self.lost |= len > 0;
        }
    }

    /// Frames may be missing: where the next prefix stands is unknown.
    pub(super) fn lose_place(&mut self) {
        self.lost = true;
    }

    /// Messages, unless some may have been missed.
    pub(super) fn count(&self) -> Option<u64> {
        (!self.lost).then_some(self.count)
    }
}

/// A content type that is gRPC over HTTP/2 (not gRPC-Web, which has frames of its own).
pub(super) fn is_grpc(content_type: &[u8]) -> bool {
    content_type.strip_prefix(b"application/grpc").is_some_and(|rest| !rest.starts_with(b"-web"))
}

/// Decodes percent-encoding as gRPC uses it for `grpc-message`; what is not valid stays as it is.
pub(super) fn percent_decode(text: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'%', [high, low, tail @ ..]) => match (digit(*high), digit(*low)) {
                (Some(high), Some(low)) => {
                    out.push((high * 16 + low) as u8);
                    rest = tail;
                }
                _ => out.push(byte),
            },
            _ => out.push(byte),
        }
    }
    out
}

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
    fn decodes_percents() {
        assert_eq!(percent_decode(b"a%20b%zz%2"), b"a b%zz%2");
        assert!(is_grpc(b"application/grpc+proto") && is_grpc(b"application/grpc"));
        assert!(!is_grpc(b"application/grpc-web+proto") && !is_grpc(b"text/plain"));
    }
}
