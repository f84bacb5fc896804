//! gRPC-Web: trailers that stand in the body, in a frame of their own, and bodies in Base64.

use super::grpc::MessageCounter;
use crate::base::limits::GRPC_WEB_TRAILERS;
use crate::record::GrpcBody;

/// What is kept of one side's gRPC-Web body.
#[derive(Debug, Default)]
pub(super) struct WebBody {
    /// Bits of Base64 that make no whole octet yet, and how many there are.
    bits: u32,
    have: u8,
    /// The trailers, as far as they have come: at most [`GRPC_WEB_TRAILERS`].
    trailers: Vec<u8>,
    /// There were more.
    limited: bool,
}

impl WebBody {
    /// The next octets of the body.
    pub(super) fn data(&mut self, body: GrpcBody, bytes: &[u8], messages: &mut MessageCounter) {
        if body != GrpcBody::WebText {
            return messages.web_data(bytes, |more| keep(&mut self.trailers, &mut self.limited, more));
        }
        for piece in bytes.chunks(1024) {
            let (mut octets, mut len) = ([0; 768], 0);
            for &byte in piece {
                if let Some(octet) = self.octet(byte)
                    && let Some(place) = octets.get_mut(len)
                {
                    *place = octet;
                    len += 1;
                }
            }
            let octets = octets.get(..len).unwrap_or_default();
            messages.web_data(octets, |more| keep(&mut self.trailers, &mut self.limited, more));
        }
    }

    /// The octet that a character of Base64 completes. Padding ends a piece: the next may begin anew.
    fn octet(&mut self, character: u8) -> Option<u8> {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => {
                (self.bits, self.have) = (0, 0);
                return None;
            }
        };
        self.bits = (self.bits & 0x3f) << 6 | u32::from(value);
        self.have += 6;
        self.have = self.have.checked_sub(8)?;
        Some((self.bits >> self.have) as u8)
    }

    /// The value of a trailer.
    pub(super) fn trailer(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.trailers.split(|&byte| byte == b'\n');
        lines.find_map(|line| {
            let (own, value) = line.split_at_checked(line.iter().position(|&byte| byte == b':')?)?;
            let value = value.get(1..)?.trim_ascii();
            own.trim_ascii().eq_ignore_ascii_case(name.as_bytes()).then_some(value)
        })
    }

    /// A cap kept trailers from being read.
    pub(super) const fn is_limited(&self) -> bool {
        self.limited
    }

    /// Bytes of memory held.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.trailers.capacity()
    }
}

fn keep(trailers: &mut Vec<u8>, limited: &mut bool, more: &[u8]) {
    let room = GRPC_WEB_TRAILERS - trailers.len();
    *limited |= more.len() > room;
    trailers.extend_from_slice(more.get(..more.len().min(room)).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    fn read(body: GrpcBody, bytes: &[u8], piece: usize) -> (WebBody, Option<u64>) {
        let (mut web, mut messages) = (WebBody::default(), MessageCounter::default());
        bytes.chunks(piece).for_each(|bytes| web.data(body, bytes, &mut messages));
        (web, messages.count())
    }

    const TRAILERS: &[u8] = b"grpc-status:5\r\nGRPC-Message: not%20found\r\n";

    #[test]
    fn trailers_are_read_from_the_body() {
        let message = [&[0, 0, 0, 0, 2][..], b"hi"].concat();
        let last = [&[0x80, 0, 0, 0, TRAILERS.len() as u8][..], TRAILERS].concat();
        // In text each frame may be encoded by itself, with padding, or all together.
        let apart = [STANDARD.encode(&message), STANDARD.encode(&last)].concat();
        let together = STANDARD.encode([&message[..], &last].concat());
        for (body, bytes) in [
            (GrpcBody::Web, [&message[..], &last].concat()),
            (GrpcBody::WebText, apart.into_bytes()),
            (GrpcBody::WebText, together.into_bytes()),
        ] {
            for piece in [1, 2, 3, 7, 5000] {
                let (web, messages) = read(body, &bytes, piece);
                assert_eq!(web.trailer("grpc-status"), Some(&b"5"[..]), "{body:?}");
                assert_eq!(web.trailer("grpc-message"), Some(&b"not%20found"[..]));
                assert_eq!((web.trailer("grpc"), messages, web.is_limited()), (None, Some(1), false));
            }
        }
    }

    #[test]
    fn cap_grpc_web_trailers() {
        let frame = |len: usize| {
            let len = u32::try_from(len).unwrap();
            [&[0x80][..], &len.to_be_bytes(), &vec![b'a'; len as usize]].concat()
        };
        let (web, _) = read(GrpcBody::Web, &frame(GRPC_WEB_TRAILERS), 100);
        assert!(!web.is_limited() && web.trailers.len() == GRPC_WEB_TRAILERS);
        let (web, _) = read(GrpcBody::Web, &frame(GRPC_WEB_TRAILERS + 1), 100);
        assert!(web.is_limited() && web.trailers.len() == GRPC_WEB_TRAILERS);
    }
}
