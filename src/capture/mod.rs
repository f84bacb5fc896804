//! Packets from the world: capture files, standard input, interfaces.

mod batch;

pub use batch::{Batch, LinkType, PacketHead};
