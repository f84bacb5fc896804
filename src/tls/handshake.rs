//! Handshake messages out of the fragments of handshake records (RFC 8446 section 4).
//!
//! ```text
//! +---------+-------------+----
//! | type(1) | length(3)   | body
//! +---------+-------------+----
//! ```

use super::handshake_type as kind;
use super::hello::{ClientHello, EncryptedExtensions, ServerHello};
use super::transcript::Transcript;
use crate::base::limits::MAX_TLS_MESSAGE;

/// A whole message; the bodies that nothing here needs are not kept.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Message {
    /// The client's hello.
    ClientHello(Box<ClientHello>),
    /// The server's hello, or its wish for another one of the client.
    ServerHello(Box<ServerHello>),
    /// The server's extensions of TLS 1.3.
    EncryptedExtensions(EncryptedExtensions),
    /// TLS 1.2, with the first 8 bytes of an encrypted premaster secret if it is one.
    ClientKeyExchange(Option<[u8; 8]>),
    /// The client's 0-RTT data is over.
    EndOfEarlyData,
    /// The sender's part of the handshake is over.
    Finished,
    /// The sender goes on with its next keys.
    KeyUpdate,
    /// Certificate, `ServerKeyExchange` or `ServerHelloDone`: this handshake is a full one.
    FullHandshake,
    /// Any other.
    Other,
    /// A hello that cannot be read.
    Malformed,
    /// A message that is too long to be read.
    TooLong,
}

/// Puts the messages of one direction together.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    header: [u8; 4],
    /// Bytes of the header that are there.
    header_len: usize,
    /// Bytes of the body that are still to come.
    missing: usize,
    /// The body so far, of messages that are read and did not come whole.
    body: Vec<u8>,
}

impl Messages {
    /// Forgets a message that is not whole: a hole follows.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    /// Bytes of memory taken.
    pub(super) fn capacity(&self) -> usize {
        self.body.capacity()
    }

    /// Whether a message has begun and not ended.
    pub(crate) fn is_partial(&self) -> bool {
        self.header_len > 0
    }

    /// The next message of which the end is in `input`, which is moved past it; `None` when it is used up. Message
    /// bytes are fed to the transcript.
    pub(crate) fn next(&mut self, input: &mut &[u8], transcript: &mut Transcript) -> Option<Message> {
        while self.header_len < self.header.len() {
            let (&byte, rest) = input.split_first()?;
            *input = rest;
            *self.header.get_mut(self.header_len)? = byte;
            self.header_len += 1;
            if self.header_len == self.header.len() {
                let [kind, high, middle, low] = self.header;
                self.missing = u32::from_be_bytes([0, high, middle, low]) as usize;
                self.body.clear();
                transcript.message(kind, &self.header);
            }
        }
        let [kind, high, middle, low] = self.header;
        let (part, rest) = input.split_at_checked(self.missing).unwrap_or((input, &[]));
        *input = rest;
        transcript.update(part);
        self.missing -= part.len();
        let wanted = is_read(kind) && u32::from_be_bytes([0, high, middle, low]) as usize <= MAX_TLS_MESSAGE;
        if self.missing > 0 {
            if wanted {
                self.body.extend_from_slice(part);
            }
            return None;
        }
        self.header_len = 0;
        if !is_read(kind) {
            return Some(parse(kind, &[]));
        }
        if !wanted {
            return Some(Message::TooLong);
        }
        if self.body.is_empty() {
            return Some(parse(kind, part));
        }
        let mut body = std::mem::take(&mut self.body);
        body.extend_from_slice(part);
        Some(parse(kind, &body))
    }
}

/// Whether a message's body is of interest.
fn is_read(kind: u8) -> bool {
    matches!(
        kind,
        kind::CLIENT_HELLO | kind::SERVER_HELLO | kind::ENCRYPTED_EXTENSIONS | kind::CLIENT_KEY_EXCHANGE
    )
}

fn parse(kind: u8, body: &[u8]) -> Message {
    match kind {
        kind::CLIENT_HELLO => {
            ClientHello::parse(body).map_or(Message::Malformed, |hello| Message::ClientHello(Box::new(hello)))
        }
        kind::SERVER_HELLO => {
            ServerHello::parse(body).map_or(Message::Malformed, |hello| Message::ServerHello(Box::new(hello)))
        }
        kind::ENCRYPTED_EXTENSIONS => Message::EncryptedExtensions(EncryptedExtensions::parse(body)),
        // EncryptedPreMasterSecret is a vector with a length of 16 bits before it (RFC 5246 section 7.4.7.1).
        kind::CLIENT_KEY_EXCHANGE => {
            Message::ClientKeyExchange(body.get(2..).and_then(|sealed| sealed.first_chunk().copied()))
        }
        kind::END_OF_EARLY_DATA => Message::EndOfEarlyData,
        kind::FINISHED => Message::Finished,
        kind::KEY_UPDATE => Message::KeyUpdate,
        kind::CERTIFICATE | kind::SERVER_KEY_EXCHANGE | kind::SERVER_HELLO_DONE => Message::FullHandshake,
        _ => Message::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::hello::tests::client_hello;
    use proptest::prelude::*;

    fn message(kind: u8, body: &[u8]) -> Vec<u8> {
        [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
    }

    fn read(parts: &[&[u8]]) -> Vec<Message> {
        let (mut messages, mut out) = (Messages::default(), Vec::new());
        for part in parts {
            let mut input = *part;
            while let Some(message) = messages.next(&mut input, &mut Transcript::default()) {
                out.push(message);
            }
            assert!(input.is_empty() && messages.body.capacity() <= 2 * MAX_TLS_MESSAGE);
        }
        out
    }

    proptest! {
        #[test]
        fn messages_are_the_same_however_they_are_cut(cuts in proptest::collection::vec(1..200_usize, 0..20)) {
            let stream = [
                message(kind::CLIENT_HELLO, &client_hello(&[(16, b"\x00\x03\x02h2")])),
                message(kind::CERTIFICATE, &[9; 700]),
                message(kind::SERVER_HELLO_DONE, &[]),
                message(kind::CLIENT_KEY_EXCHANGE, &[0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
                message(kind::FINISHED, &[0; 12]),
                message(99, &[1]),
            ].concat();
            let whole = read(&[&stream]);
            prop_assert_eq!(whole.len(), 6);
            prop_assert_eq!(&whole[3], &Message::ClientKeyExchange(Some([1, 2, 3, 4, 5, 6, 7, 8])));
            let (mut parts, mut rest) = (Vec::new(), &stream[..]);
            for cut in cuts {
                let (part, after) = rest.split_at(cut.min(rest.len()));
                parts.push(part);
                rest = after;
            }
            parts.push(rest);
            prop_assert_eq!(read(&parts), whole);
        }

        #[test]
        fn random_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            read(&[&bytes]);
        }
    }

    #[test]
    fn a_hello_at_the_cap_is_read_and_one_over_it_is_not_however_it_is_cut() {
        let mut body = client_hello(&[]);
        body.resize(MAX_TLS_MESSAGE, 0);
        for (len, read_it) in [(MAX_TLS_MESSAGE, true), (MAX_TLS_MESSAGE + 1, false)] {
            body.resize(len, 0);
            let bytes = message(kind::CLIENT_HELLO, &body);
            for parts in [&[&bytes[..]][..], &[&bytes[..100], &bytes[100..]]] {
                let got = read(parts);
                assert_eq!(matches!(got[..], [Message::ClientHello(_)]), read_it, "{len}");
                assert_eq!(got == [Message::TooLong], !read_it, "{len}");
            }
        }
    }
}
