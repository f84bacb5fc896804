//! Types of handshake messages (IANA TLS `HandshakeType`).

/// RFC 5246 section 7.4.1.1.
pub(crate) const HELLO_REQUEST: u8 = 0;
/// RFC 8446 section 4.1.2.
pub(crate) const CLIENT_HELLO: u8 = 1;
/// RFC 8446 section 4.1.3.
pub(crate) const SERVER_HELLO: u8 = 2;
/// RFC 8446 section 4.5.
pub(crate) const END_OF_EARLY_DATA: u8 = 5;
/// RFC 8446 section 4.3.1.
pub(crate) const ENCRYPTED_EXTENSIONS: u8 = 8;
/// RFC 8446 section 4.4.2.
pub(crate) const CERTIFICATE: u8 = 11;
/// RFC 5246 section 7.4.3.
pub(crate) const SERVER_KEY_EXCHANGE: u8 = 12;
/// RFC 5246 section 7.4.5.
pub(crate) const SERVER_HELLO_DONE: u8 = 14;
/// RFC 5246 section 7.4.7.
pub(crate) const CLIENT_KEY_EXCHANGE: u8 = 16;
/// RFC 8446 section 4.4.4.
pub(crate) const FINISHED: u8 = 20;
/// RFC 8446 section 4.6.3.
pub(crate) const KEY_UPDATE: u8 = 24;
