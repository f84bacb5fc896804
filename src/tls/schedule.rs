//! Key derivation: HKDF-Expand-Label of TLS 1.3 (RFC 8446 section 7.1) and the PRF of TLS 1.2 (RFC 5246
//! section 5).

use super::secret::Secret;
use super::suite::Hash;
use ring::{hkdf, hmac};

struct OutputLen(usize);

impl hkdf::KeyType for OutputLen {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand-Label with an empty context, into `out`, which must be no longer than 255.
pub(crate) fn expand_label(hash: Hash, secret: &[u8], label: &str, out: &mut [u8]) -> Option<()> {
    let algorithm = match hash {
        Hash::Sha256 => hkdf::HKDF_SHA256,
        Hash::Sha384 => hkdf::HKDF_SHA384,
    };
    let len = u8::try_from(out.len()).ok()?;
    let label_len = u8::try_from(label.len() + 6).ok()?;
    let info: [&[u8]; 4] = [&[0, len, label_len], b"tls13 ", label.as_bytes(), &[0]];
    let prk = hkdf::Prk::new_less_safe(algorithm, secret);
    prk.expand(&info, OutputLen(out.len())).ok()?.fill(out).ok()
}

/// The traffic secret of the next generation (RFC 8446 section 7.2).
pub(crate) fn next_traffic_secret(hash: Hash, secret: &Secret) -> Option<Secret> {
    let mut next = Secret::zeros(hash.len())?;
    expand_label(hash, secret.bytes(), "traffic upd", next.bytes_mut())?;
    Some(next)
}

/// The PRF of TLS 1.2: `P_hash` of the secret over label and seeds, into `out`.
pub(crate) fn prf(hash: Hash, secret: &[u8], label: &str, seeds: [&[u8]; 2], out: &mut [u8]) {
    let algorithm = match hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
    };
    let key = hmac::Key::new(algorithm, secret);
    let sign = |previous: Option<&hmac::Tag>, seeded: bool| {
        let mut context = hmac::Context::with_key(&key);
        if let Some(tag) = previous {
            context.update(tag.as_ref());
        }
        if seeded {
            context.update(label.as_bytes());
            for seed in seeds {
                context.update(seed);
            }
        }
        context.sign()
    };
    let mut chained = sign(None, true); // A(1)
    for chunk in out.chunks_mut(hash.len()) {
        let block = sign(Some(&chained), true);
        chunk.iter_mut().zip(block.as_ref()).for_each(|(to, from)| *to = *from);
        chained = sign(Some(&chained), false);
    }
}

/// The master secret from a premaster secret: by the session hash with the extended master secret extension
/// (RFC 7627 section 4), else by the randoms (RFC 5246 section 8.1).
pub(crate) fn master_secret(
    hash: Hash,
    premaster: &[u8],
    client_random: &[u8; 32],
    server_random: &[u8; 32],
    session_hash: Option<&[u8]>,
) -> Option<Secret> {
    let mut master = Secret::zeros(48)?;
    match session_hash {
        Some(transcript) => {
            prf(hash, premaster, "extended master secret", [transcript, &[]], master.bytes_mut());
        }
        None => prf(hash, premaster, "master secret", [client_random, server_random], master.bytes_mut()),
    }
    Some(master)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::hex;

    #[test]
    fn traffic_keys_of_rfc_8448_section_3() {
        let secret = hex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let (mut key, mut iv) = ([0; 16], [0; 12]);
        expand_label(Hash::Sha256, &secret, "key", &mut key).unwrap();
        expand_label(Hash::Sha256, &secret, "iv", &mut iv).unwrap();
        assert_eq!(key[..], hex("3fce516009c21727d0f2e4e86ee403bc"));
        assert_eq!(iv[..], hex("5d313eb2671276ee13000b30"));
    }

    #[test]
    fn prf_test_vectors() {
        // Those that implementations share for P_SHA256 and P_SHA384; compared are the ends.
        for (hash, secret, seed, len, first, last) in [
            (
                Hash::Sha256,
                "9bbe436ba940f017b17652849a71db35",
                "a0ba9f936cda311827a6f796ffd5198c",
                100,
                "e3f229ba727be17b8d122620557cd453",
                "5a5110fff70187347b66",
            ),
            (
                Hash::Sha384,
                "b80b733d6ceefcdc71566ea48e5567df",
                "cd665cf6a8447dd6ff8b27555edb7465",
                148,
                "7b0c18e9ced410ed1804f2cfa34a336a",
                "6854308d5eaa3be85e0990703d73e56f",
            ),
        ] {
            let mut out = vec![0; len];
            prf(hash, &hex(secret), "test label", [&hex(seed), &[]], &mut out);
            assert!(out.starts_with(&hex(first)) && out.ends_with(&hex(last)), "{out:02x?}");
        }
    }
}
