//! Chrome trace events in the JSON object format, for Perfetto and `chrome://tracing`: a process a connection, an
//! asynchronous slice an exchange, and in it a slice a piece of its time. Resets and GOAWAY are instants, open streams and
//! credit counters.

use super::json;
use crate::base::time::Timestamp;
use crate::http2::frame::{FrameType, FrameView, Payload};
use crate::record::schema::FrameObject;
use crate::record::schema::transaction::{ErrorType, Http, Rpc, Url};
use crate::record::visit::object;
use crate::record::{ConnectionMeta, ConnectionRecord, ConnectionState, TransactionView};
use std::io::Write;

/// What stands before the events.
pub(super) const OPENING: &str = r#"{"displayTimeUnit":"ns","traceEvents":["#;
/// What stands behind all.
pub(super) const CLOSING: &str = "}}\n";

object! {
    /// What an exchange's slice tells.
    struct Arguments<'a>(view: &'a TransactionView<'a>) {
        /// Method, status, sizes.
        "http": Http<'a> = Http(view),
        /// Scheme, path, query.
        "url": Url<'a> = Url::new(view),
        /// gRPC.
        "rpc": Option<Rpc<'a>> = Rpc::new(view),
        /// What went wrong.
        "error": Option<ErrorType> = view.failure().map(ErrorType::new),
        /// Nothing of the exchange is missing.
        "complete": bool = view.transaction.partial.is_empty(),
    }
}

// Writing into memory cannot fail: the results of `write!` are dropped.

/// Appends what ends the events, and tells of them all. `start`: the capture's first packet, from which times count.
pub(super) fn other_data(out: &mut Vec<u8>, start: Option<Timestamp>) {
    out.extend_from_slice(
        concat!("],\"otherData\":{\"version\":\"h2lens ", env!("CARGO_PKG_VERSION"), "\"").as_bytes(),
    );
    if let Some(start) = start {
        let _ = write!(out, ",\"start\":\"{start}\"");
    }
}

/// Appends the process's name: whom the connection is for, its number, and whose it is.
pub(super) fn process_name(out: &mut Vec<u8>, connection: &ConnectionRecord) {
    let ConnectionMeta { id, client, server, authority, .. } = &connection.meta;
    let _ = write!(out, r#"{{"name":"process_name","ph":"M","pid":{id},"tid":{id},"args":{{"name":"#);
    let server = server.to_string();
    let authority = authority.as_deref().unwrap_or(server.as_bytes());
    json::push_text(out, &[authority, format!(" #{id} {client}").as_bytes()].concat());
    out.extend_from_slice(b"}}\n");
}

/// Writes events of one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Events {
    /// The capture's first packet.
    pub(super) start: Timestamp,
    /// The connection's number: process and thread.
    pub(super) connection: u64,
}

impl Events {
    /// Appends an exchange: its slice, and the pieces of its time in it.
    pub(super) fn exchange(self, out: &mut Vec<u8>, view: &TransactionView<'_>) {
        let transaction = view.transaction;
        let name = [view.method.unwrap_or(b"HTTP"), b" ", view.path.unwrap_or_default()].concat();
        let name = view.rpc_method().unwrap_or(name.trim_ascii_end());
        let stream = transaction.stream;
        let (begin, end) = (transaction.first.time.as_nanos(), transaction.ended_at.as_nanos());
        self.begin(out, name, b'b', begin, stream);
        out.extend_from_slice(b",\"args\":");
        json::write(out, &Arguments(view));
        out.extend_from_slice(b"},\n");
        let mut at = begin;
        for &(part, nanos) in transaction.pieces.iter().filter(|_| transaction.time.is_some()) {
            for (phase, at) in [(b'b', at), (b'e', at.saturating_add(nanos))] {
                self.begin(out, part.name().as_bytes(), phase, at, stream);
                out.extend_from_slice(b"},\n");
            }
            at = at.saturating_add(nanos);
        }
        self.begin(out, name, b'e', end.max(begin), stream);
        out.extend_from_slice(b"}\n");
    }

    /// Appends RST_STREAM or GOAWAY; whether it was one.
    pub(super) fn frame(
        self,
        out: &mut Vec<u8>,
        connection: &ConnectionMeta,
        frame: &FrameView<'_>,
        payload: Option<&Payload<'_>>,
    ) -> bool {
        if !matches!(frame.header.kind, FrameType::RST_STREAM | FrameType::GOAWAY) {
            return false;
        }
        let record = FrameObject::new(connection, frame, payload);
        let scope = if frame.header.stream == 0 { 'p' } else { 't' };
        let name = frame.header.kind.name().unwrap_or_default();
        let _ = write!(out, r#"{{"name":"{name}","cat":"h2","ph":"i","s":"{scope}""#);
        self.place(out, frame.at.time.as_nanos());
        let _ = write!(out, r#","args":{{"stream":{},"frame":"#, frame.header.stream);
        json::write(out, &record.h2.frame);
        out.extend_from_slice(b"}}\n");
        true
    }

    /// Appends the counters as they are from here on.
    pub(super) fn state(self, out: &mut Vec<u8>, at: Timestamp, state: &ConnectionState) {
        let ConnectionState { open_streams, client_credit, server_credit } = *state;
        out.extend_from_slice(br#"{"name":"open streams","ph":"C""#);
        self.place(out, at.as_nanos());
        let _ = writeln!(out, r#","args":{{"streams":{open_streams}}}}},"#);
        out.extend_from_slice(br#"{"name":"credit","ph":"C""#);
        self.place(out, at.as_nanos());
        let _ = writeln!(out, r#","args":{{"client":{client_credit},"server":{server_credit}}}}}"#);
    }

    /// An event of an exchange, but for its end.
    fn begin(self, out: &mut Vec<u8>, name: &[u8], phase: u8, at: u64, stream: u32) {
        out.extend_from_slice(b"{\"name\":");
        json::push_text(out, name);
        let _ = write!(out, r#","cat":"h2","ph":"{}""#, char::from(phase));
        self.place(out, at);
        let _ = write!(out, r#","id2":{{"local":"{}/{stream}"}}"#, self.connection);
    }

    /// When, in microseconds since the capture's first packet, and where.
    fn place(self, out: &mut Vec<u8>, at: u64) {
        let nanos = at.saturating_sub(self.start.as_nanos());
        let (micros, rest) = (nanos / 1000, nanos % 1000);
        let _ = write!(out, r#","ts":{micros}.{rest:03},"pid":{0},"tid":{0}"#, self.connection);
    }
}
