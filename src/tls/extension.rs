//! Extension numbers of the hello messages (IANA TLS `ExtensionType` Values).

/// RFC 6066 section 3.
pub(crate) const SERVER_NAME: u16 = 0;
/// RFC 8446 section 4.2.3.
pub(crate) const SIGNATURE_ALGORITHMS: u16 = 13;
/// RFC 7301.
pub(crate) const ALPN: u16 = 16;
/// RFC 7366.
pub(crate) const ENCRYPT_THEN_MAC: u16 = 22;
/// RFC 7627.
pub(crate) const EXTENDED_MASTER_SECRET: u16 = 23;
/// RFC 8446 section 4.2.11.
pub(crate) const PRE_SHARED_KEY: u16 = 41;
/// RFC 8446 section 4.2.10.
pub(crate) const EARLY_DATA: u16 = 42;
/// RFC 8446 section 4.2.1.
pub(crate) const SUPPORTED_VERSIONS: u16 = 43;
/// RFC 8446 section 4.2.2.
pub(crate) const COOKIE: u16 = 44;
/// RFC 8446 section 4.2.8.
pub(crate) const KEY_SHARE: u16 = 51;
/// RFC 9849 section 5.
pub(crate) const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
