//! The frame record.

use super::{ConnectionRef, StreamRef, side_name};
use crate::output::value::{ErrorCode, Hex, LossyFlag, Text, Time};
use crate::transaction::ConnectionMeta;
use crate::transaction::frame::{self, Flags, FrameType, FrameView, Origin, Payload, Settings, flag_name};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use std::cell::Cell;

/// A frame. Field block fragments are not decoded in it: only their length is shown.
#[derive(Debug, Serialize)]
pub struct FrameObject<'a> {
    /// Always `frame`.
    record: &'static str,
    /// The packet in which its header began.
    #[serde(rename = "@timestamp")]
    timestamp: Time,
    /// The number of that packet.
    packet: u64,
    /// The frame.
    h2: H2Frame<'a>,
}

/// `h2`
#[derive(Debug, Serialize)]
pub struct H2Frame<'a> {
    /// The connection.
    connection: ConnectionRef,
    /// The stream, 0 for the connection.
    stream: StreamRef,
    /// The frame.
    frame: Frame<'a>,
    /// Text that is not UTF-8 was shown with U+FFFD. Known only when all text has been written: keep it behind.
    #[serde(skip_serializing_if = "LossyFlag::is_unset")]
    lossy_text: LossyFlag<'a>,
}

/// `h2.frame`: the header, and what the type carries.
#[derive(Debug, Default, Serialize)]
pub(in crate::output) struct Frame<'a> {
    /// `client` or `server`.
    from: &'static str,
    /// The type's name; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<&'static str>,
    /// The type's number.
    type_id: u8,
    /// The flags set, by name; bits that have none for the type as `0x40`.
    flags: FlagList,
    /// Payload length.
    length: u32,
    /// The reserved bit of the stream identifier was set; there only when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    reserved: Option<bool>,
    /// What the type carries.
    #[serde(flatten)]
    payload: PayloadFields<'a>,
}

/// What a frame carries, by its type; absent where the type does not carry it, or where it was cut off.
#[derive(Debug, Default, Serialize)]
pub struct PayloadFields<'a> {
    /// Bytes of padding (DATA, HEADERS, PUSH_PROMISE with padding).
    #[serde(skip_serializing_if = "Option::is_none")]
    padding_length: Option<u8>,
    /// Bytes of data (DATA).
    #[serde(skip_serializing_if = "Option::is_none")]
    data_length: Option<u32>,
    /// Priority (PRIORITY; HEADERS with the PRIORITY flag).
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<Priority>,
    /// The stream that is promised (PUSH_PROMISE).
    #[serde(skip_serializing_if = "Option::is_none")]
    promised_stream_id: Option<u32>,
    /// The stream whose priority changes (PRIORITY_UPDATE).
    #[serde(skip_serializing_if = "Option::is_none")]
    prioritized_stream_id: Option<u32>,
    /// Bytes of the field block fragment (HEADERS, PUSH_PROMISE, CONTINUATION).
    #[serde(skip_serializing_if = "Option::is_none")]
    fragment_length: Option<u32>,
    /// The last stream that was or will be processed (GOAWAY).
    #[serde(skip_serializing_if = "Option::is_none")]
    last_stream_id: Option<u32>,
    /// The error's name (RST_STREAM, GOAWAY).
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
    /// Debug data (GOAWAY).
    #[serde(skip_serializing_if = "Option::is_none")]
    debug: Option<Text<'a>>,
    /// The settings, in order (SETTINGS without ACK).
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<SettingList<'a>>,
    /// Opaque data in hexadecimal (PING).
    #[serde(skip_serializing_if = "Option::is_none")]
    opaque: Option<Hex<'a>>,
    /// Window size increment (WINDOW_UPDATE).
    #[serde(skip_serializing_if = "Option::is_none")]
    increment: Option<u32>,
    /// The origin (ALTSVC on stream 0).
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Text<'a>>,
    /// The origins (ORIGIN).
    #[serde(skip_serializing_if = "Option::is_none")]
    origins: Option<OriginList<'a>>,
    /// The field value (ALTSVC, PRIORITY_UPDATE).
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Text<'a>>,
}

/// `h2.frame.priority`
#[derive(Debug, Serialize)]
pub struct Priority {
    /// The dependency is exclusive.
    exclusive: bool,
    /// The stream depended on.
    dependency: u32,
    /// 1 to 256.
    weight: u16,
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

impl Serialize for FlagList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for bit in (0..8).filter(|&bit| self.flags.has(1 << bit)) {
            match self.kind.and_then(|kind| flag_name(kind, bit)) {
                Some(name) => list.serialize_element(name)?,
                None => list.serialize_element(&format!("{:#x}", 1 << bit))?,
            }
        }
        list.end()
    }
}

/// `h2.frame.settings`
#[derive(Clone, Copy, Debug)]
pub struct SettingList<'a>(Settings<'a>);

/// An element of `h2.frame.settings`
#[derive(Debug, Serialize)]
pub struct Setting {
    /// The identifier.
    id: u16,
    /// Its name; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
    /// The value.
    value: u32,
}

impl Serialize for SettingList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let setting = |(id, value)| Setting { id, name: frame::settings::name(id), value };
        serializer.collect_seq(self.0.iter().map(setting))
    }
}

/// `h2.frame.origins`
#[derive(Clone, Copy, Debug)]
pub struct OriginList<'a> {
    origins: Origin<'a>,
    lossy: &'a Cell<bool>,
}

impl Serialize for OriginList<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.origins.iter().map(|bytes| Text { bytes, lossy: self.lossy }))
    }
}

impl<'a> FrameObject<'a> {
    /// The record of a frame. `payload` is its own, taken apart; `lossy` is where text that is not UTF-8 is noted.
    pub(in crate::output) fn new(
        connection: &ConnectionMeta,
        frame: &FrameView<'_>,
        payload: Option<&'a Payload<'a>>,
        lossy: &'a Cell<bool>,
    ) -> Self {
        lossy.set(false);
        Self {
            record: "frame",
            timestamp: Time(frame.at.time),
            packet: frame.at.packet,
            h2: H2Frame {
                connection: ConnectionRef { id: connection.id },
                stream: StreamRef { id: frame.header.stream },
                frame: Frame::new(frame, payload, lossy),
                lossy_text: LossyFlag(lossy),
            },
        }
    }
}

impl<'a> Frame<'a> {
    fn new(frame: &FrameView<'_>, payload: Option<&'a Payload<'a>>, lossy: &'a Cell<bool>) -> Self {
        Self {
            from: side_name(frame.from_client),
            r#type: frame.header.kind.name(),
            type_id: frame.header.kind.0,
            flags: FlagList { kind: Some(frame.header.kind), flags: frame.header.flags },
            length: frame.header.length,
            reserved: frame.header.reserved.then_some(true),
            payload: payload.map(|payload| PayloadFields::new(payload, lossy)).unwrap_or_default(),
        }
    }
}

impl<'a> PayloadFields<'a> {
    /// What a payload carries.
    pub(in crate::output) fn new(payload: &'a Payload<'a>, lossy: &'a Cell<bool>) -> Self {
        let text = |bytes: &'a [u8]| (!bytes.is_empty()).then_some(Text { bytes, lossy });
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
            Payload::Origin(origins) => {
                Self { origins: Some(OriginList { origins: *origins, lossy }), ..none }
            }
            Payload::PriorityUpdate(update) => Self {
                prioritized_stream_id: Some(update.prioritized_stream),
                value: text(update.value),
                ..none
            },
        }
    }
}
