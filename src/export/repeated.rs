//! What JSON repeats from record to record, as it was written last: a few ends of connections, and a second. A line names two
//! ends and a time, most of which stood in a line shortly before.

use crate::base::endpoint::Endpoint;
use crate::base::time::{Timestamp, nine_digits};
use std::net::IpAddr;

/// Ends that are remembered; of two that have the same place, the one written last.
const PLACES: usize = 64;
/// Octets of the longest text of an end: that of an IPv6 address of 39, with its port.
const LONGEST: usize = 72;

/// Texts that were written.
#[derive(Debug, Default)]
pub(super) struct Repeated {
    ends: Vec<Option<End>>,
    time: Timestamp,
    rfc3339: Option<[u8; 30]>,
}

/// The text of an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    end: Endpoint,
    /// The text, and whatever behind it.
    pub(super) text: [u8; LONGEST],
    /// How many octets are behind it.
    pub(super) behind: usize,
}

impl Repeated {
    /// The text of an end, if it is remembered.
    #[inline]
    pub(super) fn end(&self, end: Endpoint) -> Option<&End> {
        self.ends.get(place(end))?.as_ref().filter(|known| known.end == end)
    }

    /// Remembers the text of an end.
    #[cold]
    pub(super) fn remember(&mut self, end: Endpoint, written: &[u8]) {
        self.ends.resize(PLACES, None);
        let mut text = [0; LONGEST];
        if let (Some(place), Some(own)) = (self.ends.get_mut(place(end)), text.get_mut(..written.len())) {
            own.copy_from_slice(written);
            *place = Some(End { end, text, behind: LONGEST - written.len() });
        }
    }

    /// [`Timestamp::rfc3339`]; of a time in the same second as the last one only the fraction is written anew.
    #[inline]
    pub(super) fn rfc3339(&mut self, time: Timestamp) -> [u8; 30] {
        const SECOND: u64 = 1_000_000_000;
        let last = std::mem::replace(&mut self.time, time);
        let text = match self.rfc3339 {
            Some(mut text) if last.as_nanos() / SECOND == time.as_nanos() / SECOND => {
                if let Some([digits @ .., _]) = text.last_chunk_mut::<10>() {
                    *digits = nine_digits((time.as_nanos() % SECOND) as u32);
                }
                text
            }
            _ => time.rfc3339(),
        };
        self.rfc3339 = Some(text);
        text
    }
}

/// The place of an end: by what ends of one capture differ in.
#[inline]
fn place(end: Endpoint) -> usize {
    let ip = match end.ip {
        IpAddr::V4(ip) => u32::from(ip),
        IpAddr::V6(ip) => u128::from(ip) as u32,
    };
    ((ip ^ u32::from(end.port)).wrapping_mul(0x9e37_79b1) >> 26) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(ip: &str, port: u16) -> Endpoint {
        Endpoint { ip: ip.parse().unwrap(), port }
    }

    #[test]
    fn an_end_is_remembered_until_another_takes_its_place() {
        let mut repeated = Repeated::default();
        let ends: Vec<_> = (0..200).map(|port| end("10.0.0.1", port)).collect();
        assert!(repeated.end(ends[0]).is_none());
        for &end in &ends {
            repeated.remember(end, end.to_string().as_bytes());
            let known = repeated.end(end).unwrap();
            assert_eq!(known.text[..LONGEST - known.behind], *end.to_string().as_bytes());
        }
        assert!(ends.iter().filter(|end| repeated.end(**end).is_some()).count() <= PLACES);
        let long = end("1111:2222:3333:4444:5555:6666:7777:8888", 65535);
        repeated.remember(long, &[b'x'; LONGEST + 1]);
        assert!(repeated.end(long).is_none(), "longer ones are not");
    }

    #[test]
    fn a_time_is_written_as_ever() {
        let mut repeated = Repeated::default();
        for nanos in
            [0, 5, 999_999_999, 1_000_000_000, 1_000_000_001, 1_000_000_001, 7, u64::MAX, u64::MAX - 1]
        {
            let time = Timestamp::from_nanos(nanos);
            assert_eq!(repeated.rfc3339(time), time.rfc3339());
        }
    }
}
