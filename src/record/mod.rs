//! The records: what finished exchanges, connections, frames and findings are known to have been, and the telemetry
//! that a capture adds up to. No stage is known here but for HTTP/2's views of frames and its numbers of names.

mod community_id;
mod connection;
mod consumer;
mod contents;
pub mod diff;
mod end;
mod ending;
pub mod endpoint;
mod exchange_ref;
mod fields;
mod finding;
pub mod grpc;
mod grpc_status;
mod lossy;
mod nothing;
mod order;
mod outcome;
pub mod pair;
mod part;
mod partial;
pub mod path;
mod priority;
mod redact;
mod report;
mod route;
pub mod schema;
mod segment;
mod sink;
mod step;
mod steps;
mod tally;
mod time;
pub mod trace;
mod transaction;
pub mod value;
mod view;
pub mod visit;

#[cfg(test)]
pub(crate) mod samples;

pub use connection::{
    ConnectionMeta, ConnectionRecord, ConnectionState, Goaway, Parent, Recognition, RecognitionEvidence,
    SideFrames, SideHpack, SideSettings,
};
pub use consumer::{Annotation, AttemptWords, Consumer, Part};
pub use contents::{
    Body, BodyError, BodyFile, BodyMessage, Content, Contents, Events, GraphQl, MessageRecord, WebSocketEnd,
};
pub use end::{EndBy, EndHow, StreamEnd};
pub use ending::{EndCause, Ending, Evidence, Retry};
pub use exchange_ref::ExchangeRef;
pub use fields::{Field, FieldName, Fields};
pub use finding::{Detail, Finding};
pub use grpc::{Grpc, GrpcBody};
pub use nothing::Nothing;
pub use order::{Kind, Order, Places};
pub use outcome::{Failure, status_code};
pub use part::{PartOf, PartReport};
pub use partial::{Partial, Unknown};
pub use priority::{Dependency, Priority, Urgency};
pub use redact::{REDACTED, SECRET_FIELDS, is_secret};
pub use report::{
    AgentEndpoint, AgentLatency, AgentStatus, AgentView, Coverage, Delta, InFlight, Interval, OpenExchange,
    Report, Reuse, View,
};
pub use route::Routes;
pub use segment::SegmentView;
pub use sink::{RecordSink, Wanted};
pub use step::{Credit, Part as SectionPart, Section, Step, StepKind};
pub use steps::Steps;
pub use tally::{DURATION_BOUNDS, Histogram, STATUS_CLASSES, Tally, TallySide};
pub use time::{
    Blocked, ConnectionTiming, Handshakes, Inversion, Pushes, RoundTrips, Time, TimePart, TimeParts,
    WindowFacts,
};
pub use transaction::{HeaderBytes, Interim, Message, Transaction, WireShape};
pub use view::TransactionView;
