//! Packets from the world: capture files, standard input, interfaces.
//!
//! ```text
//! Input ─► source (file or pipe, decompressed) ─► file (pcap, pcapng) ─► reader (a batch at a time)
//!                                                                          │ one per input
//!                       Batch ◄─ timeline (numbers, filter, count) ◄─ merge (by packet time)
//! ```
//!
//! What is wrong with an input once it is open is not an error but [`Damage`]: all packets before it are
//! delivered, and those after it where the format lets them be found.

mod batch;
mod damage;
mod decompress;
mod directory;
mod file;
mod filter;
#[cfg(feature = "live")]
mod live;
mod merge;
mod progress;
mod reader;
mod secrets;
mod source;
#[cfg(test)]
mod testing;
mod timeline;
mod write;

pub use batch::{Batch, LinkType, PacketHead};
pub use damage::{Damage, DamageKind};
pub use decompress::Compression;
pub use directory::Expanded;
pub use filter::{Filter, FilterError};
#[cfg(feature = "live")]
pub use live::{Interface, LiveCapture, LiveError, LiveInput, Waker, interfaces};
pub use progress::Progress;
pub use source::{Input, OpenError, OpenErrorKind};
pub use timeline::{Timeline, TimelineCounts};
pub use write::{Rotation, WriteError, Writer, not_through_links};
