//! Bytes → HTTP/2 events: frames (RFC 9113), header blocks (RFC 7541), and what can be read after a loss.
//!
//! [`Connection`] takes the ordered bytes of both sides and pushes what they say into an [`EventSink`].
//! [`Detector`] recognises a connection that was joined late.

mod anomaly;
mod block;
mod bulk;
mod connection;
mod counters;
mod detect;
mod doubt;
pub mod error_code;
mod event;
mod expansion;
mod foreign;
pub mod frame;
mod half;
pub mod hpack;
mod ledger;
mod plausibility;
mod resync;
mod rules;
mod side;
mod stream_map;
mod tee;

pub use anomaly::{Anomaly, Description, Severity};
pub use block::{Block, BlockEnd, FrameSpot};
pub use connection::{Connection, Start};
pub use counters::Counters;
pub use detect::{Detector, Recognised};
pub use event::{EventContext, EventSink, ResetPlace, SettingsChange, UpgradeRequest};
pub use foreign::Foreign;
pub use half::PREFACE;
pub use ledger::{
    CONNECTION_WINDOW, EarlyAcknowledgments, Flow, Ledger, SettingsValues, WindowChange, is_low, opener,
};
pub use side::{PerSide, Side};
pub use stream_map::StreamMap;
