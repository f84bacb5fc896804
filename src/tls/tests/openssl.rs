//! Connections of openssl, for what rustls does not speak: `testdata/tls`, made by its `make.py`.

use super::connections::cut;
use super::{BOTH, Direction, Event, Output, decrypt};
use crate::base::tls::NotDecrypted;
use std::path::Path;

/// The secrets of a capture, and the payloads of its packets.
fn read(name: &str) -> (String, Vec<(Direction, Event)>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/tls").join(name).with_extension("pcapng");
    let file = std::fs::read(path).unwrap();
    let (mut secrets, mut events, mut rest) = (String::new(), Vec::new(), &file[..]);
    let number = |bytes: &[u8]| u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
    while !rest.is_empty() {
        let (block, after) = rest.split_at(number(&rest[4..]));
        let body = &block[8..block.len() - 4];
        match number(block) {
            10 => secrets = String::from_utf8(body[8..8 + number(&body[4..])].to_vec()).unwrap(),
            6 => {
                let frame = &body[20..20 + number(&body[12..])];
                let from = BOTH[usize::from(frame[34..36] == 443_u16.to_be_bytes())];
                if frame.len() > 54 {
                    events.push((from, Event::Data(frame[54..].to_vec())));
                }
            }
            _ => {}
        }
        rest = after;
    }
    (secrets, events)
}

#[test]
fn what_openssl_speaks() {
    for (name, cipher) in [
        ("tls13-ccm", "TLS_AES_128_CCM_SHA256"),
        ("tls13-ccm8", "TLS_AES_128_CCM_8_SHA256"),
        ("tls13-keyupdate", "TLS_AES_256_GCM_SHA384"),
        ("tls12-ccm", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"),
        ("tls12-ccm-256", "TLS_RSA_WITH_AES_256_CCM"),
        ("tls12-ccm8", "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
        ("tls12-ccm8-256", "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
        ("tls12-cbc-sha1-etm", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
        ("tls12-cbc-sha1-mte", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
        ("tls12-cbc-sha256-etm", "TLS_RSA_WITH_AES_256_CBC_SHA256"),
        ("tls12-cbc-sha256-mte", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
        ("tls12-cbc-sha384-etm", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        ("tls12-cbc-sha384-mte", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        ("tls12-dhe-gcm", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("tls12-rsa-premaster", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        ("tls12-rsa-premaster-no-ems", "TLS_RSA_WITH_AES_256_GCM_SHA384"),
        ("tls12-renegotiation", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    ] {
        let (keys, events) = read(name);
        for events in [cut(&events, &[7]), events] {
            check(name, cipher, &decrypt(&events, &keys));
        }
    }
}

fn check(name: &str, cipher: &str, output: &Output) {
    let (request, response) = (&output.data.forward, &output.data.backward);
    assert!(request.starts_with(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04"), "{name}");
    assert!(request.ends_with(b"\x82\x87\x84\x41\x09a.example"), "{name}");
    assert!(response.ends_with(b"\0\0\x0c\0\x01\0\0\0\x01hello world\n"), "{name}");
    assert_eq!((request.len(), response.len()), (56, 49), "{name}");
    assert_eq!((output.gaps.forward.len(), output.gaps.backward.len()), (0, 0), "{name}");
    assert_eq!(output.description.cipher, Some(cipher));
    assert_eq!(output.description.not_decrypted, None, "{name}");
    assert_eq!(output.counters.records_failed, 0, "{name}");
}

#[test]
fn a_renegotiation_without_its_secrets_ends_the_plaintext() {
    let (keys, events) = read("tls12-renegotiation");
    let first = keys.split_inclusive('\n').next().unwrap();
    let output = decrypt(&events, first);
    assert_eq!(output.data.forward.len(), 33);
    assert_eq!(output.gaps.forward, [(33, None)]);
    assert_eq!(output.description.not_decrypted, Some(NotDecrypted::NoSecrets));
}
