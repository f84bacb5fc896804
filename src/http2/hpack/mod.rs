//! HPACK (RFC 7541): header blocks to fields, also where the dynamic table's past is not known.
//!
//! ```text
//! block ──► decoder ──► Field (borrowed from the block, the static table or the arena)
//!             │  ▲
//!   integer, huffman  table ──► arena (the entries' text, oldest first)
//! ```
//!
//! Whatever a block holds, the decoder keeps the table in step with the encoder's as long as that is possible,
//! and says what is unknown where it is not: see [`Certainty`](crate::base::certainty::Certainty) and [`UnknownRef`](crate::base::certainty::UnknownRef).

mod arena;
mod decoder;
mod field;
mod huffman;
mod integer;
mod name;
mod opening;
mod outcome;
mod static_table;
mod table;

pub use decoder::Decoder;
pub use field::{Field, FieldSink};
pub use name::{NameId, NameSet};
pub use opening::opens_request;
pub use outcome::{Error, ErrorKind, Outcome};
