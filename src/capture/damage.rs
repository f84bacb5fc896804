//! What is wrong with an input that could be opened.

use std::fmt;

/// A kind of damage in one input: where it was met first, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The input's name.
    pub input: String,
    /// What is wrong.
    pub kind: DamageKind,
    /// Packets of this input that stand before the place.
    pub packets: u64,
    /// Offset of the place in the input, in bytes, after decompression.
    pub offset: u64,
    /// Places like this one in the input, this one included.
    pub times: u64,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DamageKind {
    /// The input ends within a packet. What is there of it is delivered.
    CutPacket {
        /// Bytes that are there.
        present: u64,
        /// Bytes that should be.
        captured: u64,
    },
    /// The input ends within the header of a packet, or within a block that is none.
    CutHeader,
    /// Bytes that are no packet and no block. Reading went on where the next believable one begins.
    Corrupt {
        /// Bytes skipped, at all such places.
        skipped: u64,
    },
    /// No packet and no block in the [`crate::base::limits::SEARCH_BYTES`] after the place. The rest is not read.
    GivenUp,
    /// A block whose inside contradicts itself. It is left out.
    CorruptBlock,
    /// The two lengths of a block differ. The block is used.
    BlockLengths,
    /// A packet of an interface that the input does not describe, or describes beyond
    /// [`crate::base::limits::INTERFACES`]. It is left out.
    UnknownInterface,
    /// TLS secrets beyond [`crate::base::limits::SECRETS_BYTES`]. They are left out.
    SecretsDropped,
    /// The compressed stream ends early.
    CompressedCut,
    /// The compressed stream is corrupt, or followed by something else.
    Decompress(String),
    /// Reading failed.
    Read(String),
}

impl Damage {
    /// The input has less than it should have: always, but for [`DamageKind::BlockLengths`].
    #[cfg(any(test, feature = "internals"))]
    pub fn loses_packets(&self) -> bool {
        self.kind != DamageKind::BlockLengths
    }
}

/// One line for standard error.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { input, packets, offset, times, .. } = self;
        write!(f, "{input}: ")?;
        match &self.kind {
            DamageKind::CutPacket { present, captured } => {
                write!(f, "cut off in packet {}: {present} of {captured} bytes are there", packets + 1)?;
            }
            DamageKind::CutHeader => write!(f, "cut off after packet {packets}")?,
            DamageKind::Corrupt { skipped } => {
                write!(f, "corrupt after packet {packets} (byte {offset}): {skipped} bytes skipped")?;
            }
            DamageKind::GivenUp => {
                write!(f, "corrupt after packet {packets} (byte {offset}): the rest is not read")?;
            }
            DamageKind::CorruptBlock => {
                write!(f, "corrupt block after packet {packets} (byte {offset}), left out")?;
            }
            DamageKind::BlockLengths => {
                write!(f, "block with two lengths after packet {packets} (byte {offset})")?;
            }
            DamageKind::UnknownInterface => {
                write!(f, "packet of an unknown interface after packet {packets} (byte {offset}), left out")?;
            }
            DamageKind::SecretsDropped => write!(f, "too many TLS secrets, the rest is not used")?,
            DamageKind::CompressedCut => write!(f, "compressed data ends early, after packet {packets}")?,
            DamageKind::Decompress(error) => {
                write!(f, "compressed data is corrupt after packet {packets}: {error}")?;
            }
            DamageKind::Read(error) => write!(f, "cannot be read after packet {packets}: {error}")?,
        }
        if *times > 1 {
            write!(f, "; {times} such places in all")?;
        }
        Ok(())
    }
}

/// The damage of one input: each kind once, so that it stays small whatever the input holds.
#[derive(Debug, Default)]
pub(super) struct DamageLog {
    entries: Vec<Damage>,
    broke_off: bool,
}

impl DamageLog {
    /// The input could not be read to its end: that its last packet is cut goes without saying.
    pub(super) fn breaks_off(&mut self) {
        self.broke_off = true;
    }

    /// Adds a place, or counts it if its kind is there already.
    pub(super) fn add(&mut self, kind: DamageKind, packets: u64, offset: u64) {
        if self.broke_off && matches!(kind, DamageKind::CutPacket { .. } | DamageKind::CutHeader) {
            return;
        }
        let same = |entry: &&mut Damage| std::mem::discriminant(&entry.kind) == std::mem::discriminant(&kind);
        let Some(entry) = self.entries.iter_mut().find(same) else {
            self.entries.push(Damage { input: String::new(), kind, packets, offset, times: 1 });
            return;
        };
        entry.times += 1;
        if let (DamageKind::Corrupt { skipped }, DamageKind::Corrupt { skipped: more }) =
            (&mut entry.kind, kind)
        {
            *skipped = skipped.saturating_add(more);
        }
    }

    /// The entries, in the order in which they were met first, under the input's name.
    pub(super) fn named<'a>(&'a self, input: &'a str) -> impl Iterator<Item = Damage> + 'a {
        self.entries.iter().map(|entry| Damage { input: input.to_owned(), ..entry.clone() })
    }

    /// Nothing is wrong.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_places_of_a_kind_are_one_line() {
        let mut log = DamageLog::default();
        assert!(log.is_empty());
        for place in 0..1_000_000 {
            log.add(DamageKind::Corrupt { skipped: 2 }, place, 100 + place);
        }
        log.add(DamageKind::CutPacket { present: 60, captured: 1514 }, 811, 0);
        let lines: Vec<_> = log.named("x.pcap").map(|damage| damage.to_string()).collect();
        assert_eq!(
            lines,
            [
                "x.pcap: corrupt after packet 0 (byte 100): 2000000 bytes skipped; 1000000 such places in all",
                "x.pcap: cut off in packet 812: 60 of 1514 bytes are there",
            ]
        );
    }
}
