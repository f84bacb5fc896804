//! Which TCP connections of the two places are one, or carry the same bytes.
//!
//! A wrong pair is the worst error: of several that fit none is taken.

use super::collect::Side;
use super::connection::Connection;
use super::stream::Whole;
use crate::base::direction::Direction;
use crate::base::tuning;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;

/// Bytes of a stream that need not tell two connections apart: preface, SETTINGS, WINDOW_UPDATE, a first request that
/// many make.
const COMMON: u64 = 128;
/// So many bytes behind those, of the client's and of both, are no coincidence.
const TELLING: u64 = 64;
const TELLING_BOTH: u64 = 256;

/// Two connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Their places in the lists of the client's and the server's side.
    pub(super) client: u32,
    pub(super) server: u32,
    /// What the client's place calls forward, the server's calls backward.
    pub(super) turned: bool,
    pub(super) how: LinkedBy,
}

/// What two connections have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LinkedBy {
    /// They are one.
    Tcp,
    /// Their bytes.
    Bytes,
}

impl Link {
    /// A direction of the client's place, as the server's place calls it.
    pub(super) const fn there(&self, from: Direction) -> Direction {
        if self.turned { from.reverse() } else { from }
    }
}

/// The connections that are one, or carry the same bytes.
pub(super) fn links(client: &Side, server: &Side) -> Vec<Link> {
    let mut links = Vec::new();
    let mut open = Open::new(client, server);
    // The strictest first.
    open.by_key(&mut links, |connection| Some((numbers(connection)?, connection.ends)));
    open.by_key(&mut links, numbers);
    open.by_one_number(&mut links);
    open.by_blocks(&mut links);
    open.by_bytes(&mut links);
    links
}

/// Both initial sequence numbers.
fn numbers(connection: &Connection) -> Option<(u32, u32)> {
    Some((connection.streams.forward.isn?, connection.streams.backward.isn?))
}

/// The open ones among a side's connections, with their places.
fn among<'a>(side: &'a Side, open: &'a [bool]) -> impl Iterator<Item = (u32, &'a Connection)> {
    let all = side.connections.iter().zip(open).enumerate();
    all.filter(|(_, (_, open))| **open).map(|(place, (connection, _))| (place as u32, connection))
}

/// Connections that have no partner yet.
struct Open<'a> {
    client: &'a Side,
    server: &'a Side,
    client_open: Vec<bool>,
    server_open: Vec<bool>,
}

impl<'a> Open<'a> {
    fn new(client: &'a Side, server: &'a Side) -> Self {
        let all = |side: &Side| vec![true; side.connections.len()];
        Self { client, server, client_open: all(client), server_open: all(server) }
    }

    fn take(&mut self, links: &mut Vec<Link>, link: Link) {
        for (open, place) in [(&mut self.client_open, link.client), (&mut self.server_open, link.server)] {
            if let Some(open) = open.get_mut(place as usize) {
                *open = false;
            }
        }
        links.push(link);
    }

    fn pair(&self, client: u32, server: u32) -> Option<(&'a Connection, &'a Connection)> {
        Some((self.client.connections.get(client as usize)?, self.server.connections.get(server as usize)?))
    }

    /// Those of which the key is found once at each place, and whose bytes do not differ.
    fn by_key<K: Eq + Hash>(&mut self, links: &mut Vec<Link>, key: impl Fn(&Connection) -> Option<K>) {
        let mut found: HashMap<K, [Vec<u32>; 2]> = HashMap::new();
        for (at, side, open) in [(0, self.client, &self.client_open), (1, self.server, &self.server_open)] {
            for (place, connection) in among(side, open) {
                let Some(key) = key(connection) else { continue };
                let places = found.entry(key).or_default();
                if let Some(places) = places.get_mut(at).filter(|places| places.len() < 2) {
                    places.push(place);
                }
            }
        }
        let mut pairs: Vec<_> = found
            .into_values()
            .filter_map(|places| match places.each_ref().map(Vec::as_slice) {
                [&[client], &[server]] => Some((client, server)),
                _ => None,
            })
            .collect();
        pairs.sort_unstable();
        for (client, server) in pairs {
            if self.pair(client, server).is_some_and(|(client, server)| !differ(client, server, false)) {
                self.take(links, Link { client, server, turned: false, how: LinkedBy::Tcp });
            }
        }
    }

    /// Those of which one SYN was not seen at a place: one number is equal, and the other direction may be the same.
    fn by_one_number(&mut self, links: &mut Vec<Link>) {
        for direction in [Direction::Forward, Direction::Backward] {
            let mut by_number: HashMap<u32, Vec<u32>> = HashMap::new();
            for (place, connection) in among(self.server, &self.server_open) {
                if let Some(number) = connection.streams[direction].isn {
                    by_number.entry(number).or_default().push(place);
                }
            }
            let mut claims = Claims::default();
            for (place, connection) in among(self.client, &self.client_open) {
                let Some(number) = connection.streams[direction].isn else { continue };
                let all = by_number.get(&number).map_or(&[][..], Vec::as_slice);
                for &other in all.iter().take(tuning::JOIN_CANDIDATES) {
                    let fits = self.pair(place, other).is_some_and(|(client, server)| {
                        let back = direction.reverse();
                        let (ours, theirs) = (&client.streams[back], &server.streams[back]);
                        let same = ours.isn.zip(theirs.isn).is_none_or(|(ours, theirs)| ours == theirs);
                        same && ours.overlaps(theirs) && !differ(client, server, false)
                    });
                    if fits {
                        claims.add(place, other, false);
                    }
                }
                claims.crowded(place, all.len() > tuning::JOIN_CANDIDATES);
            }
            for link in claims.mutual(LinkedBy::Tcp) {
                self.take(links, link);
            }
        }
    }

    /// Joined late: the same bytes have the same sequence numbers.
    fn by_blocks(&mut self, links: &mut Vec<Link>) {
        let mut blocks: HashMap<(u32, u64), Vec<(u32, Direction)>> = HashMap::new();
        for (place, connection) in among(self.server, &self.server_open) {
            for from in [Direction::Forward, Direction::Backward] {
                for block in connection.streams[from].blocks.kept() {
                    let found = blocks.entry((block.place, block.hash)).or_default();
                    if found.len() <= tuning::JOIN_CANDIDATES && found.last() != Some(&(place, from)) {
                        found.push((place, from));
                    }
                }
            }
        }
        let mut claims = Claims::default();
        for (place, connection) in among(self.client, &self.client_open) {
            let mut seen: Vec<(u32, bool)> = Vec::new();
            for from in [Direction::Forward, Direction::Backward] {
                for block in connection.streams[from].blocks.kept() {
                    let found = blocks.get(&(block.place, block.hash)).map_or(&[][..], Vec::as_slice);
                    for &(other, there) in found {
                        if !seen.contains(&(other, from != there)) && seen.len() <= tuning::JOIN_CANDIDATES {
                            seen.push((other, from != there));
                        }
                    }
                }
            }
            for &(other, turned) in &seen {
                if self.pair(place, other).is_some_and(|(client, server)| may_be_one(client, server, turned))
                {
                    claims.add(place, other, turned);
                }
            }
            claims.crowded(place, seen.len() > tuning::JOIN_CANDIDATES);
        }
        for link in claims.mutual(LinkedBy::Tcp) {
            self.take(links, link);
        }
    }

    /// Other connections with the same bytes from the beginning.
    fn by_bytes(&mut self, links: &mut Vec<Link>) {
        let mut blocks: HashMap<(u32, u64), Vec<u32>> = HashMap::new();
        for (place, connection) in among(self.server, &self.server_open) {
            for key in beginnings(connection) {
                let found = blocks.entry(key).or_default();
                if found.len() <= tuning::JOIN_CANDIDATES {
                    found.push(place);
                }
            }
        }
        let mut claims = Claims::default();
        for (place, connection) in among(self.client, &self.client_open) {
            let mut seen: Vec<u32> = Vec::new();
            for key in beginnings(connection) {
                seen.extend(blocks.get(&key).into_iter().flatten().take(tuning::JOIN_CANDIDATES + 1));
            }
            seen.sort_unstable();
            seen.dedup();
            for &other in seen.iter().take(tuning::JOIN_CANDIDATES + 1) {
                if self.pair(place, other).is_some_and(|(client, server)| same_bytes(client, server)) {
                    claims.add(place, other, false);
                }
            }
            claims.crowded(place, seen.len() > tuning::JOIN_CANDIDATES);
        }
        for link in claims.mutual(LinkedBy::Bytes) {
            self.take(links, link);
        }
    }
}

/// Some block of the two has the same sequence numbers and other bytes.
fn differ(client: &Connection, server: &Connection, turned: bool) -> bool {
    [Direction::Forward, Direction::Backward].into_iter().any(|from| {
        let there = if turned { from.reverse() } else { from };
        client.streams[from].blocks.compare(&server.streams[there].blocks).1
    })
}

/// The sequence numbers of both directions are the same, as far as they were seen, and so are the bytes.
fn may_be_one(client: &Connection, server: &Connection, turned: bool) -> bool {
    let overlap = [Direction::Forward, Direction::Backward].into_iter().all(|from| {
        let there = if turned { from.reverse() } else { from };
        let (ours, theirs) = (&client.streams[from], &server.streams[there]);
        let same = ours.isn.zip(theirs.isn).is_none_or(|(ours, theirs)| ours == theirs);
        same && ours.overlaps(theirs)
    });
    overlap && !differ(client, server, turned)
}

/// By what connections with the same bytes are found: the first blocks of both directions.
fn beginnings(connection: &Connection) -> impl Iterator<Item = (u32, u64)> {
    let streams = &connection.streams;
    [&streams.forward, &streams.backward]
        .into_iter()
        .flat_map(|stream| stream.from_start.kept().iter().take(4).map(|block| (block.place, block.hash)))
}

/// Both directions of the two are the same from the beginning as far as both were seen, and that is long enough to tell.
fn same_bytes(client: &Connection, server: &Connection) -> bool {
    let mut telling = Vec::with_capacity(2);
    for from in [Direction::Forward, Direction::Backward] {
        let (ours, theirs) = (&client.streams[from], &server.streams[from]);
        if ours.isn.is_none() || theirs.isn.is_none() {
            return false;
        }
        if ours.from_start.compare(&theirs.from_start).1 {
            return false;
        }
        let (Whole { len, holed, .. }, Whole { len: other_len, holed: other_holed, .. }) =
            (ours.whole, theirs.whole);
        if !holed && !other_holed && len == other_len && ours.whole != theirs.whole {
            return false;
        }
        telling.push(len.min(other_len).saturating_sub(COMMON));
    }
    telling.first().is_some_and(|&forward| forward >= TELLING) && telling.iter().sum::<u64>() >= TELLING_BOTH
}

/// Who may be whose partner.
#[derive(Debug, Default)]
struct Claims {
    /// Client's place, server's place, and whether directions are turned.
    all: Vec<(u32, u32, bool)>,
    crowded: HashSet<u32>,
}

impl Claims {
    fn add(&mut self, client: u32, server: u32, turned: bool) {
        self.all.push((client, server, turned));
    }

    /// Not all candidates of a client's were looked at.
    fn crowded(&mut self, client: u32, is_so: bool) {
        if is_so {
            self.crowded.insert(client);
        }
    }

    /// Those who have each other and nobody else.
    fn mutual(self, how: LinkedBy) -> Vec<Link> {
        let mut clients: HashMap<u32, u32> = HashMap::new();
        let mut servers: HashMap<u32, u32> = HashMap::new();
        for &(client, server, _) in &self.all {
            *clients.entry(client).or_default() += 1;
            *servers.entry(server).or_default() += 1;
        }
        let alone = |counts: &HashMap<u32, u32>, place| counts.get(&place) == Some(&1);
        let links = self.all.into_iter().filter(|&(client, server, _)| {
            alone(&clients, client) && alone(&servers, server) && !self.crowded.contains(&client)
        });
        links.map(|(client, server, turned)| Link { client, server, turned, how }).collect()
    }
}
