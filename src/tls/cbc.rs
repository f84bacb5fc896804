//! AES-CBC with HMAC, as TLS 1.2 uses it (RFC 5246 section 6.2.3.2), and encrypt-then-MAC (RFC 7366).
//!
//! ```text
//! MAC-then-encrypt:  IV(16) | E( content | MAC | padding | padding length(1) )
//! encrypt-then-MAC:  IV(16) | E( content | padding | padding length(1) ) | MAC
//! ```

use super::record::Header;
use super::suite::Mac;
use aes::cipher::{Array, BlockModeDecrypt, InnerIvInit, KeyInit, consts::U16};
use aes::{Aes128, Aes256};
use cbc::Decryptor;
use ring::hmac;
use std::ops::Range;

const BLOCK: usize = 16;

/// The keys of one direction.
pub(super) struct Cbc {
    cipher: Cipher,
    mac: hmac::Key,
    mac_len: usize,
    encrypt_then_mac: bool,
}

enum Cipher {
    Aes128(Aes128),
    Aes256(Aes256),
}

impl Cbc {
    /// From cipher key and MAC key; `None` when the cipher key is of no AES length.
    pub(super) fn new(key: &[u8], mac: Mac, mac_key: &[u8], encrypt_then_mac: bool) -> Option<Self> {
        let cipher = match key.len() {
            16 => Cipher::Aes128(Aes128::new_from_slice(key).ok()?),
            32 => Cipher::Aes256(Aes256::new_from_slice(key).ok()?),
            _ => return None,
        };
        let algorithm = match mac {
            Mac::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Mac::Sha256 => hmac::HMAC_SHA256,
            Mac::Sha384 => hmac::HMAC_SHA384,
        };
        Some(Self { cipher, mac: hmac::Key::new(algorithm, mac_key), mac_len: mac.len(), encrypt_then_mac })
    }

    /// As [`super::cipher::Opener::open`].
    pub(super) fn open(&self, seq: u64, header: Header, fragment: &mut [u8]) -> Option<Range<usize>> {
        if self.encrypt_then_mac {
            let (sealed, tag) = fragment.split_at_mut_checked(fragment.len().checked_sub(self.mac_len)?)?;
            self.authentic(seq, header, sealed, tag).then_some(())?;
            let padded = self.decrypt(sealed)?;
            let content = unpadded(padded)?;
            return Some(BLOCK..BLOCK + content);
        }
        let padded = self.decrypt(fragment)?;
        let content = unpadded(padded)?.checked_sub(self.mac_len)?;
        let (content, rest) = padded.split_at_checked(content)?;
        let tag = rest.get(..self.mac_len)?;
        self.authentic(seq, header, content, tag).then_some(BLOCK..BLOCK + content.len())
    }

    fn authentic(&self, seq: u64, header: Header, bytes: &[u8], tag: &[u8]) -> bool {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(&header.additional_data(seq, bytes.len()));
        context.update(bytes);
        context.sign().as_ref() == tag
    }

    /// Decrypts what follows the IV, in place.
    fn decrypt<'a>(&self, fragment: &'a mut [u8]) -> Option<&'a [u8]> {
        let (iv, sealed) = fragment.split_first_chunk_mut::<BLOCK>()?;
        let (blocks, []) = Array::<u8, U16>::slice_as_chunks_mut(sealed) else { return None };
        let iv = Array::from(*iv);
        match &self.cipher {
            Cipher::Aes128(aes) => Decryptor::inner_iv_init(aes.clone(), &iv).decrypt_blocks(blocks),
            Cipher::Aes256(aes) => Decryptor::inner_iv_init(aes.clone(), &iv).decrypt_blocks(blocks),
        }
        Some(sealed)
    }
}

/// Bytes before the padding, which must all say its length.
fn unpadded(padded: &[u8]) -> Option<usize> {
    let length = *padded.last()?;
    let end = padded.len().checked_sub(usize::from(length) + 1)?;
    padded.get(end..)?.iter().all(|&byte| byte == length).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aes::cipher::BlockModeEncrypt;

    const HEADER: Header = Header { content: 23, version: 0x0303, len: 0 };

    fn seal(content: &[u8], mac: Mac, etm: bool, padding: u8) -> (Cbc, Vec<u8>) {
        let keys = Cbc::new(&[1; 32], mac, &vec![2; mac.len()], etm).unwrap();
        let sign = |bytes: &[u8]| {
            let data = [&HEADER.additional_data(5, bytes.len())[..], bytes].concat();
            hmac::sign(&keys.mac, &data).as_ref().to_vec()
        };
        let mut padded = content.to_vec();
        if !etm {
            padded.extend(sign(content));
        }
        let blocks =
            (padded.len() + 1).div_ceil(BLOCK) * BLOCK - padded.len() - 1 + usize::from(padding) * BLOCK;
        padded.extend(std::iter::repeat_n(blocks as u8, blocks + 1));
        let iv = [3; BLOCK];
        let mut encryptor = cbc::Encryptor::inner_iv_init(Aes256::new(&[1; 32].into()), &iv.into());
        encryptor.encrypt_blocks(Array::<u8, U16>::slice_as_chunks_mut(&mut padded).0);
        let mut fragment = [&iv[..], &padded].concat();
        if etm {
            fragment.extend(sign(&fragment));
        }
        (keys, fragment)
    }

    #[test]
    fn opens_what_was_sealed_and_nothing_else() {
        for mac in [Mac::Sha1, Mac::Sha256, Mac::Sha384] {
            for etm in [false, true] {
                for (len, padding) in [(0, 0), (1, 0), (15, 3), (16, 0), (300, 14)] {
                    let content: Vec<u8> = (0..len).map(|n| n as u8).collect();
                    let (keys, fragment) = seal(&content, mac, etm, padding);
                    let mut copy = fragment.clone();
                    let range = keys.open(5, HEADER, &mut copy).unwrap();
                    assert_eq!(copy[range], content[..]);
                    assert_eq!(keys.open(6, HEADER, &mut fragment.clone()), None);
                    for at in [0, 17, fragment.len() - 1] {
                        let mut bad = fragment.clone();
                        bad[at] ^= 1;
                        // Of MAC-then-encrypt the IV and the padding are checked through their plaintext alone.
                        assert_eq!(keys.open(5, HEADER, &mut bad), None, "{mac:?} {etm} {len} {at}");
                    }
                    for cut in 0..fragment.len() {
                        keys.open(5, HEADER, &mut fragment[..cut].to_vec());
                    }
                }
            }
        }
    }
}
