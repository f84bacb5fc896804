//! Parts of a capture's connections, as `--partition` writes them in NDJSON, → what one process would have written.
//!
//! Each part is in order, and says where its records belong among all: they are merged as they are read, byte for byte. Paths
//! are added up before they are grouped, telemetry is added number by number. What bounds one process as a whole cannot be
//! known from the parts where it may have struck: the telemetry then says so (`inexact`).
//!
//! A result is whole or there is none: the ends of all parts are read before anything is written, and whether what stands before
//! them is as long as they say; a part that turns out to be damaged is an error.

mod part;
mod set;
mod sum;

pub use set::{MergeError, Source};

use crate::aggregate::{Aggregate, Templates};
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::engine::Attempts;
use crate::export::json_line;
use crate::record::endpoint::Endpoints;
use crate::record::schema::EndpointObject;
use part::{Line, Part, Place};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{Read, Seek, Write};
use sum::Sum;

/// Bytes that are gathered before they are written.
const BUFFER: usize = 128 << 10;

/// Merges all parts of one capture, in whatever order they are given.
///
/// # Errors
/// When these are not all parts of one capture, each whole, and when they cannot be read or the result not written.
pub fn merge<R: Read + Seek>(sources: Vec<Source<R>>, out: &mut impl Write) -> Result<(), MergeError> {
    let (ends, sources) = set::check(sources)?;
    let parts = sources.into_iter().zip(&ends).map(|(source, end)| Part::new(source, end.records)).collect();
    let mut merge = Merge {
        parts,
        next: BinaryHeap::new(),
        attempts: Attempts::default(),
        endpoints: Aggregate::new(Templates::default().into(), limits::ENDPOINT_MEMORY),
        has_endpoints: false,
        telemetry: Vec::new(),
        buffer: Vec::new(),
    };
    merge.records(out)?;
    let mut sum = Sum::new(&ends);
    sum.set(Limit::Retries, merge.attempts.forgotten());
    if merge.has_endpoints {
        let rows = merge.endpoints.rows();
        sum.set(Limit::EndpointPaths, merge.endpoints.folded_paths());
        sum.set(Limit::EndpointRows, rows.folded);
        let mut endpoints = Endpoints::from(rows);
        if ends.iter().any(|end| end.discovery) {
            endpoints.forget_agent_quantiles();
        }
        for row in &endpoints.rows {
            json_line(&mut merge.buffer, &EndpointObject::new(row));
        }
    }
    if !merge.telemetry.is_empty() {
        sum.telemetry(&merge.telemetry, &mut merge.buffer)?;
    }
    out.write_all(&merge.buffer).and_then(|()| out.flush()).map_err(MergeError::Write)
}

struct Merge<R> {
    parts: Vec<Part<R>>,
    /// Where the next record of each part belongs.
    next: BinaryHeap<Reverse<(Place, usize)>>,
    /// Which exchanges of all parts are attempts at the same.
    attempts: Attempts,
    endpoints: Aggregate,
    has_endpoints: bool,
    /// The telemetry record of each part, with its index.
    telemetry: Vec<(usize, String)>,
    buffer: Vec<u8>,
}

impl<R: Read> Merge<R> {
    /// Writes the records that have a place, and gathers the rest.
    fn records(&mut self, out: &mut impl Write) -> Result<(), MergeError> {
        for at in 0..self.parts.len() {
            self.advance(at)?;
        }
        while let Some(Reverse((_, at))) = self.next.pop() {
            if let Some(part) = self.parts.get(at) {
                let pair = part.attempt().and_then(|attempt| self.attempts.meet(attempt));
                part.write(pair, &mut self.buffer);
            }
            if self.buffer.len() >= BUFFER {
                out.write_all(&self.buffer).map_err(MergeError::Write)?;
                self.buffer.clear();
            }
            self.advance(at)?;
        }
        // They come as the parts end.
        self.telemetry.sort_unstable();
        let told = self.telemetry.len();
        if told > 0 && told != self.parts.len() {
            return Err(MergeError::Telemetry);
        }
        Ok(())
    }

    /// Reads a part up to its next record.
    fn advance(&mut self, at: usize) -> Result<(), MergeError> {
        let Some(part) = self.parts.get_mut(at) else { return Ok(()) };
        loop {
            match part.read()? {
                Line::Record(place) => {
                    self.next.push(Reverse((place, at)));
                    return Ok(());
                }
                // Those of all parts together are made anew.
                Line::Endpoint => self.has_endpoints = true,
                Line::Piece(piece) => {
                    self.has_endpoints = true;
                    self.endpoints.add_piece(&piece).map_err(|_| part.damaged())?;
                }
                Line::Telemetry(text) => self.telemetry.push((at, text)),
                Line::End => return Ok(()),
            }
        }
    }
}
