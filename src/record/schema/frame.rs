//! The frame record.

use super::{ConnectionRef, StreamRef};
use crate::http2::frame::{self, Flags, FrameType, FrameView, Origin, Payload, Settings, flag_name};
use crate::record::ConnectionMeta;
use crate::record::lossy::is_lossy;
use crate::record::value::{ErrorCode, Hex, Sender, Text, Time, Word};
use crate::record::visit::{Type, Value, Visitor, object};
use std::borrow::Cow;

object! {
    /// A frame. Field block fragments are not decoded in it: only their length is shown.
    pub struct FrameObject<'a> {
        /// Always `frame`.
        "record": record: Word,
        /// The packet in which its header began.
        "@timestamp": timestamp: Time,
        /// The number of that packet.
        "packet": packet: u64,
        /// The frame.
        "h2": h2: H2Frame<'a>,
    }
}

object! {
    /// `h2`
    pub struct H2Frame<'a> {
        /// The connection.
        "connection": connection: ConnectionRef<'a>,
        /// The stream, 0 for the connection.
        "stream": stream: StreamRef,
        /// The frame.
        "frame": frame: Frame<'a>,
        /// Text that is not UTF-8 was shown with U+FFFD; there only when it was.
        "lossy_text": lossy_text: Option<bool>,
    }
}

object! {
    /// `h2.frame`: the header, and what the type carries; absent where it was cut off.
    #[derive(Default)]
    pub struct Frame<'a> {
        /// `client` or `server`.
        "from": from: Sender,
        /// The type's name; absent where it has none.
        "type": r#type: Option<Word>,
        /// The type's number.
        "type_id": type_id: u8,
        /// The flags set, by name; bits that have none for the type as `0x40`.
        "flags": flags: FlagList,
        /// Payload length.
        "length": length: u32,
        /// The reserved bit of the stream identifier was set; there only when it was.
        "reserved": reserved: Option<bool>,
        /// Bytes of padding (DATA, HEADERS, PUSH_PROMISE with padding).
        "padding_length": padding_length: Option<u8>,
        /// Bytes of data (DATA).
        "data_length": data_length: Option<u32>,
        /// Priority (PRIORITY; HEADERS with the PRIORITY flag).
        "priority": priority: Option<Priority>,
        /// The stream that is promised (PUSH_PROMISE).
        "promised_stream_id": promised_stream_id: Option<u32>,
        /// The stream whose priority changes (PRIORITY_UPDATE).
        "prioritized_stream_id": prioritized_stream_id: Option<u32>,
        /// Bytes of the field block fragment (HEADERS, PUSH_PROMISE, CONTINUATION).
        "fragment_length": fragment_length: Option<u32>,
        /// The last stream that was or will be processed (GOAWAY).
        "last_stream_id": last_stream_id: Option<u32>,
        /// The error's name (RST_STREAM, GOAWAY).
        "code": code: Option<ErrorCode>,
        /// Debug data (GOAWAY).
        "debug": debug: Option<Text<'a>>,
        /// The settings, in order (SETTINGS without ACK).
        "settings": settings: Option<SettingList<'a>>,
        /// Opaque data in hexadecimal (PING).
        "opaque": opaque: Option<Hex<'a>>,
        /// Window size increment (WINDOW_UPDATE).
        "increment": increment: Option<u32>,
        /// The origin (ALTSVC on stream 0).
        "origin": origin: Option<Text<'a>>,
        /// The origins (ORIGIN).
        "origins": origins: Option<OriginList<'a>>,
        /// The field value (ALTSVC, PRIORITY_UPDATE).
        "value": value: Option<Text<'a>>,
    }
}

object! {
    /// `h2.frame.priority`
    pub struct Priority {
        /// The dependency is exclusive.
        "exclusive": exclusive: bool,
        /// The stream depended on.
        "dependency": dependency: u32,
        /// 1 to 256.
        "weight": weight: u16,
    }
}

impl Priority {
    const fn new(priority: frame::Priority) -> Self {
        let frame::Priority { exclusive, dependency, weight } = priority;
        Self { exclusive, dependency, weight }
    }
}

/// `h2.frame.flags`
#[derive(Clone, Copy, Debug, Default)]
pub struct FlagList {
    kind: Option<FrameType>,
    flags: Flags,
}

impl Value for FlagList {
    const TYPE: Type = Type::List(&Word::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let bits = (0..8).filter(|&bit| self.flags.has(1 << bit));
        let name = |bit| self.kind.and_then(|kind| flag_name(kind, bit));
        let hex = |bit| Cow::Owned(format!("{:#x}", 1 << bit));
        visitor.list(bits.map(|bit| name(bit).map_or_else(|| hex(bit), Cow::Borrowed)));
    }
}

/// `h2.frame.settings`
#[derive(Clone, Copy, Debug)]
pub struct SettingList<'a>(Settings<'a>);

object! {
    /// An element of `h2.frame.settings`
    pub struct Setting {
        /// The identifier.
        "id": id: u16,
        /// Its name; absent where it has none.
        "name": name: Option<Word>,
        /// The value.
        "value": value: u32,
    }
}

impl Value for SettingList<'_> {
    const TYPE: Type = Type::List(&Setting::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        let name = |id| frame::settings::name(id).map(Word);
        visitor.list(self.0.iter().map(|(id, value)| Setting { id, name: name(id), value }));
    }
}

/// `h2.frame.origins`
#[derive(Clone, Copy, Debug)]
pub struct OriginList<'a>(Origin<'a>);

impl Value for OriginList<'_> {
    const TYPE: Type = Type::List(&Text::TYPE);

    fn visit(&self, visitor: &mut impl Visitor) {
        visitor.list(self.0.iter().map(Text));
    }
}

impl<'a> FrameObject<'a> {
    /// The record of a frame; `payload` is its own, taken apart.
    pub fn new(connection: &ConnectionMeta, frame: &FrameView<'_>, payload: Option<&'a Payload<'a>>) -> Self {
        let mut record = Self {
            record: Word("frame"),
            timestamp: Time(frame.at.time),
            packet: frame.at.packet,
            h2: H2Frame {
                connection: ConnectionRef::new(connection),
                stream: StreamRef { id: frame.header.stream },
                frame: Frame::new(frame, payload),
                lossy_text: None,
            },
        };
        record.h2.lossy_text = is_lossy(&record).then_some(true);
        record
    }
}

impl<'a> Frame<'a> {
    pub(super) fn new(frame: &FrameView<'_>, payload: Option<&'a Payload<'a>>) -> Self {
        let header = &frame.header;
        let mut carried = payload.map(Self::carrying).unwrap_or_default();
        if frame.is_cut() {
            // What goes on to the frame's end is not whole.
            (carried.settings, carried.origins) = (None, None);
            (carried.debug, carried.value) = (None, None);
        }
        Self {
            from: Sender::new(frame.from_client),
            r#type: header.kind.name().map(Word),
            type_id: header.kind.0,
            flags: FlagList { kind: Some(header.kind), flags: header.flags },
            length: header.length,
            reserved: header.reserved.then_some(true),
            ..carried
        }
    }

    /// What a payload carries, without a header.
    fn carrying(payload: &'a Payload<'a>) -> Self {
        let text = |bytes: &'a [u8]| (!bytes.is_empty()).then_some(Text(bytes));
        let none = Self::default();
        match payload {
            Payload::Data(data) => {
                Self { padding_length: data.padding, data_length: Some(data.data_length), ..none }
            }
            Payload::Headers(headers) => Self {
                padding_length: headers.padding,
                priority: headers.priority.map(Priority::new),
                fragment_length: Some(headers.fragment_length),
                ..none
            },
            Payload::Priority(priority) => Self { priority: Some(Priority::new(*priority)), ..none },
            Payload::RstStream(rst) => Self { code: Some(ErrorCode(rst.code)), ..none },
            Payload::Settings(settings) if settings.ack => none,
            Payload::Settings(settings) => Self { settings: Some(SettingList(*settings)), ..none },
            Payload::PushPromise(push) => Self {
                padding_length: push.padding,
                promised_stream_id: Some(push.promised_stream),
                fragment_length: Some(push.fragment_length),
                ..none
            },
            Payload::Ping(ping) => Self { opaque: Some(Hex(&ping.opaque)), ..none },
            Payload::Goaway(goaway) => Self {
                last_stream_id: Some(goaway.last_stream),
                code: Some(ErrorCode(goaway.code)),
                debug: text(goaway.debug),
                ..none
            },
            Payload::WindowUpdate(update) => Self { increment: Some(update.increment), ..none },
            Payload::Continuation(continuation) => {
                Self { fragment_length: Some(continuation.fragment_length), ..none }
            }
            Payload::AltSvc(altsvc) => {
                Self { origin: text(altsvc.origin), value: text(altsvc.value), ..none }
            }
            Payload::Origin(origins) => Self { origins: Some(OriginList(*origins)), ..none },
            Payload::PriorityUpdate(update) => Self {
                prioritized_stream_id: Some(update.prioritized_stream),
                value: text(update.value),
                ..none
            },
        }
    }
}
