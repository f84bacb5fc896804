//! HTTP/2 events → owned records: exchanges paired, gRPC read, bodies counted.

mod blocks;
mod closed;
mod fields;
mod grpc;
mod lifetime;
mod pairing;
mod record;
mod resets;
mod section;
mod session;
mod side;
mod sink;
mod stats;
mod stream;

// What the records are made of, for those who read them.
pub use crate::flow::DirectionStats;
pub use crate::http2::{error_code, frame};
pub use crate::packet::Endpoint;
pub use crate::tls::{Description as TlsDescription, NotDecrypted};

pub use fields::{Field, Fields, Known, Source, UnknownRef};
pub use pairing::Pairing;
pub use record::{
    ConnectionMeta, ConnectionRecord, EndBy, EndHow, Goaway, Grpc, How, Interim, Message, Partial,
    SideFrames, SideHpack, SideSettings, StreamEnd, Transaction, Unknown, WireShape,
};
pub use session::Session;
pub use side::Reading;
pub use sink::{Finding, RecordSink, Wanted};
pub use stats::Stats;
pub use stream::StreamPool;
