//! The session hash of the extended master secret (RFC 7627 section 3): over all handshake messages of TLS 1.2
//! from the client hello to the client key exchange.

use super::handshake_type as kind;
use super::suite::Hash;
use crate::base::limits::MAX_TLS_TRANSCRIPT;
use ring::digest::{self, Digest};

/// The hash in the making. It is needed only where a premaster secret is all that the key log has.
#[derive(Clone, Default)]
pub(crate) struct Transcript {
    state: TranscriptState,
    /// The message in hand counts.
    counted: bool,
    /// The messages were too long to be kept.
    limited: bool,
}

#[derive(Clone, Default)]
enum TranscriptState {
    /// Not needed, not started, or not to be had.
    #[default]
    Off,
    /// The hash is not known before the server hello: the messages themselves.
    Raw(Vec<u8>),
    Hashing(digest::Context),
    Done(Digest),
}

impl Transcript {
    /// Bytes of memory taken.
    pub(super) fn memory(&self) -> usize {
        if let TranscriptState::Raw(raw) = &self.state { raw.capacity() } else { 0 }
    }

    /// Whether the messages have become too long to be kept since this was asked last.
    pub(crate) fn take_limited(&mut self) -> bool {
        std::mem::take(&mut self.limited)
    }

    /// A message begins.
    pub(crate) fn message(&mut self, kind: u8, header: &[u8]) {
        if kind == kind::CLIENT_HELLO {
            self.state = TranscriptState::Raw(Vec::new());
        }
        self.counted = kind != kind::HELLO_REQUEST;
        self.update(header);
    }

    /// More bytes of the message.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            _ if !self.counted => {}
            TranscriptState::Raw(raw) if raw.len() + bytes.len() <= MAX_TLS_TRANSCRIPT => {
                raw.extend_from_slice(bytes);
            }
            TranscriptState::Raw(_) => (self.state, self.limited) = (TranscriptState::Off, true),
            TranscriptState::Hashing(context) => context.update(bytes),
            TranscriptState::Off | TranscriptState::Done(_) => {}
        }
    }

    /// The server hello is in: the hash is known, or `None` when no session hash is wanted.
    pub(crate) fn choose(&mut self, hash: Option<Hash>) {
        let raw = std::mem::take(&mut self.state);
        if let (TranscriptState::Raw(raw), Some(hash)) = (raw, hash) {
            let mut context = digest::Context::new(match hash {
                Hash::Sha256 => &digest::SHA256,
                Hash::Sha384 => &digest::SHA384,
            });
            context.update(&raw);
            self.state = TranscriptState::Hashing(context);
        }
    }

    /// A message was lost: there will be no session hash.
    pub(crate) fn lose(&mut self) {
        if !matches!(self.state, TranscriptState::Done(_)) {
            self.state = TranscriptState::Off;
        }
    }

    /// The client key exchange is in: the hash is complete.
    pub(crate) fn complete(&mut self) {
        self.state = match std::mem::take(&mut self.state) {
            TranscriptState::Hashing(context) => TranscriptState::Done(context.finish()),
            done @ TranscriptState::Done(_) => done,
            TranscriptState::Raw(_) | TranscriptState::Off => TranscriptState::Off,
        };
    }

    /// The session hash.
    pub(crate) fn session_hash(&self) -> Option<&[u8]> {
        if let TranscriptState::Done(digest) = &self.state { Some(digest.as_ref()) } else { None }
    }
}
