//! What is in the bodies: codings undone, texts, and the messages of the protocols that HTTP carries.
//!
//! Every decoder takes bytes as they come, in pieces of any size, and holds no more than it is told to. What does not
//! decode is told with its reason. What stands behind a hole in the capture never joins what is before it.

pub mod base64_text;
mod brotli;
pub mod chain;
pub mod charset;
pub mod coding;
pub mod credit;
pub mod dns;
pub mod envelope;
mod exchange;
mod exchange_context;
pub mod exchanges;
pub mod files;
pub mod form;
pub mod graphql;
pub mod head;
mod inflate;
pub mod json;
pub mod lines;
pub mod media_type;
pub mod multipart;
mod options;
pub mod protobuf;
pub mod reader;
pub mod redact;
pub mod side;
pub mod sse;
pub mod step;
pub mod tell;
pub mod websocket;
mod zstandard;

pub use exchanges::{Bodies, Listening, Means};
pub use files::Store;
pub use options::Options;
pub use protobuf::Schema;
pub use redact::Redactor;
