//! HTTP/2 events → owned records: exchanges paired, gRPC read, bodies counted.

mod fields;
mod record;
mod sink;

pub use fields::{Field, Fields, Known, Source, UnknownRef};
pub use record::{
    ConnectionMeta, ConnectionRecord, DirectionTcp, EndBy, EndHow, Goaway, Grpc, How, Interim, Message,
    Partial, SideFrames, SideHpack, SideSettings, StreamEnd, Transaction,
};
pub use sink::{Finding, RecordSink, Wanted};
