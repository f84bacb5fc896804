//! Values as records show them.

use super::grpc_status;
use super::visit::{Scalar, Type, Value, Visitor, words};
use crate::base::time::Timestamp;
use crate::base::tls::NotDecrypted;
use crate::base::verdict::MissReason;
use crate::http2::error_code;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::IpAddr;

/// Text from the wire, as it was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub &'a [u8]);

impl Value for Text<'_> {
    const TYPE: Type = Type::Text;
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Text(self.0));
    }
}

/// Text of our own, or a name of a registry: nothing in it needs an escape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word(pub &'static str);

impl Value for Word {
    const TYPE: Type = Type::Word(&[]);
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(self.0));
    }
}

/// Texts; absent when there are none.
#[derive(Clone, Copy, Debug)]
pub struct Strings<'a>(pub &'a [String]);

impl Value for Strings<'_> {
    const TYPE: Type = Type::List(&Text::TYPE);
    const OPTIONAL: bool = true;
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.0.iter().map(|text| Text(text.as_bytes())));
    }
    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

/// A point in packet time.
#[derive(Clone, Copy, Debug)]
pub struct Time(pub Timestamp);

impl Value for Time {
    const TYPE: Type = Type::Time;
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Time(self.0));
    }
}

/// A duration, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Seconds {
    /// This long.
    pub fn of(duration: std::time::Duration) -> Self {
        Self(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    /// From one time to a later one; 0 when time went backwards.
    pub const fn between(from: Timestamp, to: Timestamp) -> Self {
        Self(to.as_nanos().saturating_sub(from.as_nanos()))
    }
}

impl Value for Seconds {
    const TYPE: Type = Type::Seconds;
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Seconds(self.0));
    }
}

/// What one time is more than another, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference(pub i64);

impl Value for Difference {
    const TYPE: Type = Type::Difference;
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Difference(self.0));
    }
}

/// A number that need not be whole, in billionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub u64);

impl Value for Decimal {
    const TYPE: Type = Type::Decimal;
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Decimal(self.0));
    }
}

/// An IP address.
#[derive(Clone, Copy, Debug)]
pub struct Address(pub IpAddr);

impl Value for Address {
    const TYPE: Type = Type::Address;
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Address(self.0));
    }
}

/// An error code of RFC 9113 by its name; others in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(pub u32);

impl ErrorCode {
    /// `NO_ERROR` … `HTTP_1_1_REQUIRED`, or `0x1234`.
    pub fn name(self) -> Cow<'static, str> {
        error_code::name(self.0).map_or_else(|| Cow::Owned(format!("{:#x}", self.0)), Cow::Borrowed)
    }
}

impl Value for ErrorCode {
    const TYPE: Type = Type::Word(&[]);
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(&self.name()));
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

impl Value for GrpcStatus {
    const TYPE: Type = Type::Word(&[]);
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(&self.name()));
    }
}

/// A word of ours that is made when it is needed.
impl Value for Cow<'static, str> {
    const TYPE: Type = Type::Word(&[]);
    #[inline]
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(self));
    }
}

/// Bytes in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub struct Hex<'a>(pub &'a [u8]);

impl Value for Hex<'_> {
    const TYPE: Type = Type::Word(&[]);
    fn visit(&self, visitor: &mut impl Visitor) {
        let mut text = String::with_capacity(2 * self.0.len());
        for byte in self.0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        visitor.scalar(Scalar::Word(&text));
    }
}

/// Bytes in Base64 (RFC 4648 section 4).
#[derive(Clone, Copy, Debug)]
pub struct Base64<'a>(pub &'a [u8]);

impl Value for Base64<'_> {
    const TYPE: Type = Type::Word(&[]);
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(&STANDARD.encode(self.0)));
    }
}

/// Bytes from the wire in Base64, as text like any other.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Value for Bytes<'_> {
    const TYPE: Type = Type::Text;
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Text(STANDARD.encode(self.0).as_bytes()));
    }
}

/// A JSON text from the wire.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(pub &'a str);

impl Value for Raw<'_> {
    const TYPE: Type = Type::Json;
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Json(self.0));
    }
}

/// A number of things a second.
#[derive(Clone, Copy, Debug)]
pub struct Rate(pub f64);

impl Value for Rate {
    const TYPE: Type = Type::Float;
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Float(self.0));
    }
}

/// A side of a connection, as a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sender {
    /// The client.
    #[default]
    Client,
    /// The server.
    Server,
}

impl Sender {
    /// The client, or the server.
    pub const fn new(is_client: bool) -> Self {
        if is_client { Self::Client } else { Self::Server }
    }
}

words! { Sender { Client => "client", Server => "server", } }

impl Value for NotDecrypted {
    const TYPE: Type = Type::Word(Self::NAMES);
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(self.name()));
    }
}

impl Value for MissReason {
    const TYPE: Type = Type::Word(&Self::NAMES);
    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.scalar(Scalar::Word(self.name()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_without_a_name_show_their_number() {
        assert_eq!(ErrorCode(8).name(), "CANCEL");
        assert_eq!(ErrorCode(0x1234).name(), "0x1234");
        assert_eq!(GrpcStatus(16).name(), "UNAUTHENTICATED");
        assert_eq!(GrpcStatus(17).name(), "17");
    }
}
