//! Capture filters: pcap-filter(7) expressions, for files as for live capture.

use super::batch::LinkType;
#[cfg(feature = "live")]
use crate::base::limits;

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
    #[cfg(not(feature = "live"))]
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
#[cfg(feature = "live")]
pub struct Filter {
    expression: String,
    /// `None` for link types that it cannot be compiled for.
    programs: Vec<(LinkType, Option<pcap::BpfProgram>)>,
    /// Packets of further ones.
    limited: u64,
}

/// A filter: in this build there is none.
#[cfg(not(feature = "live"))]
pub struct Filter {
    never: std::convert::Infallible,
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
                    return Ok(Self { expression: expression.to_owned(), programs, limited: 0 });
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
            None if self.programs.len() >= limits::FILTER_LINK_TYPES => {
                self.limited += 1;
                return None;
            }
            None => {
                self.programs.push((link, compile(&self.expression, link).ok()));
                self.programs.len() - 1
            }
        };
        let (_, program) = self.programs.get(index)?;
        program.as_ref().map(|program| program.filter(packet))
    }

    /// Packets that do not pass as they came after [`limits::FILTER_LINK_TYPES`] other link types.
    pub(super) const fn limited(&self) -> u64 {
        self.limited
    }

    /// Link types of packets met for which the expression makes no sense, in the order they came.
    pub(super) fn unfit_link_types(&self) -> impl Iterator<Item = LinkType> {
        self.programs.iter().filter(|(_, program)| program.is_none()).map(|(link, _)| *link)
    }
}

/// Compiles for a link type. For raw IP, libpcap wants the number that it has on the system it runs on, and
/// not 101 as in files.
#[cfg(feature = "live")]
fn compile(expression: &str, link: LinkType) -> Result<pcap::BpfProgram, pcap::Error> {
    let raw = if cfg!(target_os = "openbsd") { 14 } else { 12 };
    let number = if matches!(link.0, 12 | 14 | 101) { raw } else { i32::from(link.0) };
    pcap::Capture::dead(pcap::Linktype(number))?.compile(expression, true)
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

    /// Whether a packet passes a filter that there is not.
    pub(super) fn matches(&mut self, _link: LinkType, _packet: &[u8]) -> Option<bool> {
        match self.never {}
    }

    /// Packets that a filter that there is not cannot judge.
    pub(super) const fn limited(&self) -> u64 {
        match self.never {}
    }

    /// Link types that a filter that there is not makes no sense for.
    pub(super) fn unfit_link_types(&self) -> std::iter::Empty<LinkType> {
        match self.never {}
    }
}

#[cfg(all(test, feature = "live"))]
mod tests {
    use super::*;

    /// A TCP packet to port 80, behind so many bytes of link header.
    fn packet(link_header: &[u8]) -> Vec<u8> {
        let ip = [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let tcp = [0xc3, 0x50, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0];
        [link_header, &ip, &tcp].concat()
    }

    #[test]
    fn the_same_packet_passes_on_every_link_type() {
        let ethernet = [&[0; 12][..], &[8, 0]].concat();
        let cooked = [&[0; 14][..], &[8, 0]].concat();
        let cooked2 = [&[8, 0][..], &[0; 18]].concat();
        let mut filter = Filter::compile("host 10.0.0.2 and tcp dst port 80").unwrap();
        let mut other = Filter::compile("udp or port 81").unwrap();
        for (link, header) in [
            (1, &ethernet[..]),
            (113, &cooked),
            (276, &cooked2),
            (101, &[]),
            (12, &[]),
            (14, &[]),
            (228, &[]),
            (0, &[2, 0, 0, 0]),
            (108, &[0, 0, 0, 2]),
            (9, &[0xff, 3, 0, 0x21]),
        ] {
            assert_eq!(filter.matches(LinkType(link), &packet(header)), Some(true), "link type {link}");
            assert_eq!(other.matches(LinkType(link), &packet(header)), Some(false), "link type {link}");
            assert_eq!(filter.matches(LinkType(link), &[]), Some(false), "link type {link}");
        }
        assert_eq!(filter.unfit_link_types().count(), 0);
    }

    #[test]
    fn a_bad_expression_is_told_with_the_reason() {
        for expression in ["tcp prot 80", "(", "port 99999", "tcp\0"] {
            let Some(FilterError::Syntax { expression: told, message }) = Filter::compile(expression).err()
            else {
                panic!("{expression} compiles");
            };
            assert_eq!(told, expression);
            assert!(!message.is_empty() && !message.contains('\n'), "{message}");
        }
        assert!(Filter::compile("").unwrap().matches(LinkType(1), &[0; 60]).unwrap());
    }

    #[test]
    fn link_types_that_do_not_fit_are_told_once() {
        // Ethernet addresses, which 802.15.4 and USB do not have.
        let mut filter = Filter::compile("ether host 00:00:00:00:00:01").unwrap();
        for _ in 0..2 {
            assert_eq!(filter.matches(LinkType(1), &[0; 60]), Some(false));
            assert_eq!(filter.matches(LinkType(195), &[0; 60]), None);
        }
        assert_eq!(filter.unfit_link_types().collect::<Vec<_>>(), [LinkType(195)]);
    }

    #[test]
    fn cap_filter_link_types() {
        let mut filter = Filter::compile("less 100000").unwrap();
        let known = |filter: &Filter| filter.programs.len();
        let most = limits::FILTER_LINK_TYPES as u16;
        for link in 0..most {
            filter.matches(LinkType(link), &[0; 60]);
            assert_eq!((known(&filter), filter.limited()), (usize::from(link + 1).max(2), 0));
        }
        assert_eq!(filter.matches(LinkType(most), &[0; 60]), None);
        assert_eq!((known(&filter), filter.limited()), (limits::FILTER_LINK_TYPES, 1));
        assert_eq!(filter.matches(LinkType(1), &[0; 60]), Some(true));
    }
}
