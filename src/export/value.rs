//! Values as records show them: each writes itself as one JSON string or number.

use super::grpc_status;
use super::json::{Json, is_plain, push_plain};
use crate::base::time::{Timestamp, nine_digits};
use crate::http2::error_code;
use std::borrow::Cow;
use std::cell::Cell;
use std::io::Write as _;
use std::net::IpAddr;

/// Text from the wire. Bytes that are not UTF-8 are shown with U+FFFD, which is noted in `lossy`.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// As on the wire.
    pub bytes: &'a [u8],
    /// Set when a byte could not be shown.
    pub lossy: &'a Cell<bool>,
}

impl<'a> Text<'a> {
    /// The text, borrowed unless something had to be replaced.
    pub fn show(&self) -> Cow<'a, str> {
        if let Ok(text) = std::str::from_utf8(self.bytes) {
            return Cow::Borrowed(text);
        }
        self.lossy.set(true);
        String::from_utf8_lossy(self.bytes)
    }
}

impl Json for Text<'_> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        if is_plain(self.bytes) {
            push_plain(out, self.bytes);
        } else {
            self.show().write(out);
        }
    }
}

/// Says that text was shown with U+FFFD. It is complete only when all text has been written.
#[derive(Clone, Copy, Debug)]
pub struct LossyFlag<'a>(pub &'a Cell<bool>);

impl Json for LossyFlag<'_> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        self.0.get().write(out);
    }
    #[inline]
    fn is_absent(&self) -> bool {
        !self.0.get()
    }
}

/// A time in RFC 3339, UTC, with nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Timestamp);

impl Json for Time {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        push_plain(out, &self.0.rfc3339());
    }
}

/// A duration, held in nanoseconds and shown in seconds: to the nanosecond, without trailing zeros, with one decimal
/// at least, so that it is a float whatever its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Seconds {
    /// From one time to a later one; 0 when time went backwards.
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        Self(to.as_nanos().saturating_sub(from.as_nanos()))
    }
}

impl Json for Seconds {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(itoa::Buffer::new().format(self.0 / 1_000_000_000).as_bytes());
        let mut digits = &nine_digits((self.0 % 1_000_000_000) as u32)[..];
        while let [rest @ .., b'0'] = digits
            && !rest.is_empty()
        {
            digits = rest;
        }
        out.push(b'.');
        out.extend_from_slice(digits);
    }
}

/// An IP address as text.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl Json for Address {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        push_ip(out, self.0);
        out.push(b'"');
    }
}

/// Appends an IP address. IPv4 is written by hand: it stands twice in every record.
pub(super) fn push_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            let mut text = [b'.'; 15];
            let mut at = 0;
            let mut push = |byte| {
                if let Some(place) = text.get_mut(at) {
                    *place = byte;
                }
                at += 1;
            };
            for (index, octet) in ip.octets().into_iter().enumerate() {
                if index > 0 {
                    push(b'.');
                }
                if octet >= 100 {
                    push(b'0' + octet / 100);
                }
                if octet >= 10 {
                    push(b'0' + octet / 10 % 10);
                }
                push(b'0' + octet % 10);
            }
            out.extend_from_slice(text.get(..at).unwrap_or_default());
        }
        IpAddr::V6(ip) => {
            // Writing to a vector cannot fail.
            let _ = write!(out, "{ip}");
        }
    }
}

/// An error code of RFC 9113 by its name; others in hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// `NO_ERROR` … `HTTP_1_1_REQUIRED`, or `0x1234`.
    pub fn name(self) -> Cow<'static, str> {
        error_code::name(self.0).map_or_else(|| Cow::Owned(format!("{:#x}", self.0)), Cow::Borrowed)
    }
}

impl Json for ErrorCode {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        push_plain(out, self.name().as_bytes());
    }
}

/// A gRPC status by its name; others by their number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrpcStatus(pub u32);

impl GrpcStatus {
    /// `OK` … `UNAUTHENTICATED`, or `17`.
    pub fn name(self) -> Cow<'static, str> {
        grpc_status::name(self.0).map_or_else(|| Cow::Owned(self.0.to_string()), Cow::Borrowed)
    }
}

impl Json for GrpcStatus {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        push_plain(out, self.name().as_bytes());
    }
}

/// Bytes in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl Json for Hex<'_> {
    #[inline]
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        for byte in self.0 {
            // Writing to a vector cannot fail.
            let _ = write!(out, "{byte:02x}");
        }
        out.push(b'"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_the_standard_library_writes_them() {
        for ip in ["0.0.0.0", "10.20.30.4", "255.255.255.255", "1.10.100.9", "::1", "2001:db8::ff00:42:8329"]
        {
            let ip: IpAddr = ip.parse().unwrap();
            let mut out = Vec::new();
            push_ip(&mut out, ip);
            assert_eq!(out, ip.to_string().as_bytes());
        }
    }

    #[test]
    fn seconds_have_no_exponent_and_no_noise() {
        for (nanos, shown) in [
            (0, "0.0"),
            (1, "0.000000001"),
            (100, "0.0000001"),
            (1_234_567, "0.001234567"),
            (100_000_000, "0.1"),
            (1_000_000_000, "1.0"),
            (86_400_000_000_001, "86400.000000001"),
            (u64::MAX, "18446744073.709551615"),
        ] {
            let mut out = Vec::new();
            Seconds(nanos).write(&mut out);
            assert_eq!(out, shown.as_bytes());
        }
    }

    #[test]
    fn codes_without_a_name_show_their_number() {
        assert_eq!(ErrorCode(8).name(), "CANCEL");
        assert_eq!(ErrorCode(0x1234).name(), "0x1234");
        assert_eq!(GrpcStatus(16).name(), "UNAUTHENTICATED");
        assert_eq!(GrpcStatus(17).name(), "17");
    }

    #[test]
    fn text_that_is_not_utf8_is_noted() {
        let lossy = Cell::new(false);
        assert_eq!(Text { bytes: "ü".as_bytes(), lossy: &lossy }.show(), "ü");
        assert!(!lossy.get());
        assert_eq!(Text { bytes: b"a\xffb", lossy: &lossy }.show(), "a\u{fffd}b");
        assert!(lossy.get());
    }
}
