//! Capture filters: pcap-filter(7) expressions, for files as for live capture.

use super::batch::LinkType;
#[cfg(feature = "live")]
use crate::limits;

/// Why there is no filter.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FilterError {
    /// libpcap does not understand the expression.
    #[error("bad filter {expression:?}: {message}")]
    Syntax {
        /// What was asked for.
        expression: String,
        /// What libpcap says of it.
        message: String,
    },
    /// This build has no libpcap.
    #[error("filters need libpcap, and this h2lens was built without it (cargo feature \"live\")")]
    NotBuilt,
}

/// Link types that an expression is tried with, as some make sense for one of them only: Ethernet, Linux
/// cooked v1 and v2, raw IP, BSD null, PF log.
#[cfg(feature = "live")]
const TRIED: [LinkType; 6] =
    [LinkType(1), LinkType(113), LinkType(276), LinkType(101), LinkType(0), LinkType(117)];

/// A filter, compiled for each link type when the first packet of it comes. `len` in an expression is the
/// length captured.
pub struct Filter {
    #[cfg(feature = "live")]
    expression: String,
    /// `None` for link types that it cannot be compiled for.
    #[cfg(feature = "live")]
    programs: Vec<(LinkType, Option<pcap::BpfProgram>)>,
}

#[cfg(feature = "live")]
impl Filter {
    /// Checks the expression.
    ///
    /// # Errors
    /// [`FilterError::Syntax`] with libpcap's message if no link type tried can do with it.
    pub fn compile(expression: &str) -> Result<Self, FilterError> {
        let mut first = None;
        for link in TRIED {
            match compile(expression, link) {
                Ok(program) => {
                    let programs = vec![(link, Some(program))];
                    return Ok(Self { expression: expression.to_owned(), programs });
                }
                Err(error) => first = first.or(Some(error)),
            }
        }
        let message = match first {
            Some(pcap::Error::PcapError(message)) => message,
            Some(error) => error.to_string(),
            None => String::new(),
        };
        Err(FilterError::Syntax { expression: expression.to_owned(), message })
    }

    /// Whether a packet passes; `None` if that cannot be said for its link type.
    pub(super) fn matches(&mut self, link: LinkType, packet: &[u8]) -> Option<bool> {
        let index = match self.programs.iter().position(|(known, _)| *known == link) {
            Some(index) => index,
            None if self.programs.len() >= limits::FILTER_LINK_TYPES => return None,
            None => {
                self.programs.push((link, compile(&self.expression, link).ok()));
                self.programs.len() - 1
            }
        };
        let (_, program) = self.programs.get(index)?;
        program.as_ref().map(|program| program.filter(packet))
    }

    /// Link types of packets met for which the expression makes no sense, in the order they came.
    pub fn unfit_link_types(&self) -> impl Iterator<Item = LinkType> {
        self.programs.iter().filter(|(_, program)| program.is_none()).map(|(link, _)| *link)
    }
}

/// Compiles for a link type. libpcap wants its own number for raw IP, which is 12 here and 101 in files.
#[cfg(feature = "live")]
fn compile(expression: &str, link: LinkType) -> Result<pcap::BpfProgram, pcap::Error> {
    let number = if link.0 == 101 { pcap::Linktype::RAW } else { pcap::Linktype(i32::from(link.0)) };
    pcap::Capture::dead(number)?.compile(expression, true)
}

#[cfg(not(feature = "live"))]
impl Filter {
    /// There are no filters without libpcap.
    ///
    /// # Errors
    /// [`FilterError::NotBuilt`], always.
    pub fn compile(_expression: &str) -> Result<Self, FilterError> {
        Err(FilterError::NotBuilt)
    }

    /// Every packet passes a filter that there is not.
    #[allow(clippy::unused_self)]
    pub(super) fn matches(&mut self, _link: LinkType, _packet: &[u8]) -> Option<bool> {
        Some(true)
    }

    /// None.
    pub fn unfit_link_types(&self) -> impl Iterator<Item = LinkType> {
        std::iter::empty()
    }
}
