//! What the tests are made of: captures built from byte streams, real endpoints whose bytes are recorded, and the
//! program's answer to them.

pub(crate) mod analyze;
pub(crate) mod capture;
pub(crate) mod conversation;
pub(crate) mod damage;
pub(crate) mod endpoints;
pub(crate) mod exchange;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod random;
pub(crate) mod tap;
pub(crate) mod text;
pub(crate) mod tls;

pub(crate) use analyze::Analyze;
pub(crate) use capture::{Capture, Packet};
pub(crate) use conversation::{Conversation, Ends, Side};
pub(crate) use exchange::Exchange;
pub(crate) use outcome::{Call, Outcome};
pub(crate) use random::Random;
pub(crate) use text::{Text, dig, json, json_lines, text};
