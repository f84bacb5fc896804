//! The rules of RFC 9113 that a single frame can break.

use super::anomaly::Anomaly;
use super::frame::{Flags, FrameHeader, FrameType};
use super::hpack;
use super::side::Side;

/// Tells `found` what a whole frame breaks by itself: each rule that is broken for a reason of its own.
pub(super) fn violations(from: Side, header: &FrameHeader, payload: &[u8], found: &mut dyn FnMut(Anomaly)) {
    let FrameHeader { length, kind, flags, stream, .. } = *header;
    let padded = flags.has(Flags::PADDED);
    let padding = if padded { payload.first().map_or(0, |&len| u32::from(len)) } else { 0 };
    let fixed = header.before_fragment();
    let mut rule = |broken: bool, anomaly| {
        if broken {
            found(anomaly);
        }
    };
    match kind {
        FrameType::DATA => rule(stream == 0, Anomaly::DataStreamZero),
        FrameType::HEADERS => {
            let depends_on = || payload.get(usize::from(padded)..).and_then(|rest| rest.first_chunk());
            let itself = flags.has(Flags::PRIORITY)
                && stream != 0
                && length >= fixed
                && depends_on().is_some_and(|&on| u32::from_be_bytes(on) & 0x7fff_ffff == stream);
            rule(stream == 0, Anomaly::HeadersStreamZero);
            rule(length < fixed, Anomaly::HeadersSize);
            rule(length >= fixed && padding > length - fixed, Anomaly::HeadersPadding);
            rule(itself, Anomaly::PrioritySelf);
        }
        FrameType::PRIORITY => {
            let itself =
                payload.first_chunk().is_some_and(|&on| u32::from_be_bytes(on) & 0x7fff_ffff == stream);
            rule(stream == 0, Anomaly::PriorityStreamZero);
            rule(length != 5, Anomaly::PrioritySize);
            rule(itself && stream != 0 && length == 5, Anomaly::PrioritySelf);
        }
        FrameType::RST_STREAM => {
            rule(stream == 0, Anomaly::RstStreamZero);
            rule(length != 4, Anomaly::RstStreamSize);
        }
        FrameType::SETTINGS => {
            rule(stream != 0, Anomaly::SettingsStream);
            rule(flags.has(Flags::ACK) && length != 0, Anomaly::SettingsAckSize);
            rule(!flags.has(Flags::ACK) && !length.is_multiple_of(6), Anomaly::SettingsSize);
        }
        FrameType::PUSH_PROMISE => {
            rule(from == Side::Client, Anomaly::PushPromiseClient);
            rule(stream == 0, Anomaly::PushPromiseStreamZero);
            rule(length < fixed, Anomaly::PushPromiseSize);
            rule(length >= fixed && padding > length - fixed, Anomaly::PushPromisePadding);
        }
        FrameType::PING => {
            rule(stream != 0, Anomaly::PingStream);
            rule(length != 8, Anomaly::PingSize);
        }
        FrameType::GOAWAY => {
            rule(stream != 0, Anomaly::GoawayStream);
            rule(length < 8, Anomaly::GoawaySize);
        }
        FrameType::WINDOW_UPDATE => {
            // But for the reserved bit all is 0.
            let zero = payload.first_chunk().is_some_and(|&by| u32::from_be_bytes(by) << 1 == 0);
            rule(length != 4, Anomaly::WindowUpdateSize);
            rule(zero && length == 4, Anomaly::WindowUpdateZero);
        }
        FrameType::CONTINUATION => rule(stream == 0, Anomaly::ContinuationStreamZero),
        _ => {}
    }
}

/// What a setting breaks (section 6.5.2).
pub(super) fn setting_violation(from: Side, id: u16, value: u32) -> Option<Anomaly> {
    match id {
        2 if value > 1 || (value == 1 && from == Side::Server) => Some(Anomaly::SettingsEnablePush),
        4 if value > 0x7fff_ffff => Some(Anomaly::SettingsInitialWindowSize),
        5 if !(16_384..1 << 24).contains(&value) => Some(Anomaly::SettingsMaxFrameSize),
        8 if value > 1 => Some(Anomaly::SettingsConnectProtocol),
        _ => None,
    }
}

/// What a header block breaks.
pub(super) fn hpack_violation(kind: hpack::ErrorKind) -> Anomaly {
    use hpack::ErrorKind;
    match kind {
        ErrorKind::IndexZero | ErrorKind::IndexBeyondTable => Anomaly::HpackIndex,
        ErrorKind::IntegerOverflow => Anomaly::HpackInteger,
        ErrorKind::HuffmanPadding | ErrorKind::HuffmanEos => Anomaly::HpackHuffman,
        ErrorKind::Truncated => Anomaly::HpackTruncated,
        ErrorKind::SizeUpdateAboveBound => Anomaly::HpackSizeUpdate,
        ErrorKind::SizeUpdateMisplaced => Anomaly::HpackSizeUpdateLate,
        ErrorKind::SizeUpdateMissing => Anomaly::HpackSizeUpdateMissing,
    }
}
