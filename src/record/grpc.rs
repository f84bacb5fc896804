//! What gRPC says over an exchange (the gRPC over HTTP/2 protocol, gRPC-Web).

use super::fields::{FieldName, Fields};

/// The status, the messages, and what the caller said of its call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grpc {
    /// It is gRPC-Web.
    pub web: bool,
    /// `grpc-status`, where it was seen and is a number.
    pub status: Option<u32>,
    /// `grpc-message`, percent-decoded.
    pub message: Option<Vec<u8>>,
    /// Whole messages that the client sent; `None` where some may have been missed.
    pub request_messages: Option<u64>,
    /// Whole messages that the server sent; `None` where some may have been missed.
    pub response_messages: Option<u64>,
    /// `grpc-timeout`, in nanoseconds.
    pub timeout: Option<u64>,
    /// `grpc-previous-rpc-attempts`: 1 for the first repetition.
    pub attempt: Option<u64>,
}

/// How messages are laid out in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrpcBody {
    /// `application/grpc`
    Plain,
    /// `application/grpc-web`: trailers stand in the body.
    Web,
    /// `application/grpc-web-text`: the same in Base64.
    WebText,
}

impl GrpcBody {
    /// What a content type says; in any case, with a suffix or parameters.
    pub fn of(content_type: &[u8]) -> Option<Self> {
        const PREFIX: &[u8] = b"application/grpc";
        let (start, rest) = content_type.split_at_checked(PREFIX.len())?;
        if !start.eq_ignore_ascii_case(PREFIX) {
            return None;
        }
        let end =
            rest.iter().position(|byte| matches!(byte, b'+' | b';' | b' ' | b'\t')).unwrap_or(rest.len());
        let variant = rest.get(..end).unwrap_or_default();
        [(&b""[..], Self::Plain), (b"-web", Self::Web), (b"-web-text", Self::WebText)]
            .into_iter()
            .find_map(|(name, body)| variant.eq_ignore_ascii_case(name).then_some(body))
    }

    /// What the content type of a header section says; `None` where there is none, or another.
    pub fn of_section(headers: &Fields) -> Option<Self> {
        Self::of(headers.value(FieldName::ContentType)?)
    }
}

/// `grpc-timeout` in nanoseconds: at most eight digits, and a unit.
pub fn timeout(value: &[u8]) -> Option<u64> {
    let (unit, digits) = value.split_last()?;
    let nanos: u64 = match unit {
        b'H' => 3_600_000_000_000,
        b'M' => 60_000_000_000,
        b'S' => 1_000_000_000,
        b'm' => 1_000_000,
        b'u' => 1_000,
        b'n' => 1,
        _ => return None,
    };
    number(digits).filter(|_| digits.len() <= 8)?.checked_mul(nanos)
}

/// Decimal digits and nothing else.
pub fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_types_in_any_case_with_suffix_or_parameters() {
        for (text, body) in [
            ("application/grpc", Some(GrpcBody::Plain)),
            ("Application/gRPC+proto", Some(GrpcBody::Plain)),
            ("application/grpc;charset=utf-8", Some(GrpcBody::Plain)),
            ("application/grpc ; x=1", Some(GrpcBody::Plain)),
            ("application/grpc-web", Some(GrpcBody::Web)),
            ("application/grpc-web+proto", Some(GrpcBody::Web)),
            ("application/GRPC-Web-Text+proto", Some(GrpcBody::WebText)),
            ("application/grpc-webx", None),
            ("application/grpcx", None),
            ("application/grp", None),
            ("text/plain", None),
            ("", None),
        ] {
            assert_eq!(GrpcBody::of(text.as_bytes()), body, "{text}");
        }
    }

    #[test]
    fn timeouts_have_a_unit_and_at_most_eight_digits() {
        for (text, nanos) in [
            ("10S", Some(10_000_000_000)),
            ("99999999H", None),
            ("1H", Some(3_600_000_000_000)),
            ("250m", Some(250_000_000)),
            ("5u", Some(5_000)),
            ("7n", Some(7)),
            ("2M", Some(120_000_000_000)),
            ("123456789n", None),
            ("S", None),
            ("-1S", None),
            ("10", None),
            ("", None),
        ] {
            assert_eq!(timeout(text.as_bytes()), nanos, "{text}");
        }
    }

    #[test]
    fn numbers_have_no_sign_and_no_blanks() {
        for (text, value) in [("0", Some(0)), ("16", Some(16)), ("+1", None), (" 1", None), ("OK", None)] {
            assert_eq!(number(text.as_bytes()), value, "{text}");
        }
        assert_eq!(number(b"99999999999999999999999"), None);
    }
}
