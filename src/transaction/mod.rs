//! HTTP/2 events → owned records: exchanges paired, gRPC read, bodies counted.

mod fields;
mod record;
mod sink;

// What the records are made of, for those who read them.
pub use crate::http2::{error_code, frame};
pub use crate::packet::Endpoint;
pub use crate::tls::{Description as TlsDescription, NotDecrypted};

pub use fields::{Field, Fields, Known, Source, UnknownRef};
pub use record::{
    ConnectionMeta, ConnectionRecord, DirectionTcp, EndBy, EndHow, Goaway, Grpc, How, Interim, Message,
    Partial, SideFrames, SideHpack, SideSettings, StreamEnd, Transaction,
};
pub use sink::{Finding, RecordSink, Wanted};
