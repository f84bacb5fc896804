//! Opening protected records: the AEADs of TLS 1.3 and 1.2. CBC stands in its own file.

use super::cbc::Cbc;
use super::record::{APPLICATION_DATA, Header};
use super::schedule::{expand_label, prf};
use super::secret::Secret;
use super::suite::{Mode, Suite};
use aes::{Aes128, Aes256};
use ccm::Ccm;
use ccm::aead::{AeadInOut, KeyInit};
use ccm::consts::{U8, U12, U16};
use ring::aead::{self, LessSafeKey, UnboundKey};
use std::ops::Range;
use zeroize::Zeroizing;

/// Opens the records of one direction under one key.
pub(crate) struct Opener {
    key: Key,
    /// The nonce's fixed part: all of it in TLS 1.3 and for ChaCha20-Poly1305, else its first 4 bytes.
    iv: Zeroizing<[u8; 12]>,
    nonce: Nonce,
}

/// How a record's nonce and additional data are made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nonce {
    /// RFC 8446 sections 5.2 and 5.3: nonce from the sequence number; the header is authenticated.
    Tls13,
    /// RFC 7905: nonce from the sequence number.
    Implicit,
    /// RFC 5288 section 3: 8 bytes of nonce before the ciphertext.
    Explicit,
}

enum Key {
    Ring(RingKey),
    Ccm128(Ccm<Aes128, U16, U12>),
    Ccm256(Ccm<Aes256, U16, U12>),
    Ccm8of128(Ccm<Aes128, U8, U12>),
    Ccm8of256(Ccm<Aes256, U8, U12>),
    Cbc(Cbc),
}

/// ring wipes nothing, so its key is overwritten with another one when it is dropped.
struct RingKey(LessSafeKey);

impl RingKey {
    fn new(algorithm: &'static aead::Algorithm, key: &[u8]) -> Option<Self> {
        UnboundKey::new(algorithm, key).ok().map(|key| Self(LessSafeKey::new(key)))
    }
}

impl Drop for RingKey {
    fn drop(&mut self) {
        let algorithm = self.0.algorithm();
        if let Some(zeros) = [0; 32].get(..algorithm.key_len())
            && let Ok(key) = UnboundKey::new(algorithm, zeros)
        {
            self.0 = LessSafeKey::new(key);
            std::hint::black_box(&self.0);
        }
    }
}

impl Mode {
    /// Bytes of cipher key; 0 for what is not decrypted.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::Aes128Gcm | Self::Aes128Ccm | Self::Aes128Ccm8 | Self::Aes128Cbc(_) => 16,
            Self::Aes256Gcm
            | Self::ChaCha20Poly1305
            | Self::Aes256Ccm
            | Self::Aes256Ccm8
            | Self::Aes256Cbc(_) => 32,
            Self::Unsupported => 0,
        }
    }

    /// Bytes of AEAD tag; of CBC that of its MAC.
    pub(crate) const fn tag_len(self) -> usize {
        match self {
            Self::Aes128Ccm8 | Self::Aes256Ccm8 => 8,
            Self::Aes128Cbc(mac) | Self::Aes256Cbc(mac) => mac.len(),
            _ => 16,
        }
    }

    /// Bytes of a TLS 1.2 record's fragment beyond its content; `None` for CBC, where padding varies.
    pub(crate) const fn overhead12(self) -> Option<usize> {
        match self {
            Self::Aes128Cbc(_) | Self::Aes256Cbc(_) | Self::Unsupported => None,
            Self::ChaCha20Poly1305 => Some(16),
            _ => Some(8 + self.tag_len()),
        }
    }

    fn key(self, key: &[u8]) -> Option<Key> {
        Some(match self {
            Self::Aes128Gcm => Key::Ring(RingKey::new(&aead::AES_128_GCM, key)?),
            Self::Aes256Gcm => Key::Ring(RingKey::new(&aead::AES_256_GCM, key)?),
            Self::ChaCha20Poly1305 => Key::Ring(RingKey::new(&aead::CHACHA20_POLY1305, key)?),
            Self::Aes128Ccm => Key::Ccm128(Ccm::new_from_slice(key).ok()?),
            Self::Aes256Ccm => Key::Ccm256(Ccm::new_from_slice(key).ok()?),
            Self::Aes128Ccm8 => Key::Ccm8of128(Ccm::new_from_slice(key).ok()?),
            Self::Aes256Ccm8 => Key::Ccm8of256(Ccm::new_from_slice(key).ok()?),
            Self::Aes128Cbc(_) | Self::Aes256Cbc(_) | Self::Unsupported => return None,
        })
    }
}

/// Which half of the key block (RFC 5246 section 6.3) is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// What the client protects.
    Client,
    /// What the server protects.
    Server,
}

impl Opener {
    /// For records under a TLS 1.3 traffic secret (RFC 8446 section 7.3). `None` when suite and secret do not fit.
    pub(crate) fn tls13(suite: Suite, secret: &Secret) -> Option<Self> {
        if !suite.is_tls13() || secret.bytes().len() != suite.hash.len() {
            return None;
        }
        let mut key = Zeroizing::new([0; 32]);
        let key = key.get_mut(..suite.mode.key_len())?;
        let mut iv = Zeroizing::new([0; 12]);
        expand_label(suite.hash, secret.bytes(), "key", key)?;
        expand_label(suite.hash, secret.bytes(), "iv", iv.as_mut_slice())?;
        Some(Self { key: suite.mode.key(key)?, iv, nonce: Nonce::Tls13 })
    }

    /// For records under a TLS 1.2 master secret, by `writer`; `etm` is encrypt-then-MAC (RFC 7366), of meaning
    /// for CBC only. `None` for a suite that is not decrypted.
    pub(crate) fn tls12(
        suite: Suite,
        master: &Secret,
        client_random: &[u8; 32],
        server_random: &[u8; 32],
        writer: Writer,
        etm: bool,
    ) -> Option<Self> {
        let (mac_len, iv_len) = match suite.mode {
            Mode::Unsupported => return None,
            Mode::Aes128Cbc(mac) | Mode::Aes256Cbc(mac) => (mac.len(), 0),
            Mode::ChaCha20Poly1305 => (0, 12),
            _ => (0, 4),
        };
        let key_len = suite.mode.key_len();
        let mut block = Zeroizing::new([0; 2 * (48 + 32 + 12)]);
        let block = block.get_mut(..2 * (mac_len + key_len + iv_len))?;
        prf(suite.hash, master.bytes(), "key expansion", [server_random, client_random], block);
        let half = |start: usize, len: usize| {
            let start = if writer == Writer::Client { start } else { start + len };
            block.get(start..start + len)
        };
        let key = half(2 * mac_len, key_len)?;
        let mut iv = Zeroizing::new([0; 12]);
        iv.iter_mut().zip(half(2 * (mac_len + key_len), iv_len)?).for_each(|(to, from)| *to = *from);
        let key = match suite.mode {
            Mode::Aes128Cbc(mac) | Mode::Aes256Cbc(mac) => {
                Key::Cbc(Cbc::new(key, mac, half(0, mac_len)?, etm)?)
            }
            mode => mode.key(key)?,
        };
        let nonce = if suite.mode == Mode::ChaCha20Poly1305 { Nonce::Implicit } else { Nonce::Explicit };
        Some(Self { key, iv, nonce })
    }

    /// Bytes of its tags.
    pub(crate) fn tag_len(&self) -> usize {
        self.key.tag_len()
    }

    /// Opens the record of that sequence number in place: its content type and where in `fragment` its content
    /// is. `None` when it does not authenticate; `fragment` is then of no more use.
    pub(crate) fn open(&self, seq: u64, header: Header, fragment: &mut [u8]) -> Option<(u8, Range<usize>)> {
        if let Key::Cbc(cbc) = &self.key {
            return cbc.open(seq, header, fragment).map(|content| (header.content, content));
        }
        let mut nonce = *self.iv;
        let start = if self.nonce == Nonce::Explicit {
            nonce.last_chunk_mut::<8>()?.copy_from_slice(fragment.first_chunk::<8>()?);
            8
        } else {
            let tail = nonce.last_chunk_mut::<8>()?;
            *tail = (u64::from_be_bytes(*tail) ^ seq).to_be_bytes();
            0
        };
        let sealed = fragment.get_mut(start..)?;
        let mut aad = [0; 13];
        let aad = if self.nonce == Nonce::Tls13 {
            if header.content != APPLICATION_DATA {
                return None;
            }
            let aad = aad.get_mut(..5)?;
            aad.copy_from_slice(&header.to_bytes());
            aad
        } else {
            let content_len = sealed.len().checked_sub(self.key.tag_len())?;
            aad = header.additional_data(seq, content_len);
            &aad[..]
        };
        let len = self.key.open(nonce, aad, sealed)?;
        if self.nonce != Nonce::Tls13 {
            return Some((header.content, start..start + len));
        }
        // TLSInnerPlaintext: content, its type, zeros (RFC 8446 section 5.2).
        let inner = sealed.get(..len)?;
        let end = inner.iter().rposition(|&byte| byte != 0)?;
        Some((*inner.get(end)?, 0..end))
    }
}

impl Key {
    fn tag_len(&self) -> usize {
        if matches!(self, Self::Ccm8of128(_) | Self::Ccm8of256(_)) { 8 } else { 16 }
    }

    /// Decrypts in place; bytes of plaintext.
    fn open(&self, nonce: [u8; 12], aad: &[u8], sealed: &mut [u8]) -> Option<usize> {
        match self {
            Self::Ring(key) => {
                let nonce = aead::Nonce::assume_unique_for_key(nonce);
                key.0.open_in_place(nonce, aead::Aad::from(aad), sealed).ok().map(|plain| plain.len())
            }
            Self::Ccm128(key) => open_ccm(key, nonce, aad, sealed),
            Self::Ccm256(key) => open_ccm(key, nonce, aad, sealed),
            Self::Ccm8of128(key) => open_ccm(key, nonce, aad, sealed),
            Self::Ccm8of256(key) => open_ccm(key, nonce, aad, sealed),
            Self::Cbc(_) => None,
        }
    }
}

fn open_ccm<C>(key: &C, nonce: [u8; 12], aad: &[u8], sealed: &mut [u8]) -> Option<usize>
where
    C: AeadInOut<NonceSize = U12>,
{
    let (plain, tag) = sealed.split_at_mut_checked(
        sealed.len().checked_sub(<C::TagSize as ccm::aead::array::typenum::Unsigned>::USIZE)?,
    )?;
    let tag = ccm::aead::Tag::<C>::try_from(&*tag).ok()?;
    key.decrypt_inout_detached(&nonce.into(), aad, (&mut *plain).into(), &tag).ok()?;
    Some(plain.len())
}
