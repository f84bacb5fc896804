//! Which protocol a connection speaks, from the first bytes of one packet (docs/agent.md, "Segments and
//! connections").

use super::frame::{self, FrameHeader};

/// The client connection preface (RFC 9113 section 3.4).
pub(super) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the agent knows of a connection's protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Protocol {
    /// Not classified yet.
    #[default]
    Unknown,
    /// HTTP/1: dispatched to another program.
    Http1,
    /// HTTP/2.
    Http2,
}

/// How HTTP/1 starts: the agent compares these with the packet's first bytes.
const HTTP1: [&[u8]; 10] = [
    b"HTTP/",
    b"GET /",
    b"POST /",
    b"PUT /",
    b"DELETE /",
    b"HEAD /",
    b"OPTIONS /",
    b"OPTIONS *",
    b"PATCH /",
    b"TRACE /",
];

/// Shorter payloads are not taken for HTTP/1.
const HTTP1_MIN: usize = 16;

/// Classifies a payload: HTTP/1 first, then HTTP/2 by the complete preface or by a SETTINGS frame at the start. A
/// SETTINGS acknowledgment is one too; the frame size limit is not looked at here. Any other start is unknown.
pub(super) fn classify(payload: &[u8]) -> Protocol {
    if payload.len() >= HTTP1_MIN && HTTP1.iter().any(|start| payload.starts_with(start)) {
        Protocol::Http1
    } else if payload.starts_with(PREFACE) || starts_with_settings(payload) {
        Protocol::Http2
    } else {
        Protocol::Unknown
    }
}

fn starts_with_settings(payload: &[u8]) -> bool {
    payload.first_chunk().is_some_and(|bytes| {
        let header = FrameHeader::read(bytes);
        *bytes != [0; frame::HEADER_LEN]
            && header.kind == frame::SETTINGS
            && header.stream == 0
            && header.length.is_multiple_of(6)
    })
}

/// Whether a payload begins like a TLS record (RFC 8446 section 5.1): such a packet is none of the socket path's.
pub(super) fn is_tls_record(payload: &[u8]) -> bool {
    matches!(payload, [20..=23, 3, 0..=4, high, low, _, ..]
        if (1..=16_384 + 2048).contains(&u16::from_be_bytes([*high, *low])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http1_comes_first_and_needs_sixteen_bytes() {
        for start in HTTP1 {
            let mut payload = start.to_vec();
            payload.resize(15, b'x');
            assert_eq!(classify(&payload), Protocol::Unknown);
            payload.push(b'x');
            assert_eq!(classify(&payload), Protocol::Http1);
        }
        assert_eq!(classify(b"CONNECT a:1 HTTP/1.1\r\n"), Protocol::Unknown);
    }

    #[test]
    fn http2_by_whole_preface_or_settings() {
        assert_eq!(classify(PREFACE), Protocol::Http2);
        assert_eq!(classify(&PREFACE[..23]), Protocol::Unknown);
        assert_eq!(classify(&[0, 0, 0, 4, 1, 0, 0, 0, 0]), Protocol::Http2);
        assert_eq!(classify(&[0, 0, 6, 4, 0, 0, 0, 0, 0]), Protocol::Http2);
        // Larger than any frame may be, and the reserved bit set.
        assert_eq!(classify(&[0xff, 0xff, 0xfc, 4, 0, 0x80, 0, 0, 0]), Protocol::Http2);
        assert_eq!(classify(&[0, 0, 7, 4, 0, 0, 0, 0, 0]), Protocol::Unknown);
        assert_eq!(classify(&[0, 0, 6, 4, 0, 0, 0, 0, 1]), Protocol::Unknown);
        assert_eq!(classify(&[0, 0, 6, 4, 0, 0, 0, 0]), Protocol::Unknown);
        assert_eq!(classify(&[0; 9]), Protocol::Unknown);
        assert_eq!(classify(&[]), Protocol::Unknown);
    }

    #[test]
    fn tls_records_are_told_by_their_header() {
        assert!(is_tls_record(&[22, 3, 1, 2, 0, 1]));
        assert!(is_tls_record(&[23, 3, 3, 0x48, 0, 0]));
        assert!(!is_tls_record(&[23, 3, 3, 0x48, 1, 0]));
        assert!(!is_tls_record(&[23, 3, 3, 0, 0, 0]));
        assert!(!is_tls_record(&[24, 3, 3, 0, 1, 0]));
        assert!(!is_tls_record(&[23, 3, 3, 0, 1]));
    }
}
