//! The JA4 fingerprint of a client hello over TCP (`FoxIO`, JA4 technical details).
//!
//! `t` version, `d`/`i` (server name or not), number of suites, number of extensions, ends of the first ALPN
//! `_` hash of the sorted suites `_` hash of the sorted extensions (without server name and ALPN) and of the
//! signature algorithms in their order. Reserved values (RFC 8701) are ignored everywhere.

use super::extension;
use ring::digest::{SHA256, digest};
use std::fmt::Write;

/// Versions, suites, extensions and the like that the JA4 fingerprint is made of, in the order of the hello.
#[derive(Default)]
pub(crate) struct Offer<'a> {
    /// The version field of the message.
    pub(crate) legacy_version: u16,
    /// Those of the extension `supported_versions`.
    pub(crate) versions: Vec<u16>,
    /// Cipher suites.
    pub(crate) suites: Vec<u16>,
    /// Numbers of all extensions.
    pub(crate) extensions: Vec<u16>,
    /// Those of the extension `signature_algorithms`.
    pub(crate) signature_algorithms: Vec<u16>,
    /// The first protocol of ALPN.
    pub(crate) first_alpn: Option<&'a [u8]>,
}

/// The fingerprint; `offer` comes without reserved values.
pub(crate) fn fingerprint(offer: &Offer<'_>) -> String {
    let version = offer.versions.iter().copied().max().unwrap_or(offer.legacy_version);
    let version = match version {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        _ => "00",
    };
    let server_name = if offer.extensions.contains(&extension::SERVER_NAME) { 'd' } else { 'i' };
    let (first, last) = offer.first_alpn.map_or(('0', '0'), alpn_ends);

    let mut suites = offer.suites.clone();
    suites.sort_unstable();
    let mut extensions = offer.extensions.clone();
    extensions.retain(|&number| number != extension::SERVER_NAME && number != extension::ALPN);
    extensions.sort_unstable();
    let mut hashed = hex_list(&extensions);
    if !hashed.is_empty() && !offer.signature_algorithms.is_empty() {
        hashed = hashed + "_" + &hex_list(&offer.signature_algorithms);
    }
    format!(
        "t{version}{server_name}{:02}{:02}{first}{last}_{}_{}",
        offer.suites.len().min(99),
        offer.extensions.len().min(99),
        short_hash(&hex_list(&suites)),
        short_hash(&hashed),
    )
}

/// First and last character of a protocol name, those of its hexadecimal form when either is not alphanumeric.
fn alpn_ends(name: &[u8]) -> (char, char) {
    let (Some(&first), Some(&last)) = (name.first(), name.last()) else { return ('0', '0') };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        return (char::from(first), char::from(last));
    }
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    (digit(first >> 4), digit(last & 15))
}

fn hex_list(values: &[u16]) -> String {
    let mut text = String::with_capacity(values.len() * 5);
    for (n, value) in values.iter().enumerate() {
        let comma = if n == 0 { "" } else { "," };
        let _ = write!(text, "{comma}{value:04x}"); // writing to a String does not fail
    }
    text
}

/// First 12 hexadecimal digits of the SHA-256; zeros for nothing.
fn short_hash(text: &str) -> String {
    if text.is_empty() {
        return "000000000000".to_owned();
    }
    let mut out = String::with_capacity(12);
    for byte in digest(&SHA256, text.as_bytes()).as_ref().iter().take(6) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let list =
            |text: &str| text.split(',').map(|n| u16::from_str_radix(n, 16).unwrap()).collect::<Vec<_>>();
        let offer = Offer {
            legacy_version: 0x0303,
            versions: vec![0x0303, 0x0304],
            suites: list("1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"),
            extensions: list(
                "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015",
            ),
            signature_algorithms: list("0403,0804,0401,0503,0805,0501,0806,0601"),
            first_alpn: Some(b"h2"),
        };
        assert_eq!(fingerprint(&offer), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        assert_eq!(fingerprint(&Offer::default()), "t00i000000_000000000000_000000000000");
    }

    #[test]
    fn ends_of_the_protocol_name() {
        for (name, ends) in [
            (&b"h2"[..], ('h', '2')),
            (b"http/1.1", ('h', '1')),
            (b"h", ('h', 'h')),
            (b"", ('0', '0')),
            (&[0xab], ('a', 'b')),
            (&[0xab, 0xcd], ('a', 'd')),
            (&[0x30, 0xab], ('3', 'b')),
            (&[0x30, 0x31, 0xab, 0xcd], ('3', 'd')),
            (&[0x30, 0xab, 0xcd, 0x31], ('0', '1')),
        ] {
            assert_eq!(alpn_ends(name), ends, "{name:?}");
        }
    }
}
