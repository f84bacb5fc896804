//! One part, read line by line.

use super::set::{MergeError, Source};
use crate::base::tuning;
use crate::engine::{Attempt, Pair};
use crate::export::json_annotation;
use crate::record::{AttemptWords, ExchangeRef};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::io::{BufRead, BufReader, Read};

/// Where a record belongs among all: the packet that completed it, `u64::MAX` for the end of the capture, and its connection.
pub(super) type Place = (u64, u64);

/// What a line is.
#[derive(Debug)]
pub(super) enum Line {
    /// A record with its place; [`Part::line`] has it.
    Record(Place),
    /// An endpoint of this part's connections.
    Endpoint,
    /// A path with its numbers.
    Piece(Vec<u8>),
    /// The telemetry record.
    Telemetry(String),
    /// The part is over.
    End,
}

/// A part that is being read.
#[derive(Debug)]
pub(super) struct Part<R> {
    name: String,
    reader: BufReader<R>,
    line: Vec<u8>,
    /// Lines read.
    lines: u64,
    /// Lines before the last one, as that says.
    records: u64,
    place: Option<Place>,
    attempt: Option<Attempt>,
    /// Where in the line what names the other attempt goes.
    gap: usize,
    /// The finding that the exchange was executed twice, with none named.
    finding: Vec<u8>,
}

/// How that finding names the other exchange until it is known.
const NO_EXCHANGE: &[u8] = br#""attempt":{"connection":0,"stream":0}"#;

impl<R: Read> Part<R> {
    /// A part that says to have so many lines before its last.
    pub(super) fn new(source: Source<R>, records: u64) -> Self {
        let Source { name, file } = source;
        let reader = BufReader::with_capacity(tuning::MERGE_READ_BYTES, file);
        Self {
            name,
            reader,
            line: Vec::new(),
            lines: 0,
            records,
            place: None,
            attempt: None,
            gap: 0,
            finding: Vec::new(),
        }
    }

    /// The record read last, as an attempt at something.
    pub(super) const fn attempt(&self) -> Option<&Attempt> {
        self.attempt.as_ref()
    }

    /// Appends the record read last, which may be none, with the other attempt at the same.
    pub(super) fn write(&self, pair: Option<Pair>, out: &mut Vec<u8>) {
        let Some(pair) = pair else { return out.extend_from_slice(&self.line) };
        if let Some((head, tail)) = self.line.split_at_checked(self.gap).filter(|_| self.gap > 0) {
            out.extend_from_slice(head);
            json_annotation(out, Pair::annotation(Some(pair), None));
            out.extend_from_slice(tail);
        }
        if let Some(at) = memchr::memmem::rfind(&self.finding, NO_EXCHANGE).filter(|_| pair.executed_twice) {
            let ExchangeRef { connection, stream } = pair.other;
            let (head, rest) = self.finding.split_at_checked(at).unwrap_or_default();
            out.extend_from_slice(head);
            let named = format!("\"attempt\":{{\"connection\":{connection},\"stream\":{stream}}}");
            out.extend_from_slice(named.as_bytes());
            out.extend_from_slice(rest.get(NO_EXCHANGE.len()..).unwrap_or_default());
        }
    }

    /// It is not what was written.
    pub(super) fn damaged(&self) -> MergeError {
        MergeError::Damaged(self.name.clone(), self.lines)
    }

    /// Reads on to the next line that is something.
    pub(super) fn read(&mut self) -> Result<Line, MergeError> {
        (self.attempt, self.gap) = (None, 0);
        self.finding.clear();
        loop {
            self.next_line()?;
            let line = self.line.as_slice();
            let Some(kind) = line.strip_prefix(br#"{"record":""#) else { return Err(self.damaged()) };
            let is = |name: &[u8]| kind.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"\""));
            let read = if is(b"order") {
                self.order().then_some(None)
            } else if is(b"attempt") {
                return self.exchange();
            } else if is(b"part") {
                (self.lines == self.records + 1 && self.at_end()?).then_some(Some(Line::End))
            } else if is(b"paths") {
                piece(line).map(|piece| Some(Line::Piece(piece)))
            } else if is(b"endpoint") {
                Some(Some(Line::Endpoint))
            } else if is(b"telemetry") {
                std::str::from_utf8(line).ok().map(|text| Some(Line::Telemetry(text.trim_end().to_owned())))
            } else {
                self.place.map(|place| Some(Line::Record(place)))
            };
            match read {
                Some(Some(line)) => return Ok(line),
                Some(None) => {}
                None => return Err(self.damaged()),
            }
        }
    }

    /// Reads what is told of an exchange, with its record if there is one, and the finding that may be one.
    fn exchange(&mut self) -> Result<Line, MergeError> {
        let Some((attempt, behind, finding)) = attempt(&self.line) else { return Err(self.damaged()) };
        let Some(place) = self.place else { return Err(self.damaged()) };
        self.attempt = Some(attempt);
        self.line.clear();
        if let Some(behind) = behind {
            self.next_line()?;
            let gap = self.line.len().checked_sub(behind).filter(|gap| *gap > 0);
            self.gap = gap.ok_or_else(|| self.damaged())?;
        }
        if finding {
            std::mem::swap(&mut self.line, &mut self.finding);
            self.next_line()?;
            std::mem::swap(&mut self.line, &mut self.finding);
        }
        Ok(Line::Record(place))
    }

    fn next_line(&mut self) -> Result<(), MergeError> {
        self.line.clear();
        self.line.shrink_to(tuning::TEXT_KEPT);
        self.lines += 1;
        let mut limited = (&mut self.reader).take(tuning::MERGE_LINE);
        match limited.read_until(b'\n', &mut self.line) {
            // As it was written: what made other ends of the lines would show in the result.
            Ok(_) if self.line.ends_with(b"}\n") => Ok(()),
            Ok(_) => Err(self.damaged()),
            Err(error) => Err(MergeError::Read(self.name.clone(), error)),
        }
    }

    /// Nothing follows.
    fn at_end(&mut self) -> Result<bool, MergeError> {
        let rest = self.reader.fill_buf().map(<[u8]>::is_empty);
        rest.map_err(|error| MergeError::Read(self.name.clone(), error))
    }

    /// Takes the place of the records that follow; false when it is none, or none behind the last.
    fn order(&mut self) -> bool {
        let Ok(line) = serde_json::from_slice::<Value>(&self.line) else { return false };
        let packet = line.get("packet").map_or(Some(u64::MAX), Value::as_u64);
        let place = packet.zip(line.get("connection").and_then(Value::as_u64));
        let follows = place.is_some() && place >= self.place;
        self.place = place;
        follows
    }
}

/// An exchange's line: the attempt that it is, the bytes of the record's line behind the gap, and whether a finding follows.
fn attempt(line: &[u8]) -> Option<(Attempt, Option<usize>, bool)> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let mut words = AttemptWords::default().map(u64::to_le_bytes);
    let length = STANDARD.decode_slice(line.get("is")?.as_str()?, words.as_flattened_mut()).ok()?;
    let attempt =
        (length == size_of_val(&words)).then(|| Attempt::from_words(words.map(u64::from_le_bytes)))?;
    let behind = line.get("behind")?.as_u64().and_then(|behind| usize::try_from(behind).ok());
    Some((attempt, behind, line.get("finding")?.as_bool()?))
}

/// The bytes of a path's line.
fn piece(line: &[u8]) -> Option<Vec<u8>> {
    let line: Value = serde_json::from_slice(line).ok()?;
    STANDARD.decode(line.get("piece")?.as_str()?).ok()
}
