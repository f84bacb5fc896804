//! The message record.

use super::contents::MessageObject;
use super::{ConnectionRef, Socket, StreamRef};
use crate::record::value::{Text, Time, Word};
use crate::record::visit::{Record, object};
use crate::record::{ConnectionMeta, MessageRecord};

object! {
    /// A message of a body, as it ended.
    pub struct MessageRecordObject<'a> {
        /// Always `message`.
        "record": record: Word,
        /// When its last byte came.
        "@timestamp": timestamp: Time,
        /// The request that it belongs to.
        "url": url: MessageUrl<'a>,
        /// The client.
        "client": client: Socket,
        /// The server.
        "server": server: Socket,
        /// Where it was, and what.
        "h2": h2: H2Message<'a>,
    }
}

object! {
    /// `url`
    pub struct MessageUrl<'a> {
        /// `:path` up to the first `?`
        "path": path: Option<Text<'a>>,
    }
}

object! {
    /// `h2`
    pub struct H2Message<'a> {
        /// The connection.
        "connection": connection: ConnectionRef<'a>,
        /// The stream.
        "stream": stream: StreamRef,
        /// The message; `at` counts from the request.
        "message": message: MessageObject<'a>,
    }
}

impl Record for MessageRecordObject<'_> {
    const NAME: &'static str = "message";
    const PLURAL: &'static str = "messages";
}

impl<'a> MessageRecordObject<'a> {
    /// The record of a message.
    pub fn new(connection: &ConnectionMeta, record: &'a MessageRecord) -> Self {
        Self {
            record: Word("message"),
            timestamp: Time(record.message.at),
            url: MessageUrl { path: record.path.as_deref().map(|path| Text(path.as_bytes())) },
            client: Socket::new(connection.client),
            server: Socket::new(connection.server),
            h2: H2Message {
                connection: ConnectionRef::new(connection),
                stream: StreamRef { id: record.stream },
                message: MessageObject::new(&record.message, record.start),
            },
        }
    }
}
