//! Values as records show them: each writes itself as one JSON string or number.

use super::grpc_status;
use crate::time::Timestamp;
use crate::transaction::error_code;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::Write;
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

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.show())
    }
}

/// Says that text was shown with U+FFFD. It is complete only when all text has been written.
#[derive(Clone, Copy, Debug)]
pub struct LossyFlag<'a>(pub &'a Cell<bool>);

impl LossyFlag<'_> {
    /// All text is as on the wire.
    // The signature is serde's.
    #[allow(clippy::trivially_copy_pass_by_ref)]
    pub fn is_unset(&self) -> bool {
        !self.0.get()
    }
}

impl Serialize for LossyFlag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(self.0.get())
    }
}

/// A time in RFC 3339, UTC, with nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Timestamp);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.0.rfc3339()).unwrap_or_default())
    }
}

/// A duration, held in nanoseconds and shown in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Seconds {
    /// From one time to a later one; 0 when time went backwards.
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        Self(to.as_nanos().saturating_sub(from.as_nanos()))
    }
}

impl Serialize for Seconds {
    /// The nearest double; the writers of this module's formats print it to the nanosecond.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 1e9)
    }
}

/// An IP address as text.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = Short::default();
        text.push_ip(self.0);
        serializer.serialize_str(text.as_str())
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

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
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

impl Serialize for GrpcStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

/// Bytes in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len() * 2);
        for byte in self.0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        serializer.serialize_str(&text)
    }
}

/// A short ASCII text on the stack: up to 64 bytes, of which an address with its port needs 53.
#[derive(Clone, Copy, Debug)]
pub struct Short {
    bytes: [u8; 64],
    len: usize,
}

impl Default for Short {
    fn default() -> Self {
        Self { bytes: [0; 64], len: 0 }
    }
}

impl Short {
    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Appends a byte; what does not fit is dropped.
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// Appends an IP address. IPv4 is written by hand: it stands in every record.
    pub fn push_ip(&mut self, ip: IpAddr) {
        match ip {
            IpAddr::V4(ip) => {
                let [first, rest @ ..] = ip.octets();
                self.push_octet(first);
                for octet in rest {
                    self.push(b'.');
                    self.push_octet(octet);
                }
            }
            IpAddr::V6(ip) => {
                let _ = write!(self, "{ip}");
            }
        }
    }

    fn push_octet(&mut self, octet: u8) {
        if octet >= 100 {
            self.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            self.push(b'0' + octet / 10 % 10);
        }
        self.push(b'0' + octet % 10);
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(std::fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
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
            let mut text = Short::default();
            text.push_ip(ip);
            assert_eq!(text.as_str(), ip.to_string());
        }
    }

    #[test]
    fn a_short_text_takes_no_more_than_it_holds() {
        let mut text = Short::default();
        assert!(text.write_str(&"x".repeat(64)).is_ok());
        assert!(text.write_str("x").is_err());
        text.push(b'y');
        assert_eq!(text.as_str(), "x".repeat(64));
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
