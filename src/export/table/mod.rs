//! The table format. Workers make rows of cells; the printer holds them until it knows how wide they are, and prints
//! a long or live table as it goes.
//!
//! A row travels as one line of text: its [`Class`], then its cells, separated by U+001F, then lines that belong to
//! it (header fields), each after U+001E. None of these characters occurs in a cell, since cells hold sanitised text alone.

mod cells;
mod contents;
pub(super) mod course;
mod diff;
mod endpoints;
mod join;
mod layout;
mod print;
mod rows;
mod style;
mod telemetry;
mod zone;

pub(super) use contents::message;
pub(super) use diff::diff;
pub(super) use join::join;
pub(super) use print::{TablePrinter, with_verdict};
pub use rows::Span;
pub(super) use rows::{Size, connection, finding, frame, transaction};
pub use zone::Zone;

use crate::record::Kind;

/// Separates cells.
const CELL: char = '\u{1f}';
/// In the last cell of a transaction: what stands before it is the authority, which is that of the SERVER column.
const REPEATS: char = '\u{1d}';
/// Begins a line that belongs to a row.
const EXTRA: char = '\u{1e}';

/// What a row is about, for its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Nothing to say.
    Plain,
    /// 2xx, or gRPC OK.
    Success,
    /// 1xx, 3xx.
    Other,
    /// 4xx; warnings.
    ClientError,
    /// 5xx, resets, gRPC errors.
    Error,
}

impl Class {
    const fn code(self) -> char {
        match self {
            Self::Plain => ' ',
            Self::Success => 's',
            Self::Other => 'o',
            Self::ClientError => 'c',
            Self::Error => 'e',
        }
    }

    const fn of(code: Option<u8>) -> Self {
        match code {
            Some(b's') => Self::Success,
            Some(b'o') => Self::Other,
            Some(b'c') => Self::ClientError,
            Some(b'e') => Self::Error,
            _ => Self::Plain,
        }
    }
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
struct Column {
    /// Its heading.
    title: &'static str,
    /// Aligned to the right.
    right: bool,
    /// Takes the colour of the row's class.
    colored: bool,
    /// On a narrow terminal the column with the highest number goes first; 0 stays.
    drop: u8,
    /// Its width when rows are printed before others are known.
    usual: usize,
    /// On a terminal it is no wider than this.
    max: usize,
    /// On a line shorter than this it is not shown.
    from: u16,
}

const fn left(title: &'static str, drop: u8, usual: usize) -> Column {
    Column { title, right: false, colored: false, drop, usual, max: 48, from: 0 }
}

const fn right(title: &'static str, drop: u8, usual: usize) -> Column {
    Column { title, right: true, colored: false, drop, usual, max: 48, from: 0 }
}

const fn colored(column: Column) -> Column {
    Column { colored: true, ..column }
}

const fn at_most(column: Column, max: usize) -> Column {
    Column { max, ..column }
}

const fn wide(column: Column) -> Column {
    Column { from: WIDE, ..column }
}

/// Columns of a line that has room for what is not needed to know a call by.
const WIDE: u16 = 120;

/// The heading of times, for which that of their zone is put.
const TIME: &str = "TIME (UTC)";

/// Which cell of a row the time is in: date and time of day, of which the column shows the second.
const TIME_CELL: usize = 0;

/// Which cell of a transaction row tells the server.
const SERVER_CELL: usize = 2;

/// Which cell of a transaction row the agent's verdict goes to.
const AGENT_CELL: usize = 12;

const TRANSACTION: [Column; 14] = [
    left(TIME, 3, 15),
    left("CLIENT", 9, 21),
    left("SERVER", 8, 21),
    right("CONN", 7, 6),
    right("STREAM", 6, 6),
    at_most(left("METHOD", 0, 7), 16),
    colored(right("STATUS", 0, 6)),
    right("DURATION", 2, 9),
    wide(left("WHERE", 4, 18)),
    right("SENT", 8, 8),
    right("RECEIVED", 5, 8),
    colored(at_most(left("NOTE", 1, 20), 24)),
    left("AGENT MISSED", 5, 14),
    left("URL", 0, 0),
];

const CONNECTION: [Column; 15] = [
    left(TIME, 3, 15),
    right("CONN", 0, 6),
    left("CLIENT", 2, 21),
    left("SERVER", 0, 21),
    left("PROTOCOL", 2, 8),
    left("FOUND", 5, 15),
    right("STREAMS", 4, 7),
    right("SENT", 6, 8),
    right("RECEIVED", 6, 8),
    right("GAPS", 7, 5),
    right("DURATION", 1, 9),
    wide(right("RTT", 4, 9)),
    wide(at_most(left("BLOCKED", 4, 24), 32)),
    colored(left("END", 0, 14)),
    left("TLS", 0, 0),
];

const FRAME: [Column; 9] = [
    left(TIME, 3, 15),
    right("PACKET", 2, 7),
    right("CONN", 4, 6),
    right("STREAM", 0, 6),
    left("FROM", 0, 6),
    colored(left("TYPE", 0, 13)),
    right("LENGTH", 1, 6),
    left("FLAGS", 0, 22),
    left("CARRIES", 0, 0),
];

const FINDING: [Column; 9] = [
    left(TIME, 3, 15),
    right("PACKET", 2, 7),
    right("CONN", 1, 6),
    right("STREAM", 0, 6),
    left("FROM", 0, 6),
    colored(left("SEVERITY", 0, 8)),
    left("RFC", 1, 10),
    right("COUNT", 0, 5),
    left("CODE", 0, 0),
];

const MESSAGE: [Column; 8] = [
    left(TIME, 3, 15),
    right("CONN", 1, 6),
    right("STREAM", 0, 6),
    left("FROM", 0, 6),
    right("AT", 2, 9),
    right("SIZE", 0, 8),
    at_most(left("KIND", 0, 16), 40),
    left("VALUE", 0, 0),
];

/// The columns of a kind of record; the last one takes the room that is left.
const fn columns(kind: Kind) -> &'static [Column] {
    match kind {
        Kind::Transaction => &TRANSACTION,
        Kind::Connection => &CONNECTION,
        Kind::Frame => &FRAME,
        Kind::Message => &MESSAGE,
        Kind::Finding => &FINDING,
    }
}
