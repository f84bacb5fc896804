//! Values that are known by their looks.

use std::net::IpAddr;

/// Digits that a hexadecimal number has at least; shorter ones are words as often as numbers.
const HEX_DIGITS: usize = 8;
/// Characters that a base64 text has at least.
const BASE64_CHARS: usize = 16;

/// The template of a segment that is a value by its looks: `{int}`, `{uuid}`, `{ip}`, `{date}`, `{email}`, `{hex}`,
/// `{base64}`. The segment is percent-decoded.
pub(super) fn of(segment: &[u8]) -> Option<&'static str> {
    let first = segment.first()?;
    if !first.is_ascii_alphanumeric() && !b"-+_:".contains(first) {
        return None;
    }
    if is_int(segment) {
        Some("{int}")
    } else if is_uuid(segment) {
        Some("{uuid}")
    } else if is_date(segment) {
        Some("{date}")
    } else if is_ip(segment) {
        Some("{ip}")
    } else if is_hex(segment) {
        Some("{hex}")
    } else if is_email(segment) {
        Some("{email}")
    } else if is_base64(segment) {
        Some("{base64}")
    } else {
        None
    }
}

/// Whether it is a version (`v1`, `v2.1`, `v1beta1`), which is part of the endpoint's name.
pub(super) fn is_version(segment: &str) -> bool {
    let Some(rest) = segment.strip_prefix(['v', 'V']) else { return false };
    let number = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let stage = ["alpha", "beta", "rc"].iter().find_map(|stage| number.strip_prefix(stage)).unwrap_or(number);
    number.len() < rest.len() && stage.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_int(segment: &[u8]) -> bool {
    let digits = segment.strip_prefix(b"-").unwrap_or(segment);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// `8-4-4-4-12` (RFC 9562).
fn is_uuid(segment: &[u8]) -> bool {
    segment.len() == 36
        && segment.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// `2026-11-22`, `2026-11`, and with a time behind it (RFC 3339).
fn is_date(segment: &[u8]) -> bool {
    let number = |from: usize, to: usize| -> Option<u32> {
        std::str::from_utf8(segment.get(from..to)?).ok()?.parse().ok()
    };
    let within = |value: Option<u32>, from, to| value.is_some_and(|value| (from..=to).contains(&value));
    let dash = |at: usize| segment.get(at) == Some(&b'-');
    let is_month = dash(4) && within(number(0, 4), 1000, 2999) && within(number(5, 7), 1, 12);
    let is_day = dash(7) && within(number(8, 10), 1, 31);
    match segment.len() {
        7 => is_month,
        10 => is_month && is_day,
        _ => {
            let time = segment.get(11..).unwrap_or_default();
            is_month
                && is_day
                && matches!(segment.get(10), Some(b'T' | b't' | b' ' | b'_'))
                && time.len() >= 4
                && time.iter().all(|byte| byte.is_ascii_digit() || b":.+-Zz".contains(byte))
        }
    }
}

fn is_ip(segment: &[u8]) -> bool {
    let may_be = segment.iter().all(|byte| byte.is_ascii_hexdigit() || b".:".contains(byte));
    may_be && std::str::from_utf8(segment).is_ok_and(|text| text.parse::<IpAddr>().is_ok())
}

/// Digits and letters both: `deadbeef` is a word, `12345678` an integer.
fn is_hex(segment: &[u8]) -> bool {
    let digits = segment.strip_prefix(b"0x").unwrap_or(segment);
    digits.len() >= HEX_DIGITS
        && digits.iter().all(u8::is_ascii_hexdigit)
        && digits.iter().any(u8::is_ascii_digit)
        && (digits.iter().any(u8::is_ascii_alphabetic) || digits.len() < segment.len())
}

fn is_email(segment: &[u8]) -> bool {
    let Some(at) = segment.iter().position(|&byte| byte == b'@') else { return false };
    let (local, domain) = (segment.get(..at).unwrap_or_default(), segment.get(at + 1..).unwrap_or_default());
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(byte);
    let is_label = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    };
    !local.is_empty()
        && local.iter().all(is_local)
        && domain.contains(&b'.')
        && domain.split(|&byte| byte == b'.').all(is_label)
}

/// Of letters of both cases and digits, which change as often as chance makes them: words in camel case, and titles
/// with a year in them, do not. A JSON Web Token is such texts with dots between.
fn is_base64(segment: &[u8]) -> bool {
    let text = segment.strip_suffix(b"==").or_else(|| segment.strip_suffix(b"=")).unwrap_or(segment);
    if text.len() < BASE64_CHARS
        || !text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_+/.".contains(byte))
    {
        return false;
    }
    let pairs = || text.iter().zip(text.iter().skip(1));
    let numbers = pairs().filter(|(one, two)| !one.is_ascii_digit() && two.is_ascii_digit()).count();
    // A capital after a small letter begins a word; the other way round, and after a separator, nothing changes.
    let begins = |one: &u8, two: &u8| one.is_ascii_lowercase() && two.is_ascii_uppercase();
    let turns = |one: &u8, two: &u8| {
        one.is_ascii_alphanumeric()
            && two.is_ascii_alphanumeric()
            && one.is_ascii_digit() != two.is_ascii_digit()
    };
    let changes = pairs().filter(|(one, two)| begins(one, two) || turns(one, two)).count();
    numbers >= 2 && changes * 4 >= text.len() && text.iter().any(u8::is_ascii_uppercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_known_by_their_looks() {
        for (kind, values) in [
            ("{int}", &["0", "42", "-7", "20240102", "00000000000000000000000001"][..]),
            ("{uuid}", &["123e4567-e89b-12d3-a456-426614174000", "123E4567-E89B-12D3-A456-426614174000"]),
            ("{date}", &["2026-11-22", "2026-11", "2026-11-22T04:17:00Z", "2026-11-22T04:17:00.123+01:00"]),
            ("{ip}", &["10.0.0.1", "2001:db8::1", "::1"]),
            ("{hex}", &["deadbee1", "0x12345678", "507f1f77bcf86cd799439011", "E3B0C44298FC1C14"]),
            ("{email}", &["a@b.example", "first.last+tag@mail.example.org"]),
            (
                "{base64}",
                &[
                    "dGhpcyBpcyBhIHRlc3Q0",
                    "V1StGXR8_Z5jdHi6B-myT",
                    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
                ],
            ),
        ] {
            for value in values {
                assert_eq!(of(value.as_bytes()), Some(kind), "{value}");
            }
        }
    }

    #[test]
    fn words_are_not() {
        for word in [
            "",
            "-",
            "alice",
            "v1",
            "hello.world",
            "deadbeef",
            "facade",
            "de",
            "en-US",
            "oauth2",
            "s3",
            "1.5",
            "2026-13",
            "2026-1-1",
            "2026-11-2x",
            "1.2.3",
            "1.2.3.4.5",
            "a@b",
            "@b.c",
            "user@",
            "a b@c.d",
            "How-To-Install-Windows-11-On-A-Mac",
            "getUserProfileById2",
            "INTERNATIONALIZATION",
            "abc123",
            "123e4567-e89b-12d3-a456-42661417400",
            "TheQuickBrownFox2JumpsOver",
            "x".repeat(5000).as_str(),
        ] {
            assert_eq!(of(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn versions_are_names() {
        for version in ["v1", "v10", "v2.1", "V3", "v1beta1", "v1alpha", "v2rc1"] {
            assert!(is_version(version), "{version}");
        }
        for other in ["v", "version", "va1", "v1x", "1", "vbeta", ""] {
            assert!(!is_version(other), "{other}");
        }
    }
}
