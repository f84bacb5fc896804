//! Cipher suites: IANA names, and what their records are protected with.

/// The hash of a suite's key derivation: HKDF in TLS 1.3, the PRF in TLS 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// SHA-256, the default of TLS 1.2.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl Hash {
    /// Bytes of output, which is the length of a TLS 1.3 secret.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// The HMAC of a CBC suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mac {
    /// HMAC-SHA-1.
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-384.
    Sha384,
}

impl Mac {
    /// Bytes of key and of output (RFC 5246 appendix C).
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// How a suite protects records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// RFC 5288, RFC 8446.
    Aes128Gcm,
    /// RFC 5288, RFC 8446.
    Aes256Gcm,
    /// RFC 7905, RFC 8446.
    ChaCha20Poly1305,
    /// RFC 6655, RFC 8446; tag of 16 bytes.
    Aes128Ccm,
    /// RFC 6655; tag of 16 bytes.
    Aes256Ccm,
    /// RFC 6655, RFC 8446; tag of 8 bytes.
    Aes128Ccm8,
    /// RFC 6655; tag of 8 bytes.
    Aes256Ccm8,
    /// RFC 5246 section 6.2.3.2.
    Aes128Cbc(Mac),
    /// RFC 5246 section 6.2.3.2.
    Aes256Cbc(Mac),
    /// Named, but not decrypted.
    Unsupported,
}

/// A cipher suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suite {
    /// Its number on the wire.
    pub(crate) id: u16,
    /// Its IANA name.
    pub(crate) name: &'static str,
    /// How it protects records.
    pub(crate) mode: Mode,
    /// The hash of its key derivation.
    pub(crate) hash: Hash,
}

impl Suite {
    /// The suite of that number, when the table has it.
    pub(crate) fn find(id: u16) -> Option<Self> {
        let row = TABLE.binary_search_by_key(&id, |row| row.0).ok()?;
        let &(id, name, mode, hash) = TABLE.get(row)?;
        Some(Self { id, name, mode, hash })
    }

    /// Whether it is one of TLS 1.3 (RFC 8446 appendix B.4), which are used with no other version.
    pub(crate) const fn is_tls13(self) -> bool {
        self.id >> 8 == 0x13
    }
}

impl Suite {
    /// Whether it is one of TLS 1.3 with AES-GCM.
    pub(crate) const fn is_gcm13(self) -> bool {
        matches!(self.id, 0x1301 | 0x1302)
    }

    /// The suite of TLS 1.3 with AES-GCM whose secrets have so many bytes.
    pub(crate) fn gcm13(secret_len: usize) -> Option<Self> {
        match secret_len {
            32 => Self::find(0x1301),
            48 => Self::find(0x1302),
            _ => None,
        }
    }
}

/// The suites of TLS 1.3.
pub(crate) const TLS13: [u16; 5] = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305];

use Hash::{Sha256, Sha384};
use Mode::{
    Aes128Cbc, Aes128Ccm, Aes128Ccm8, Aes128Gcm, Aes256Cbc, Aes256Ccm, Aes256Ccm8, Aes256Gcm,
    ChaCha20Poly1305, Unsupported,
};

/// Number, IANA name, protection and hash, by number (IANA TLS Cipher Suites registry: those in use).
#[rustfmt::skip]
const TABLE: &[(u16, &str, Mode, Hash)] = &[
    (0x0001, "TLS_RSA_WITH_NULL_MD5", Unsupported, Sha256),
    (0x0002, "TLS_RSA_WITH_NULL_SHA", Unsupported, Sha256),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5", Unsupported, Sha256),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA", Unsupported, Sha256),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", Unsupported, Sha256),
    (0x0013, "TLS_DHE_DSS_WITH_3DES_EDE_CBC_SHA", Unsupported, Sha256),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA", Unsupported, Sha256),
    (0x002c, "TLS_PSK_WITH_NULL_SHA", Unsupported, Sha256),
    (0x002d, "TLS_DHE_PSK_WITH_NULL_SHA", Unsupported, Sha256),
    (0x002e, "TLS_RSA_PSK_WITH_NULL_SHA", Unsupported, Sha256),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0x003b, "TLS_RSA_WITH_NULL_SHA256", Unsupported, Sha256),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256", Aes256Cbc(Mac::Sha256), Sha256),
    (0x0040, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA", Unsupported, Sha256),
    (0x0044, "TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA", Unsupported, Sha256),
    (0x0045, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA", Unsupported, Sha256),
    (0x0046, "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA", Unsupported, Sha256),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0x006a, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA256", Aes256Cbc(Mac::Sha256), Sha256),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", Aes256Cbc(Mac::Sha256), Sha256),
    (0x006c, "TLS_DH_anon_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0x006d, "TLS_DH_anon_WITH_AES_256_CBC_SHA256", Aes256Cbc(Mac::Sha256), Sha256),
    (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA", Unsupported, Sha256),
    (0x0087, "TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA", Unsupported, Sha256),
    (0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA", Unsupported, Sha256),
    (0x0089, "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA", Unsupported, Sha256),
    (0x008c, "TLS_PSK_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0x008d, "TLS_PSK_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0x0090, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0x0091, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0x0094, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0x0095, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x00a0, "TLS_DH_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x00a1, "TLS_DH_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x00a2, "TLS_DHE_DSS_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x00a3, "TLS_DHE_DSS_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x00a6, "TLS_DH_anon_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x00a7, "TLS_DH_anon_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x00a8, "TLS_PSK_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x00a9, "TLS_PSK_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x00aa, "TLS_DHE_PSK_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x00ab, "TLS_DHE_PSK_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x00ac, "TLS_RSA_PSK_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x00ad, "TLS_RSA_PSK_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x00ae, "TLS_PSK_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0x00af, "TLS_PSK_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0x00b0, "TLS_PSK_WITH_NULL_SHA256", Unsupported, Sha256),
    (0x00b1, "TLS_PSK_WITH_NULL_SHA384", Unsupported, Sha384),
    (0x00b2, "TLS_DHE_PSK_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0x00b3, "TLS_DHE_PSK_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0x00b4, "TLS_DHE_PSK_WITH_NULL_SHA256", Unsupported, Sha256),
    (0x00b5, "TLS_DHE_PSK_WITH_NULL_SHA384", Unsupported, Sha384),
    (0x00b6, "TLS_RSA_PSK_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0x00b7, "TLS_RSA_PSK_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0x00b8, "TLS_RSA_PSK_WITH_NULL_SHA256", Unsupported, Sha256),
    (0x00b9, "TLS_RSA_PSK_WITH_NULL_SHA384", Unsupported, Sha384),
    (0x00ba, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0x00bd, "TLS_DHE_DSS_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0x00be, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0x00bf, "TLS_DH_anon_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0x00c0, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA256", Unsupported, Sha256),
    (0x00c3, "TLS_DHE_DSS_WITH_CAMELLIA_256_CBC_SHA256", Unsupported, Sha256),
    (0x00c4, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA256", Unsupported, Sha256),
    (0x00c5, "TLS_DH_anon_WITH_CAMELLIA_256_CBC_SHA256", Unsupported, Sha256),
    (0x1301, "TLS_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0x1302, "TLS_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0x1304, "TLS_AES_128_CCM_SHA256", Aes128Ccm, Sha256),
    (0x1305, "TLS_AES_128_CCM_8_SHA256", Aes128Ccm8, Sha256),
    (0xc004, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc005, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc006, "TLS_ECDHE_ECDSA_WITH_NULL_SHA", Unsupported, Sha256),
    (0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA", Unsupported, Sha256),
    (0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA", Unsupported, Sha256),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc00e, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc00f, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc010, "TLS_ECDHE_RSA_WITH_NULL_SHA", Unsupported, Sha256),
    (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA", Unsupported, Sha256),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", Unsupported, Sha256),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc015, "TLS_ECDH_anon_WITH_NULL_SHA", Unsupported, Sha256),
    (0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc019, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc01d, "TLS_SRP_SHA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc01e, "TLS_SRP_SHA_RSA_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc01f, "TLS_SRP_SHA_DSS_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc020, "TLS_SRP_SHA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc021, "TLS_SRP_SHA_RSA_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc022, "TLS_SRP_SHA_DSS_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0xc025, "TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0xc026, "TLS_ECDH_ECDSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0xc029, "TLS_ECDH_RSA_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0xc02a, "TLS_ECDH_RSA_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0xc02d, "TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0xc02e, "TLS_ECDH_ECDSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0xc031, "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0xc032, "TLS_ECDH_RSA_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
    (0xc035, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA", Aes128Cbc(Mac::Sha1), Sha256),
    (0xc036, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA", Aes256Cbc(Mac::Sha1), Sha256),
    (0xc037, "TLS_ECDHE_PSK_WITH_AES_128_CBC_SHA256", Aes128Cbc(Mac::Sha256), Sha256),
    (0xc038, "TLS_ECDHE_PSK_WITH_AES_256_CBC_SHA384", Aes256Cbc(Mac::Sha384), Sha384),
    (0xc039, "TLS_ECDHE_PSK_WITH_NULL_SHA", Unsupported, Sha256),
    (0xc03a, "TLS_ECDHE_PSK_WITH_NULL_SHA256", Unsupported, Sha256),
    (0xc03b, "TLS_ECDHE_PSK_WITH_NULL_SHA384", Unsupported, Sha384),
    (0xc050, "TLS_RSA_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc051, "TLS_RSA_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc052, "TLS_DHE_RSA_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc053, "TLS_DHE_RSA_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc056, "TLS_DHE_DSS_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc057, "TLS_DHE_DSS_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc05c, "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc05d, "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc060, "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc061, "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc06a, "TLS_PSK_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc06b, "TLS_PSK_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc06c, "TLS_DHE_PSK_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc06d, "TLS_DHE_PSK_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc06e, "TLS_RSA_PSK_WITH_ARIA_128_GCM_SHA256", Unsupported, Sha256),
    (0xc06f, "TLS_RSA_PSK_WITH_ARIA_256_GCM_SHA384", Unsupported, Sha384),
    (0xc072, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0xc073, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_256_CBC_SHA384", Unsupported, Sha384),
    (0xc076, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0xc077, "TLS_ECDHE_RSA_WITH_CAMELLIA_256_CBC_SHA384", Unsupported, Sha384),
    (0xc094, "TLS_PSK_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0xc095, "TLS_PSK_WITH_CAMELLIA_256_CBC_SHA384", Unsupported, Sha384),
    (0xc096, "TLS_DHE_PSK_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0xc097, "TLS_DHE_PSK_WITH_CAMELLIA_256_CBC_SHA384", Unsupported, Sha384),
    (0xc098, "TLS_RSA_PSK_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0xc099, "TLS_RSA_PSK_WITH_CAMELLIA_256_CBC_SHA384", Unsupported, Sha384),
    (0xc09a, "TLS_ECDHE_PSK_WITH_CAMELLIA_128_CBC_SHA256", Unsupported, Sha256),
    (0xc09b, "TLS_ECDHE_PSK_WITH_CAMELLIA_256_CBC_SHA384", Unsupported, Sha384),
    (0xc09c, "TLS_RSA_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    (0xc09d, "TLS_RSA_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    (0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    (0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    (0xc0a0, "TLS_RSA_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    (0xc0a1, "TLS_RSA_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    (0xc0a2, "TLS_DHE_RSA_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    (0xc0a3, "TLS_DHE_RSA_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    (0xc0a4, "TLS_PSK_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    (0xc0a5, "TLS_PSK_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    (0xc0a6, "TLS_DHE_PSK_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    (0xc0a7, "TLS_DHE_PSK_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    (0xc0a8, "TLS_PSK_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    (0xc0a9, "TLS_PSK_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    (0xc0aa, "TLS_PSK_DHE_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    (0xc0ab, "TLS_PSK_DHE_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    (0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", Aes128Ccm, Sha256),
    (0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", Aes256Ccm, Sha256),
    (0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8", Aes128Ccm8, Sha256),
    (0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8", Aes256Ccm8, Sha256),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0xccab, "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0xccac, "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0xccad, "TLS_DHE_PSK_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0xccae, "TLS_RSA_PSK_WITH_CHACHA20_POLY1305_SHA256", ChaCha20Poly1305, Sha256),
    (0xd001, "TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256", Aes128Gcm, Sha256),
    (0xd002, "TLS_ECDHE_PSK_WITH_AES_256_GCM_SHA384", Aes256Gcm, Sha384),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_agrees_with_its_names() {
        assert!(TABLE.is_sorted_by_key(|row| row.0));
        for &(id, name, mode, hash) in TABLE {
            assert_eq!(Suite::find(id).map(|suite| suite.name), Some(name));
            assert_eq!(hash == Sha384, name.ends_with("SHA384"), "{name}");
            let aes = name.contains("_AES_") || name.contains("CHACHA");
            assert_eq!(mode != Unsupported, aes, "{name}");
        }
        assert_eq!(Suite::find(0x0a0a), None);
        for id in TLS13 {
            assert!(Suite::find(id).is_some_and(Suite::is_tls13));
        }
    }
}
