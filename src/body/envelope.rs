//! Length-prefixed messages of gRPC, gRPC-Web and Connect: an octet of flags, four of length, then the message.

/// The message is compressed (gRPC, Connect).
pub const COMPRESSED: u8 = 0x01;
/// The end of a Connect stream, with JSON that says how it ended.
pub const CONNECT_END: u8 = 0x02;
/// The trailers of gRPC-Web.
pub const WEB_TRAILERS: u8 = 0x80;

/// What is there of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// It is longer than what is kept.
    TooLong,
    /// Some of it is not in the capture.
    Lost,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The flags.
    pub flags: u8,
    /// The length that the prefix names.
    pub length: u32,
    /// The message.
    pub payload: Payload<'a>,
}

/// What the flags of a length-prefixed message mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    GrpcWeb,
    Connect,
}

/// Finds the messages in a body.
#[derive(Debug, Default)]
pub struct Envelopes {
    limit: usize,
    prefix: [u8; 5],
    have: u8,
    /// Octets of the current message still to come.
    left: u32,
    length: u32,
    held: Vec<u8>,
    state: EnvelopeState,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum EnvelopeState {
    #[default]
    Prefix,
    Message,
    /// The rest of a message that is not kept.
    Passing,
    /// The rest of a message of which something was lost.
    Damaged,
    /// A prefix was lost: where the next one stands is not known.
    Astray,
}

impl Envelopes {
    /// Messages of up to `limit` bytes are kept.
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The next bytes of the body.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(Envelope<'_>)) {
        while !bytes.is_empty() && self.state != EnvelopeState::Astray {
            if self.state == EnvelopeState::Prefix {
                let Some((&octet, rest)) = bytes.split_first() else { return };
                bytes = rest;
                if let Some(place) = self.prefix.get_mut(usize::from(self.have)) {
                    *place = octet;
                }
                self.have += 1;
                if self.have == 5 {
                    self.begin(sink);
                }
                continue;
            }
            let (now, rest) = bytes.split_at(bytes.len().min(self.left as usize));
            bytes = rest;
            self.left -= now.len() as u32;
            if self.state == EnvelopeState::Message {
                if self.left == 0 && self.held.is_empty() {
                    self.emit(Payload::Whole(now), sink);
                    continue;
                }
                self.held.extend_from_slice(now);
            }
            if self.left == 0 {
                self.end(sink);
            }
        }
    }

    fn begin(&mut self, sink: &mut dyn FnMut(Envelope<'_>)) {
        let [_, a, b, c, d] = self.prefix;
        self.length = u32::from_be_bytes([a, b, c, d]);
        self.left = self.length;
        self.have = 0;
        self.state =
            if self.length as usize > self.limit { EnvelopeState::Passing } else { EnvelopeState::Message };
        if self.left == 0 {
            self.end(sink);
        }
    }

    fn end(&mut self, sink: &mut dyn FnMut(Envelope<'_>)) {
        let held = std::mem::take(&mut self.held);
        let payload = match self.state {
            EnvelopeState::Passing => Payload::TooLong,
            EnvelopeState::Damaged => Payload::Lost,
            _ => Payload::Whole(&held),
        };
        self.emit(payload, sink);
    }

    fn emit(&mut self, payload: Payload<'_>, sink: &mut dyn FnMut(Envelope<'_>)) {
        let [flags, ..] = self.prefix;
        self.state = EnvelopeState::Prefix;
        sink(Envelope { flags, length: self.length, payload });
    }

    /// Bytes that are not in the capture; `None`: nobody knows how many.
    pub fn gap(&mut self, length: Option<u64>, sink: &mut dyn FnMut(Envelope<'_>)) {
        match length {
            Some(0) => {}
            Some(length) if self.state != EnvelopeState::Prefix && length <= u64::from(self.left) => {
                self.left -= length as u32;
                self.held = Vec::new();
                if self.state != EnvelopeState::Astray {
                    self.state = EnvelopeState::Damaged;
                }
                if self.left == 0 {
                    self.end(sink);
                }
            }
            _ => {
                if !matches!(self.state, EnvelopeState::Prefix | EnvelopeState::Astray) {
                    self.state = EnvelopeState::Damaged;
                    self.held = Vec::new();
                    self.end(sink);
                }
                self.state = EnvelopeState::Astray;
            }
        }
    }

    /// The body may end here: no message has begun.
    pub fn at_end(&self) -> bool {
        self.state == EnvelopeState::Prefix && self.have == 0 || self.state == EnvelopeState::Astray
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.held.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Told = (u8, u32, Option<Vec<u8>>);

    fn told(envelope: Envelope<'_>) -> Told {
        let payload = if let Payload::Whole(bytes) = envelope.payload { Some(bytes.to_vec()) } else { None };
        (envelope.flags, envelope.length, payload)
    }

    fn message(flags: u8, payload: &[u8]) -> Vec<u8> {
        [&[flags][..], &(payload.len() as u32).to_be_bytes(), payload].concat()
    }

    #[test]
    fn messages_are_found_however_they_are_cut() {
        let body = [message(0, b"amber"), message(1, b""), message(0x80, b"grpc-status:0")].concat();
        for piece in 1..body.len() {
            let (mut envelopes, mut found) = (Envelopes::new(100), Vec::new());
            body.chunks(piece)
                .for_each(|piece| envelopes.push(piece, &mut |envelope| found.push(told(envelope))));
            let expected = [
                (0, 5, Some(b"amber".to_vec())),
                (1, 0, Some(Vec::new())),
                (0x80, 13, Some(b"grpc-status:0".to_vec())),
            ];
            assert_eq!((found.as_slice(), envelopes.at_end()), (&expected[..], true), "pieces of {piece}");
        }
    }

    #[test]
    fn a_message_over_the_limit_is_passed_over() {
        let body = [message(0, &[7; 101]), message(0, &[8; 100])].concat();
        let (mut envelopes, mut found) = (Envelopes::new(100), Vec::new());
        body.chunks(9).for_each(|piece| {
            envelopes.push(piece, &mut |envelope| found.push(told(envelope)));
            assert!(envelopes.memory() <= 128);
        });
        assert_eq!(found, [(0, 101, None), (0, 100, Some(vec![8; 100]))]);
        let mut huge = Envelopes::new(100);
        huge.push(&[0, 255, 255, 255, 255, 1, 2, 3], &mut |_| panic!("it has not ended"));
        assert!(!huge.at_end());
    }

    #[test]
    fn a_hole_within_a_message_costs_that_message() {
        let (mut envelopes, mut found) = (Envelopes::new(100), Vec::new());
        let mut sink = |envelope: Envelope<'_>| found.push(told(envelope));
        envelopes.push(&message(0, b"amber")[..7], &mut sink);
        envelopes.gap(Some(2), &mut sink);
        envelopes.push(b"r", &mut sink);
        envelopes.push(&message(0, b"next"), &mut sink);
        envelopes.gap(Some(1), &mut sink);
        envelopes.push(&message(0, b"unseen"), &mut sink);
        assert_eq!(found, [(0, 5, None), (0, 4, Some(b"next".to_vec()))]);
    }

    proptest! {
        #[test]
        fn what_is_told_after_holes_was_sent(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 1..8),
            holes in proptest::collection::vec((0_usize..300, 1_usize..60), 0..3),
            known in any::<bool>(),
        ) {
            let body: Vec<u8> = payloads.iter().flat_map(|payload| message(0, payload)).collect();
            let lost = |at: usize| holes.iter().any(|(start, length)| (*start..start + length).contains(&at));
            let (mut envelopes, mut found) = (Envelopes::new(1000), Vec::new());
            for (at, octet) in body.iter().enumerate() {
                let mut sink = |envelope: Envelope<'_>| {
                    if let Payload::Whole(bytes) = envelope.payload { found.push(bytes.to_vec()); }
                };
                if lost(at) {
                    envelopes.gap(known.then_some(1), &mut sink);
                } else {
                    envelopes.push(&[*octet], &mut sink);
                }
            }
            let mut sent = payloads.iter();
            for message in found {
                prop_assert!(sent.any(|payload| *payload == message));
            }
        }
    }
}
