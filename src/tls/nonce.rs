//! The nonce of an AES-GCM record, solved for from its tag (NIST SP 800-38D section 7.1).
//!
//! GCM makes a tag of 128 bits as
//!
//! ```text
//! T = GHASH_H(A, C) xor E_K(J0)      H = E_K(0^128), J0 = nonce(96) || 0^31 || 1
//! ```
//!
//! so that whoever has the key and the record has the nonce: `J0 = D_K(T xor GHASH_H(A, C))`. In TLS 1.3 the nonce is the
//! traffic secret's IV xor the record's number (RFC 8446 section 5.3), and nothing else is needed to read on from any
//! record.
//!
//! How sure is it? Under a wrong key, or of bytes that are no record, J0 is 128 bits without any pattern. Of a right one its
//! last 32 bits are 1, the 32 bits of the nonce above the number are the IV's, and no connection numbers 2^40 records under
//! one key (RFC 8446 section 5.5 allows 2^24.5). That is 88 bits: a wrong secret passes once in 2^88 tries.

use super::record::{APPLICATION_DATA, Header};
use super::schedule::expand_label;
use super::secret::Secret;
use super::suite::{Mode, Suite};
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128Dec, Aes128Enc, Aes256Dec, Aes256Enc, Block};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use zeroize::Zeroizing;

const BLOCK: usize = 16;

/// Record numbers that are believed; see the module.
const NUMBERS: u64 = 1 << 40;

/// Solves for the numbers of records under one traffic secret.
pub(crate) struct NonceSolver {
    aes: Aes,
    /// GHASH under H, nothing hashed yet.
    hash: GHash,
    iv: Zeroizing<[u8; 12]>,
}

enum Aes {
    Aes128(Aes128Dec),
    Aes256(Aes256Dec),
}

/// The key and the IV that a traffic secret makes: the dear part of a solver, and of its size the small one.
pub(crate) struct SolverKeys {
    mode: Mode,
    key: Zeroizing<[u8; 32]>,
    iv: Zeroizing<[u8; 12]>,
}

impl SolverKeys {
    /// Of a traffic secret of TLS 1.3 (RFC 8446 section 7.3); `None` unless the secret fits the suite.
    pub(crate) fn new(suite: Suite, secret: &Secret) -> Option<Self> {
        if !suite.is_tls13() || secret.bytes().len() != suite.hash.len() {
            return None;
        }
        let (mut key, mut iv) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 12]));
        expand_label(suite.hash, secret.bytes(), "key", key.get_mut(..suite.mode.key_len())?)?;
        expand_label(suite.hash, secret.bytes(), "iv", iv.as_mut_slice())?;
        Some(Self { mode: suite.mode, key, iv })
    }

    /// The solver; `None` unless the suite is one of AES-GCM.
    pub(crate) fn solver(&self) -> Option<NonceSolver> {
        NonceSolver::with_key(self.mode, self.key.get(..self.mode.key_len())?, self.iv.clone())
    }
}

impl NonceSolver {
    /// For a traffic secret of TLS 1.3; `None` unless the suite is one of AES-GCM and the secret fits it.
    pub(crate) fn new(suite: Suite, secret: &Secret) -> Option<Self> {
        SolverKeys::new(suite, secret)?.solver()
    }

    fn with_key(mode: Mode, key: &[u8], iv: Zeroizing<[u8; 12]>) -> Option<Self> {
        let mut h = Block::default();
        let aes = match mode {
            Mode::Aes128Gcm => {
                let aes = Aes128Enc::new_from_slice(key).ok()?;
                aes.encrypt_block(&mut h);
                Aes::Aes128(aes.into())
            }
            Mode::Aes256Gcm => {
                let aes = Aes256Enc::new_from_slice(key).ok()?;
                aes.encrypt_block(&mut h);
                Aes::Aes256(aes.into())
            }
            _ => return None,
        };
        Some(Self { aes, hash: GHash::new(&h), iv })
    }

    /// The number of a record that was protected with this secret; `None` when it was not.
    pub(crate) fn number(&self, record: &Sealed) -> Option<u64> {
        let j0 = self.initial_block(record);
        let (nonce, counter) = j0.split_first_chunk::<12>()?;
        if counter != [0, 0, 0, 1] {
            return None;
        }
        let nonce = u128_of(nonce) ^ u128_of(&self.iv);
        u64::try_from(nonce).ok().filter(|&number| number < NUMBERS)
    }

    /// J0 of a record.
    fn initial_block(&self, record: &Sealed) -> Block {
        let mut hash = self.hash.clone();
        hash.update(&record.blocks);
        let mut block = hash.finalize();
        block.iter_mut().zip(&record.tag).for_each(|(byte, tag)| *byte ^= tag);
        match &self.aes {
            Aes::Aes128(aes) => aes.decrypt_block(&mut block),
            Aes::Aes256(aes) => aes.decrypt_block(&mut block),
        }
        block
    }
}

/// A protected record as GHASH takes it, whatever the key: made once, and solved for under each secret.
pub(crate) struct Sealed {
    /// `A || 0* || C || 0* || [len(A)]64 || [len(C)]64` (SP 800-38D section 7.1, step 5).
    blocks: Vec<Block>,
    tag: Block,
}

impl Sealed {
    /// Of `ciphertext || tag`; `None` of what TLS 1.3 does not protect.
    pub(crate) fn new(header: Header, fragment: &[u8]) -> Option<Self> {
        (header.content == APPLICATION_DATA).then(|| Self::of(&header.to_bytes(), fragment))?
    }

    fn of(aad: &[u8], fragment: &[u8]) -> Option<Self> {
        let (ciphertext, &tag) = fragment.split_last_chunk::<BLOCK>()?;
        let bits = |bytes: &[u8]| u128::from(bytes.len() as u64 * 8);
        let lengths = (bits(aad) << 64 | bits(ciphertext)).to_be_bytes();
        let pieces = [aad, ciphertext, &lengths].into_iter().flat_map(|part| part.chunks(BLOCK));
        let mut blocks = Vec::with_capacity(fragment.len() / BLOCK + 4);
        blocks.extend(pieces.map(|piece| {
            let mut block = Block::default();
            block.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
            block
        }));
        Some(Self { blocks, tag: tag.into() })
    }
}

/// 96 bits as a number.
fn u128_of(bytes: &[u8; 12]) -> u128 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u128::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::cipher::Opener;
    use crate::tls::hex;
    use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    /// Test cases 2 to 4 and 14 to 16 of the GCM specification that SP 800-38D grew from: key, IV, additional data,
    /// ciphertext and tag.
    const VECTORS: [[&str; 5]; 6] = [
        [
            "00000000000000000000000000000000",
            "000000000000000000000000",
            "",
            "0388dace60b6a392f328c2b971b2fe78",
            "ab6e47d42cec13bdf53a67b21257bddf",
        ],
        [
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091473f5985",
            "4d5c2af327cd64a62cf35abd2ba6fab4",
        ],
        [
            "feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
            "5bc94fbc3221a5db94fae95ae7121a47",
        ],
        [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "000000000000000000000000",
            "",
            "cea7403d4d606b6e074ec5d3baf39d18",
            "d0d1c8a799996bf0265b98b5d48ab919",
        ],
        [
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
            "b094dac5d93471bdec1a502270e3cc6c",
        ],
        [
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
            "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
            "76fc6ece0f4e1768cddf8853bb2d551b",
        ],
    ];

    #[test]
    fn solves_the_vectors_of_the_specification() {
        for [key, iv, aad, ciphertext, tag] in VECTORS {
            let mode = if key.len() == 32 { Mode::Aes128Gcm } else { Mode::Aes256Gcm };
            let solver = NonceSolver::with_key(mode, &hex(key), Zeroizing::default()).unwrap();
            let j0 =
                solver.initial_block(&Sealed::of(&hex(aad), &hex(&(ciphertext.to_owned() + tag))).unwrap());
            assert_eq!(j0[..], [&hex(iv)[..], &[0, 0, 0, 1]].concat(), "{tag}");
        }
    }

    /// A record under the secret, with that number.
    fn record(suite: Suite, secret: &Secret, number: u64, content: &[u8]) -> (Header, Vec<u8>) {
        let mut key = vec![0; suite.mode.key_len()];
        let mut iv = [0; 12];
        expand_label(suite.hash, secret.bytes(), "key", &mut key).unwrap();
        expand_label(suite.hash, secret.bytes(), "iv", &mut iv).unwrap();
        iv.iter_mut()
            .zip([0; 4].iter().chain(&number.to_be_bytes()))
            .for_each(|(byte, number)| *byte ^= number);
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let header = Header { content: 23, version: 0x0303, len: content.len() as u16 + 17 };
        let mut fragment = [content, &[23]].concat();
        LessSafeKey::new(UnboundKey::new(algorithm, &key).unwrap())
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(iv),
                Aad::from(header.to_bytes()),
                &mut fragment,
            )
            .unwrap();
        (header, fragment)
    }

    #[test]
    fn finds_any_number_and_none_under_another_secret() {
        for (id, len) in [(0x1301, 32), (0x1302, 48)] {
            let suite = Suite::find(id).unwrap();
            let secret = Secret::new(&vec![5; len]).unwrap();
            let solver = NonceSolver::new(suite, &secret).unwrap();
            let other = NonceSolver::new(suite, &Secret::new(&vec![6; len]).unwrap()).unwrap();
            for number in [0, 1, 255, 256, 70_000, NUMBERS - 1, NUMBERS, u64::MAX] {
                for size in [0, 1, 15, 16, 100, 16_384] {
                    let (header, mut fragment) = record(suite, &secret, number, &vec![9; size]);
                    let believed = (number < NUMBERS).then_some(number);
                    let sealed = Sealed::new(header, &fragment).unwrap();
                    assert_eq!(solver.number(&sealed), believed, "{number} {size}");
                    assert_eq!(other.number(&sealed), None);
                    assert!(Sealed::new(Header { content: 22, ..header }, &fragment).is_none());
                    if size > 0 {
                        fragment[0] ^= 1;
                        assert_eq!(solver.number(&Sealed::new(header, &fragment).unwrap()), None, "changed");
                        fragment[0] ^= 1;
                    }
                    let opener = Opener::tls13(suite, &secret).unwrap();
                    assert_eq!(opener.open(number, header, &mut fragment), Some((23, 0..size)));
                }
            }
            for len in 0..40 {
                let sealed = Sealed::new(Header { content: 23, version: 0x0303, len: 1 }, &vec![0; len]);
                assert_eq!(sealed.is_some(), len >= BLOCK);
                assert_eq!(sealed.and_then(|sealed| solver.number(&sealed)), None);
            }
        }
        assert!(NonceSolver::new(Suite::find(0x1303).unwrap(), &Secret::new(&[5; 32]).unwrap()).is_none());
    }

    /// As many pairs of a secret and a record as a large key log and a day of connections make.
    #[test]
    fn no_random_secret_passes() {
        let suite = Suite::find(0x1301).unwrap();
        let mut state = 1_u64;
        let mut random = |len: usize| -> Vec<u8> {
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as u8
            };
            (0..len).map(|_| next()).collect()
        };
        let header = |len| Header { content: 23, version: 0x0303, len: len as u16 };
        let mut record = |n: usize| Sealed::new(header(24 + n % 40), &random(24 + n % 40)).unwrap();
        let records: Vec<_> = (0..1000).map(&mut record).collect();
        for _ in 0..1000 {
            let solver = NonceSolver::new(suite, &Secret::new(&random(32)).unwrap()).unwrap();
            for record in &records {
                assert_eq!(solver.number(record), None);
            }
        }
    }
}
