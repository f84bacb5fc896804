//! What a process tells that analyzed one part of a capture's connections.

use crate::base::load::Load;
use crate::base::partition::Partition;

/// Which part, and of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOf {
    /// The part.
    pub partition: Partition,
    /// The inputs' names, as they were given.
    pub inputs: Vec<String>,
    /// What else the records depend on, in short: parts with different settings are none of one whole.
    pub settings: String,
}

/// What must be known to add it to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartReport {
    /// Which one it is.
    pub of: PartOf,
    /// Packets of the capture: as many for each part.
    pub packets: u64,
    /// TLS secrets that are known: as many, too.
    pub secrets: u64,
    /// How full came what one process has once for all connections.
    pub loads: Vec<Load>,
    /// The place of each of `agent.endpoints` among those of all parts: they are shown in the order in which they were seen.
    pub seen: Vec<(u64, u64)>,
    /// The agent's statistics have no quantiles.
    pub discovery: bool,
    /// The exchanges by path, each path in the form of `aggregate`; where endpoints are shown.
    pub paths: Vec<Vec<u8>>,
}
