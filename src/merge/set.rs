//! Are these all the parts of one capture, each of them whole? Their last lines say so.

use crate::base::tuning;
use serde_json::Value;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use thiserror::Error;

/// A part that is to be read.
#[derive(Debug)]
pub struct Source<R> {
    /// What messages call it.
    pub name: String,
    /// Its NDJSON.
    pub file: R,
}

/// Why there is no result.
#[derive(Debug, Error)]
pub enum MergeError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Read(String, io::Error),
    /// Its last line is not that of a part.
    #[error("{0}: not a whole part: it is no NDJSON of --partition, or its end is missing")]
    NotWhole(String),
    /// What stands before its last line is not as long as that says.
    #[error("{0}: lines are missing, or are not as they were written")]
    Changed(String),
    /// A line is not what was written.
    #[error("{0}: line {1} is damaged")]
    Damaged(String, u64),
    /// It does not belong to the first one.
    #[error("{0}: made {2} than {1}")]
    Other(String, String, &'static str),
    /// Two are the same part.
    #[error("{0} and {1} are both part {2}")]
    Twice(String, String, usize),
    /// Some are not there.
    #[error("of {of} parts {} not there: {}", if missing.len() == 1 { "one is" } else { "these are" }, list(missing))]
    Missing {
        /// How many there should be.
        of: usize,
        /// Which are missing.
        missing: Vec<usize>,
    },
    /// Some parts have telemetry, others have not, or it does not add up.
    #[error("the parts' telemetry records do not belong together")]
    Telemetry,
    /// The result cannot be written.
    #[error("cannot write the output: {0}")]
    Write(io::Error),
}

impl MergeError {
    /// The reader of the output has closed it: nobody wants to read more.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Write(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

fn list(parts: &[usize]) -> String {
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The last line of a part.
#[derive(Debug)]
pub(super) struct End {
    index: usize,
    of: usize,
    inputs: Vec<String>,
    version: String,
    settings: String,
    packets: u64,
    secrets: u64,
    /// Lines before it.
    pub(super) records: u64,
    /// Bytes of these.
    bytes: u64,
    /// What there is once in a process, by its limit's name: the most that was wanted, and how much there is.
    pub(super) loads: Vec<(String, u64, u64)>,
    /// Where `agent.endpoints` belong among those of all.
    pub(super) seen: Vec<(u64, u64)>,
    /// The agent's statistics have no quantiles.
    pub(super) discovery: bool,
}

/// The last lines of all parts and what is to be read, in the order of the parts.
pub(super) fn check<R: Read + Seek>(
    sources: Vec<Source<R>>,
) -> Result<(Vec<End>, Vec<Source<R>>), MergeError> {
    let mut parts = Vec::with_capacity(sources.len());
    for mut source in sources {
        let last =
            last_line(&mut source.file).map_err(|error| MergeError::Read(source.name.clone(), error))?;
        let end = last.and_then(|(before, line)| Some((before, End::parse(&line)?)));
        let (before, end) = end.ok_or_else(|| MergeError::NotWhole(source.name.clone()))?;
        if before != end.bytes {
            return Err(MergeError::Changed(source.name));
        }
        parts.push((end, source));
    }
    parts.sort_by_key(|(end, _)| end.index);
    for pair in parts.windows(2) {
        let [(one, first), (other, second)] = pair else { continue };
        if let Some(difference) = one.difference(other) {
            return Err(MergeError::Other(second.name.clone(), first.name.clone(), difference));
        }
        if one.index == other.index {
            return Err(MergeError::Twice(first.name.clone(), second.name.clone(), one.index));
        }
    }
    let of = parts.first().map_or(1, |(end, _)| end.of);
    let missing: Vec<_> = (0..of).filter(|index| !parts.iter().any(|(end, _)| end.index == *index)).collect();
    if !missing.is_empty() {
        return Err(MergeError::Missing { of, missing });
    }
    Ok(parts.into_iter().unzip())
}

impl End {
    fn parse(line: &[u8]) -> Option<Self> {
        let line: Value = serde_json::from_slice(line).ok()?;
        let size = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok());
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let partition =
            line.get("partition").filter(|_| line.get("record").is_some_and(|kind| kind == "part"))?;
        let load = |load: &Value| {
            Some((text(load.get("limit")?)?, load.get("most")?.as_u64()?, load.get("cap")?.as_u64()?))
        };
        let seen = |seen: &Value| Some((seen.get(0)?.as_u64()?, seen.get(1)?.as_u64()?));
        let (index, of) = (size(partition.get("index")?)?, size(partition.get("of")?)?);
        (index < of && of <= tuning::SLICES).then_some(())?;
        Some(Self {
            index,
            of,
            inputs: partition.get("inputs")?.as_array()?.iter().map(text).collect::<Option<_>>()?,
            version: text(line.get("version")?)?,
            settings: text(line.get("settings")?)?,
            packets: line.get("packets")?.as_u64()?,
            secrets: line.get("secrets")?.as_u64()?,
            records: line.get("records")?.as_u64()?,
            bytes: line.get("bytes")?.as_u64()?,
            loads: line.get("loads")?.as_array()?.iter().map(load).collect::<Option<_>>()?,
            discovery: line.get("discovery")?.as_bool()?,
            seen: line.get("seen")?.as_array()?.iter().map(seen).collect::<Option<_>>()?,
        })
    }

    /// What keeps two from being parts of one whole.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        // Other machines may have the captures elsewhere.
        let names = |end: &Self| -> Vec<_> {
            end.inputs.iter().map(|name| Path::new(name).file_name().map(ToOwned::to_owned)).collect()
        };
        if self.version != other.version {
            Some("by another version")
        } else if self.settings != other.settings || self.loads.len() != other.loads.len() {
            Some("with other options")
        } else if self.of != other.of {
            Some("as one of another number of parts")
        } else if self.packets != other.packets || names(self) != names(other) {
            Some("of another capture")
        } else if self.secrets != other.secrets {
            Some("with other TLS secrets")
        } else {
            None
        }
    }
}

/// The last line, if it has an end, and how many bytes stand before it. Leaves the file at its beginning.
fn last_line(file: &mut (impl Read + Seek)) -> io::Result<Option<(u64, Vec<u8>)>> {
    const STEP: u64 = 64 << 10;
    let end = file.seek(SeekFrom::End(0))?;
    let (mut start, mut line) = (end, Vec::new());
    let found = loop {
        if start == 0 || end - start >= tuning::MERGE_LINE {
            break (start == 0).then_some(0);
        }
        let from = start.saturating_sub(STEP);
        file.seek(SeekFrom::Start(from))?;
        let mut piece = vec![0; (start - from) as usize];
        file.read_exact(&mut piece)?;
        // The end of the last line is none of the line before.
        let within = if start == end { piece.len().saturating_sub(1) } else { piece.len() };
        let before = memchr::memrchr(b'\n', piece.get(..within).unwrap_or_default());
        line.push(piece);
        start = from;
        if let Some(before) = before {
            break Some(before + 1);
        }
    };
    file.seek(SeekFrom::Start(0))?;
    line.reverse();
    let mut line = line.concat();
    let whole = line.last() == Some(&b'\n');
    let line = found.filter(|_| whole).map(|from| line.split_off(from.min(line.len())));
    Ok(line.map(|line| (end - line.len() as u64, line)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn last(text: &str) -> Option<String> {
        let mut file = Cursor::new(text.as_bytes().to_vec());
        let line = last_line(&mut file).unwrap();
        assert_eq!(file.position(), 0);
        line.map(|(before, line)| {
            assert_eq!(before as usize + line.len(), text.len());
            String::from_utf8(line).unwrap()
        })
    }

    #[test]
    fn the_last_line_is_found_whatever_its_length() {
        for len in [1, 100, (64 << 10) - 1, 64 << 10, (64 << 10) + 1, 200_000] {
            let line = "x".repeat(len - 1) + "\n";
            assert_eq!(last(&line).unwrap(), line);
            for before in ["\n", "a\n", &("y".repeat(70_000) + "\n")] {
                assert_eq!(last(&(before.to_owned() + &line)).unwrap(), line, "{len}");
            }
        }
    }

    #[test]
    fn a_line_without_an_end_is_none() {
        for text in ["", "x", "a\nx"] {
            assert_eq!(last(text), None);
        }
    }
}
