//! Why a request cannot be repeated by a command.

use super::{content, grpcurl, sent};
use crate::record::{Partial, TransactionView};

/// The first reason that applies; `None` where nothing is in the way.
pub(super) fn of(view: &TransactionView<'_>) -> Option<&'static str> {
    in_the_request(view).or_else(|| in_the_text(view)).or_else(|| in_the_body(view))
}

fn in_the_request(view: &TransactionView<'_>) -> Option<&'static str> {
    let transaction = view.transaction;
    let headers = &transaction.request.headers;
    let of_http1 = |(name, _): (&[u8], _)| {
        [&b"connection"[..], b"upgrade", b"http2-settings"].iter().any(|own| name.eq_ignore_ascii_case(own))
    };
    let lost = [Partial::NO_REQUEST, Partial::REQUEST_CUT]
        .into_iter()
        .any(|part| transaction.partial.contains(part));
    let reasons = [
        (transaction.pushed, "the server promised it, and no client asked for it"),
        (view.method == Some(b"CONNECT") && view.protocol.is_none(), "CONNECT opens a tunnel"),
        (headers.named(b":protocol").next().is_some(), "it carries another protocol (:protocol)"),
        (lost, "the request is not wholly in the capture"),
        (headers.has_unknown(), "some of its fields are not known"),
        (view.method.is_none(), "the method is not known"),
        (view.path.is_none(), "the path is not known"),
        (view.authority.is_none(), "the authority is not known"),
        (!transaction.request.trailers.is_empty(), "curl cannot send its trailers"),
        (sent(headers).any(of_http1), "it was upgraded from HTTP/1.1"),
    ];
    reasons.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
}

fn in_the_text(view: &TransactionView<'_>) -> Option<&'static str> {
    let headers = &view.transaction.request.headers;
    let target = view.target().unwrap_or_default();
    let breaks = |text: &[u8]| text.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
    let names = || sent(headers).map(|(name, _)| name);
    let values = || sent(headers).filter_map(|(_, field)| field.value);
    let reasons = [
        (!is_token(view.method.unwrap_or_default()), "the method is no token that a command can hold"),
        (!names().all(is_token), "a name of a field is no token that a command can hold"),
        (values().any(breaks) || breaks(&target), "a value has a NUL or a line end in it"),
        (!view.authority.is_some_and(is_host), "the authority is no name or address with a port"),
        (!target.starts_with(b"/") && *target != *b"*", "the path does not begin with a slash"),
    ];
    reasons.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
}

fn in_the_body(view: &TransactionView<'_>) -> Option<&'static str> {
    let request = &view.transaction.request;
    if request.body == 0 || grpcurl::messages(view).is_some() {
        return None;
    }
    let Some(contents) = view.transaction.contents.as_deref() else {
        return Some("it has a body, which --body would show");
    };
    let Some((body, content)) = contents.request.as_ref().zip(content(view)) else {
        let is_grpc = view.transaction.grpc.is_some();
        return Some(match is_grpc {
            true if grpcurl::are_cut(view) => "its messages are cut off",
            true => "its messages are known by no schema (--proto), or not wholly",
            false => "its body is not known",
        });
    };
    let is_whole = body.complete && !body.truncated && body.error.is_none();
    let coding = request.headers.first_value(b"content-encoding").unwrap_or_default();
    let coded = !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity");
    let changed = !body.redacted && content.bytes().len() as u64 != request.body;
    let reasons = [
        (!is_whole, "its body is cut off"),
        (
            coded || is_converted(request.headers.first_value(b"content-type")) || changed,
            "its body was decoded",
        ),
        (view.method == Some(b"HEAD"), "curl sends no body with HEAD"),
    ];
    reasons.into_iter().find(|(applies, _)| *applies).map(|(_, reason)| reason)
}

/// A token (RFC 9110 section 5.6.2) that is not taken for an option.
fn is_token(text: &[u8]) -> bool {
    let is_char = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !text.is_empty() && !text.starts_with(b"-") && text.iter().all(is_char)
}

/// `name`, `10.0.0.1:80`, `[::1]:80`
fn is_host(authority: &[u8]) -> bool {
    let bracketed = authority.strip_prefix(b"[").and_then(|rest| rest.split_once_at(b']'));
    let (host, port) = if let Some((host, port)) = bracketed {
        let is_address = host.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'));
        (is_address && !host.is_empty(), port)
    } else {
        let end = memchr::memchr(b':', authority).unwrap_or(authority.len());
        let (host, port) = authority.split_at_checked(end).unwrap_or_default();
        let is_name = host.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
        (is_name && !host.is_empty() && !host.starts_with(b"-"), port)
    };
    host && match port {
        [] => true,
        [b':', digits @ ..] => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// The text that is shown was in another charset than UTF-8.
fn is_converted(content_type: Option<&[u8]>) -> bool {
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    let Some(at) = memchr::memmem::find(&content_type, b"charset=") else { return false };
    let charset = content_type.get(at + b"charset=".len()..).unwrap_or_default();
    let charset = charset.strip_prefix(b"\"").unwrap_or(charset);
    !charset.starts_with(b"utf-8") && !charset.starts_with(b"us-ascii")
}

/// What `slice::split_once` will do.
trait SplitOnce {
    fn split_once_at(&self, byte: u8) -> Option<(&Self, &Self)>;
}

impl SplitOnce for [u8] {
    fn split_once_at(&self, byte: u8) -> Option<(&Self, &Self)> {
        let at = memchr::memchr(byte, self)?;
        Some((self.get(..at)?, self.get(at + 1..)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities() {
        for text in ["a.example", "a.example:80", "10.0.0.1:1", "[::1]", "[2001:db8::1]:443", "a_b-c"] {
            assert!(is_host(text.as_bytes()), "{text}");
        }
        for text in
            ["", ":80", "a:", "a:b", "a b", "u@a", "a/b", "[::1", "[]:1", "[::1]x", "-a", "a?b", "[g]"]
        {
            assert!(!is_host(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn charsets() {
        for (kind, converted) in [
            ("text/plain", false),
            ("text/plain; Charset=\"UTF-8\"", false),
            ("text/plain;charset=us-ascii", false),
            ("text/plain;charset=iso-8859-1", true),
        ] {
            assert_eq!(is_converted(Some(kind.as_bytes())), converted, "{kind}");
        }
    }

    #[test]
    fn tokens() {
        for (text, token) in
            [("x-a", true), ("", false), ("-x", false), ("a b", false), ("@x", false), ("a\n", false)]
        {
            assert_eq!(is_token(text.as_bytes()), token, "{text:?}");
        }
    }
}
