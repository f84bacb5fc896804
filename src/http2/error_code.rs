//! Error codes of RST_STREAM and GOAWAY (RFC 9113 section 7).

/// No error.
pub const NO_ERROR: u32 = 0x0;
/// A fault that no other code names.
pub const PROTOCOL_ERROR: u32 = 0x1;
/// DATA beyond a window, or a window beyond its bound.
pub const FLOW_CONTROL_ERROR: u32 = 0x3;
/// SETTINGS were not acknowledged in time.
pub const SETTINGS_TIMEOUT: u32 = 0x4;
/// A frame on a stream that its sender had closed.
pub const STREAM_CLOSED: u32 = 0x5;
/// A frame of a wrong size.
pub const FRAME_SIZE_ERROR: u32 = 0x6;
/// The stream was not processed.
pub const REFUSED_STREAM: u32 = 0x7;
/// Nobody waits for the stream any more.
pub const CANCEL: u32 = 0x8;
/// A header block that cannot be decoded.
pub const COMPRESSION_ERROR: u32 = 0x9;
/// Conduct that may be an attack.
pub const ENHANCE_YOUR_CALM: u32 = 0xb;

/// The name of an error code; `None` for a code that RFC 9113 does not define.
pub const fn name(code: u32) -> Option<&'static str> {
    Some(match code {
        0x0 => "NO_ERROR",
        0x1 => "PROTOCOL_ERROR",
        0x2 => "INTERNAL_ERROR",
        0x3 => "FLOW_CONTROL_ERROR",
        0x4 => "SETTINGS_TIMEOUT",
        0x5 => "STREAM_CLOSED",
        0x6 => "FRAME_SIZE_ERROR",
        0x7 => "REFUSED_STREAM",
        0x8 => "CANCEL",
        0x9 => "COMPRESSION_ERROR",
        0xa => "CONNECT_ERROR",
        0xb => "ENHANCE_YOUR_CALM",
        0xc => "INADEQUATE_SECURITY",
        0xd => "HTTP_1_1_REQUIRED",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn names_the_codes_of_rfc_9113_and_no_others() {
        assert_eq!(
            (name(0), name(8), name(13)),
            (Some("NO_ERROR"), Some("CANCEL"), Some("HTTP_1_1_REQUIRED"))
        );
        assert_eq!((name(14), name(u32::MAX)), (None, None));
        assert!((0..14).all(|code| name(code).is_some()));
    }
}
