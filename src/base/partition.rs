//! Which process looks at which connection, where several divide a capture's connections among themselves.
//!
//! A connection's *slice* is a hash of its endpoints and of nothing else. The hash is pinned: a part that was made by one
//! version, on one machine, fits those that others made.

use super::endpoint::Endpoint;
use super::tuning::{SHARDS, SLICES};
use std::fmt::{self, Display, Formatter};
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;
use thiserror::Error;

/// The slice of the connection between two endpoints, in either order: below [`SLICES`].
///
/// The endpoints are put in order, by port and then by address (IPv4 before IPv6, as big-endian numbers). Starting from
/// 0x6832, each of these words of 64 bits is added by exclusive or, and the sum is mixed as `MurmurHash3` finishes
/// (`fmix64`): of two IPv4 addresses the lesser endpoint's in the upper half and the other's in the lower; of others each
/// endpoint's 128 bits as two words, the upper first, IPv4 as mapped to IPv6; then the ports, the lesser endpoint's shifted
/// by 16 bits. The slice is the six highest bits.
#[inline]
pub fn slice(one: Endpoint, other: Endpoint) -> usize {
    match (one.ip, other.ip) {
        (IpAddr::V4(ip), IpAddr::V4(other_ip)) => slice_v4((ip, one.port), (other_ip, other.port)),
        _ => slice_v6(one, other),
    }
}

#[inline]
fn slice_v4(one: (Ipv4Addr, u16), other: (Ipv4Addr, u16)) -> usize {
    let [one, other] = [one, other].map(|(ip, port)| u64::from(port) << 32 | u64::from(ip.to_bits()));
    let (low, high) = (one.min(other), one.max(other));
    let addresses = low << 32 | high & 0xffff_ffff;
    finish(mix(SEED ^ addresses), (low >> 32) << 16 | high >> 32)
}

/// Of two endpoints that are not both of IPv4.
fn slice_v6(one: Endpoint, other: Endpoint) -> usize {
    let (low, high) = if (one.port, one.ip) <= (other.port, other.ip) { (one, other) } else { (other, one) };
    let mut hash = SEED;
    for bits in [bits(low.ip), bits(high.ip)] {
        hash = mix(hash ^ (bits >> 64) as u64);
        hash = mix(hash ^ bits as u64);
    }
    finish(hash, u64::from(low.port) << 16 | u64::from(high.port))
}

const SEED: u64 = 0x6832;

#[inline]
const fn finish(hash: u64, ports: u64) -> usize {
    (mix(hash ^ ports) >> 58) as usize
}

fn bits(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// The last steps of `MurmurHash3` for 64 bits.
#[inline]
const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    word = (word ^ (word >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ (word >> 33)
}

/// One process's part of the connections.
///
/// Up to [`SHARDS`] parts are of whole shards, so that caps strike as in one process. Beyond, a shard is divided: what its
/// caps bound is then bounded in each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    index: u8,
    of: u8,
    /// A bit for each slice that is of this part.
    slices: u64,
}

/// Text that names no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it takes I/N, as 0/8: part I of N, from 0 to N - 1, and N at most {SLICES}")]
pub struct PartitionError;

impl Partition {
    /// Part `index` of `of`; `None` unless `index` is below `of`, and that at most [`SLICES`].
    pub fn new(index: usize, of: usize) -> Option<Self> {
        if index >= of || of > SLICES {
            return None;
        }
        let unit = |slice| if of > SHARDS { slice } else { slice % SHARDS };
        let slices = (0..SLICES).filter(|&slice| unit(slice) % of == index);
        let slices = slices.fold(0, |slices, slice| slices | 1 << slice);
        Some(Self { index: index as u8, of: of as u8, slices })
    }

    /// Which part it is, from 0 on. What counts once for the whole capture is told by part 0.
    pub const fn index(self) -> usize {
        self.index as usize
    }

    /// How many parts there are.
    pub const fn of(self) -> usize {
        self.of as usize
    }

    /// Whether shards are divided among the parts.
    pub const fn divides_shards(self) -> bool {
        self.of() > SHARDS
    }

    /// Whether a slice's connections are of this part.
    #[inline]
    pub const fn has(self, slice: usize) -> bool {
        slice < SLICES && self.slices >> slice & 1 == 1
    }
}

impl FromStr for Partition {
    type Err = PartitionError;

    fn from_str(text: &str) -> Result<Self, PartitionError> {
        let number = |digits: &str| digits.parse().map_err(|_| PartitionError);
        let (index, of) = text.split_once('/').ok_or(PartitionError)?;
        Self::new(number(index)?, number(of)?).ok_or(PartitionError)
    }
}

impl Display for Partition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(ip: &str, port: u16) -> Endpoint {
        Endpoint { ip: ip.parse().unwrap(), port }
    }

    /// Computed by hand from the description, elsewhere: these values may never change.
    #[test]
    fn the_hash_is_pinned() {
        let pinned = [
            ("10.0.0.1", 50_000, "10.0.0.2", 443, 37),
            ("192.168.1.7", 40_001, "192.168.1.9", 8080, 51),
            ("::1", 50_000, "::1", 80, 15),
            ("2001:db8::1", 33_333, "2001:db8::2", 50_051, 62),
            ("10.0.0.1", 443, "2001:db8::1", 443, 42),
        ];
        let found = pinned.map(|(one, port, other, at, _)| slice(endpoint(one, port), endpoint(other, at)));
        assert_eq!(found, pinned.map(|(.., slice)| slice));
    }

    #[test]
    fn both_directions_are_in_one_slice() {
        for (one, other) in [
            (endpoint("10.0.0.1", 50_000), endpoint("10.0.0.2", 80)),
            (endpoint("10.0.0.2", 80), endpoint("10.0.0.1", 80)),
            (endpoint("10.0.0.1", 443), endpoint("2001:db8::1", 443)),
        ] {
            assert_eq!(slice(one, other), slice(other, one));
        }
    }

    #[test]
    fn connections_spread_over_the_slices() {
        let mut seen = [0; SLICES];
        for port in 0..32_000 {
            seen[slice(endpoint("10.0.0.1", port), endpoint("10.0.0.2", 443))] += 1;
        }
        assert!(seen.iter().all(|&n| (380..620).contains(&n)), "{seen:?}");
        let mut seen = [0; SLICES];
        for host in 0..32_000 {
            let client = Endpoint { ip: std::net::Ipv6Addr::from_bits(host).into(), port: 50_000 };
            seen[slice(client, endpoint("2001:db8::1", 443))] += 1;
        }
        assert!(seen.iter().all(|&n| (380..620).contains(&n)), "{seen:?}");
    }

    #[test]
    fn each_slice_is_of_one_part() {
        for of in 1..=SLICES {
            for slice in 0..SLICES {
                let owners = (0..of).filter(|&index| Partition::new(index, of).unwrap().has(slice)).count();
                assert_eq!(owners, 1, "slice {slice} of {of}");
            }
            // Up to as many parts as there are shards, a shard is of one part.
            let whole = |index| {
                let part = Partition::new(index, of).unwrap();
                (0..SLICES).all(|slice| part.has(slice) == part.has(slice % SHARDS))
            };
            assert!(of > SHARDS || (0..of).all(whole), "{of}");
        }
    }

    #[test]
    fn parts_are_typed_as_two_numbers() {
        assert_eq!("0/1".parse().ok(), Partition::new(0, 1));
        assert_eq!("63/64".parse::<Partition>().unwrap().to_string(), "63/64");
        for wrong in ["", "1", "/", "8/8", "-1/8", "0/0", "0/65", "1/2/3", "a/b", "0/999999999999999999999"] {
            assert_eq!(wrong.parse::<Partition>(), Err(PartitionError), "{wrong}");
        }
    }
}
