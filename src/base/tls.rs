//! What a TLS connection's handshake told.

use super::direction::{Direction, PerDirection};

/// What is known of a TLS connection; what was not seen is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The side that sent the client hello.
    pub client: Option<Direction>,
    /// Negotiated version: `1.2`, `1.3` (earlier ones as seen).
    pub version: Option<&'static str>,
    /// IANA name of the cipher suite.
    pub cipher: Option<&'static str>,
    /// `server_name` of the client hello (RFC 6066 section 3).
    pub server_name: Option<String>,
    /// Protocols that the client offered (RFC 7301), the first [`crate::base::limits::MAX_TLS_ALPN`].
    pub alpn_offered: Vec<String>,
    /// It offered more than these.
    pub alpn_cut: bool,
    /// The protocol chosen, where visible (TLS 1.3: only after decryption).
    pub alpn: Option<String>,
    /// The session was resumed; `None` where that cannot be told.
    pub resumed: Option<bool>,
    /// Whether the server took the 0-RTT data (RFC 8446 section 4.2.10) that the client announced; `None` where it
    /// announced none, or where the server's answer cannot be read.
    pub early_data: Option<bool>,
    /// The client hello carries an encrypted one (RFC 9849), or pretends to.
    pub ech: bool,
    /// JA4 client fingerprint of the first client hello.
    pub ja4: Option<String>,
    /// Bytes of the streams, handshake and record headers included, holes not.
    pub bytes: PerDirection<u64>,
    /// Why there is no plaintext, or not all of it.
    pub not_decrypted: Option<NotDecrypted>,
}

/// Why TLS was not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDecrypted {
    /// No secrets for this client random.
    NoSecrets,
    /// A cipher suite or version that h2lens does not decrypt.
    UnsupportedSuite,
    /// Records that do not authenticate, or holes that could not be bridged.
    Damaged,
    /// The hello messages are not in the capture.
    HandshakeNotCaptured,
}

impl NotDecrypted {
    /// All reasons, in the order of the counters.
    pub const ALL: [Self; 4] =
        [Self::NoSecrets, Self::UnsupportedSuite, Self::Damaged, Self::HandshakeNotCaptured];

    /// The names of [`Self::ALL`].
    pub const NAMES: &'static [&'static str] =
        &["no_secrets", "unsupported_suite", "damaged", "handshake_not_captured"];

    /// The name in `tls.not_decrypted` and `coverage.not_decrypted`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSecrets => "no_secrets",
            Self::UnsupportedSuite => "unsupported_suite",
            Self::Damaged => "damaged",
            Self::HandshakeNotCaptured => "handshake_not_captured",
        }
    }
}
