//! SETTINGS (RFC 9113 section 6.5): any number of
//!
//! ```text
//! Identifier (16) · Value (32)
//! ```

use super::{Flags, FrameHeader};

/// The name of a setting, in lower case, as records show it; `None` where it has none here.
pub const fn name(identifier: u16) -> Option<&'static str> {
    Some(match identifier {
        1 => "header_table_size",
        2 => "enable_push",
        3 => "max_concurrent_streams",
        4 => "initial_window_size",
        5 => "max_frame_size",
        6 => "max_header_list_size",
        8 => "enable_connect_protocol", // RFC 8441 section 3
        9 => "no_rfc7540_priorities",   // RFC 9218 section 2.1
        _ => return None,
    })
}

/// A SETTINGS frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings<'a> {
    /// It acknowledges the other side's settings and carries none.
    pub ack: bool,
    entries: &'a [u8],
}

impl<'a> Settings<'a> {
    /// Reads a payload. Never `None`: of a cut or odd-sized one the whole entries are read.
    pub fn parse(header: &FrameHeader, payload: &'a [u8]) -> Option<Self> {
        Some(Self { ack: header.flags.has(Flags::ACK), entries: payload })
    }

    /// Identifier and value of each setting, in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, u32)> + use<'a> {
        let (entries, _) = self.entries.as_chunks::<6>();
        entries
            .iter()
            .map(|&[a, b, c, d, e, f]| (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f])))
    }
}
