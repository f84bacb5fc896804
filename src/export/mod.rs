//! Records → bytes. Worker threads render the records as they end ([`Renderer`]); the thread that owns the
//! output prints them in order ([`Printer`]), and puts in what is known only then: the agent's verdict.
//!
//! | format | one record is |
//! |---|---|
//! | `ndjson` | one JSON object on one line ([`schema`](crate::record::schema)) |
//! | `json` | one element of one array |
//! | `csv` | one row (`csv.rs`) |
//! | `table` | one row of text for a terminal (`table/`) |

mod csv;
mod json;
mod printer;
mod renderer;
mod sanitize;
pub mod schema;
mod table;

#[cfg(test)]
mod tests;

pub use printer::{PrintError, Printer};
pub use renderer::Renderer;
pub use sanitize::visible;

use crate::base::tuning;
use crate::record::schema::Shown;
use crate::record::visit::Object;
use crate::record::{Order, Wanted};
use std::ops::Range;

/// Appends an object as one line of JSON.
pub fn json_line(out: &mut Vec<u8>, object: &impl Object) {
    json::write(out, object);
    out.push(b'\n');
}

/// How records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Rows for people.
    Table,
    /// One JSON object a line.
    #[default]
    Ndjson,
    /// One JSON array.
    Json,
    /// Comma separated values with a header row; one kind of record.
    Csv,
}

/// What is rendered, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The format.
    pub format: Format,
    /// The records to render, and whether transactions show all header fields.
    pub wanted: Wanted,
    /// Show the values of secret fields.
    pub show_secrets: bool,
    /// Excerpts of contents are printed below the rows of a table.
    pub excerpts: bool,
    /// Colour the table.
    pub color: bool,
    /// Columns of the terminal; `None` where lines may be as long as they want.
    pub width: Option<u16>,
    /// Print table rows as they come, instead of holding a short table to fit its columns.
    pub live: bool,
    /// Below a table of transactions, say in a few lines what they add up to.
    pub footer: bool,
}

impl Options {
    /// What records show.
    const fn shown(&self) -> Shown {
        Shown { headers: self.wanted.headers, secrets: self.show_secrets }
    }

    /// Whether transactions say what the agent would have made of them.
    pub const fn agent(&self) -> bool {
        self.wanted.transactions && self.wanted.telemetry
    }

    /// Records of more than one kind are shown, telemetry aside.
    const fn several_kinds(&self) -> bool {
        let Wanted { transactions, connections, frames, findings, messages, .. } = self.wanted;
        transactions as u8 + connections as u8 + frames as u8 + findings as u8 + messages as u8 > 1
    }

    /// Telemetry is the only record shown.
    const fn only_telemetry(&self) -> bool {
        let Wanted { transactions, endpoints, connections, frames, findings, telemetry, messages, .. } =
            self.wanted;
        telemetry && !(transactions || endpoints || connections || frames || findings || messages)
    }
}

/// What one worker rendered from one batch: bytes, and which record stands where. Used again and again.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The records' text, one behind the other.
    pub bytes: Vec<u8>,
    /// The records.
    pub items: Vec<Item>,
}

impl Rendered {
    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(tuning::TEXT_KEPT);
        self.items.clear();
        self.items.shrink_to(tuning::LIST_KEPT / size_of::<Item>());
    }
}

/// A rendered record.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its place among all records.
    pub order: Order,
    /// Its text within [`Rendered::bytes`].
    pub range: Range<u32>,
    /// Where the agent's verdict goes; of transactions only, when it is wanted.
    pub agent: Option<AgentSlot>,
}

/// Where a transaction's record waits for the agent's verdict.
#[derive(Clone, Copy, Debug)]
pub struct AgentSlot {
    /// Offset in [`Rendered::bytes`].
    pub at: u32,
}
