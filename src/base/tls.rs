//! What a TLS connection's handshake told.

use super::direction::{Direction, PerDirection};
use super::memory::of_block;

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
    /// The first client hello is not in the capture, but the second one is (RFC 8446 section 4.1.2), which has no fingerprint.
    pub second_hello: bool,
    /// Bytes of the streams, handshake and record headers included, holes not.
    pub bytes: PerDirection<u64>,
    /// It was decrypted though its handshake is not wholly in the capture.
    pub late: bool,
    /// Of such a connection: the number that the first record read of a direction has among those under its keys.
    pub records_missed: PerDirection<Option<u64>>,
    /// Likewise: how many key updates (RFC 8446 section 4.6.3) these keys came after.
    pub generation: PerDirection<u16>,
    /// The first alert that ends the connection (RFC 8446 section 6.2), and who sent it; the one that says it is closed is none.
    pub alert: Option<(Direction, Alert)>,
    /// Why there is no plaintext, or not all of it.
    pub not_decrypted: Option<NotDecrypted>,
}

impl Description {
    /// Bytes of memory held beside itself.
    pub fn memory(&self) -> usize {
        let texts = [&self.server_name, &self.alpn, &self.ja4].into_iter().flatten();
        texts.map(String::capacity).sum::<usize>()
            + self.alpn_offered.iter().map(|name| size_of::<String>() + of_block(name.len())).sum::<usize>()
    }
}

/// The description of an alert (RFC 8446 section 6, RFC 5246 section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert(pub u8);

impl Alert {
    /// The connection is closed, or about to be.
    pub const fn is_close(self) -> bool {
        matches!(self.0, 0 | 90)
    }

    /// Its name; `None` where it has none.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "close_notify",
            10 => "unexpected_message",
            20 => "bad_record_mac",
            21 => "decryption_failed",
            22 => "record_overflow",
            30 => "decompression_failure",
            40 => "handshake_failure",
            42 => "bad_certificate",
            43 => "unsupported_certificate",
            44 => "certificate_revoked",
            45 => "certificate_expired",
            46 => "certificate_unknown",
            47 => "illegal_parameter",
            48 => "unknown_ca",
            49 => "access_denied",
            50 => "decode_error",
            51 => "decrypt_error",
            70 => "protocol_version",
            71 => "insufficient_security",
            80 => "internal_error",
            86 => "inappropriate_fallback",
            90 => "user_canceled",
            100 => "no_renegotiation",
            109 => "missing_extension",
            110 => "unsupported_extension",
            112 => "unrecognized_name",
            113 => "bad_certificate_status_response",
            115 => "unknown_psk_identity",
            116 => "certificate_required",
            120 => "no_application_protocol",
            _ => return None,
        })
    }
}

/// Why TLS was not decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDecrypted {
    /// No secrets for this client random, or none that fit a connection that was joined late.
    NoSecrets,
    /// A cipher suite or version that h2lens does not decrypt.
    UnsupportedSuite,
    /// Records that do not authenticate, or holes that could not be bridged.
    Damaged,
    /// TLS 1.2 without its server hello in the capture, whose random its keys are made of.
    ServerHelloMissing,
    /// Joined late, and the search for its secrets and record numbers was given up for a cap.
    SearchBound,
}

impl NotDecrypted {
    /// All reasons, in the order of the counters.
    pub const ALL: [Self; 5] =
        [Self::NoSecrets, Self::UnsupportedSuite, Self::Damaged, Self::ServerHelloMissing, Self::SearchBound];

    /// The names of [`Self::ALL`].
    pub const NAMES: &'static [&'static str] =
        &["no_secrets", "unsupported_suite", "damaged", "server_hello_missing", "search_bound"];

    /// The name in `tls.not_decrypted` and `coverage.not_decrypted`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSecrets => "no_secrets",
            Self::UnsupportedSuite => "unsupported_suite",
            Self::Damaged => "damaged",
            Self::ServerHelloMissing => "server_hello_missing",
            Self::SearchBound => "search_bound",
        }
    }
}
