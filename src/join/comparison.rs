//! The connections that both places saw, compared: how the clocks differ, what was lost, what was not captured.

use super::clock::{Clock, difference};
use super::collect::Side;
use super::connection::Connection;
use super::connections::{Link, LinkedBy};
use super::lines::{Bound, Lines};
use super::transit::{End, Loss, Transit};
use crate::base::direction::Direction;
use crate::record::pair::ClockSource;
use std::collections::{HashMap, HashSet};

/// What the two captures of connections tell together.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// By link, in their order.
    pub(super) traffic: Vec<Traffic>,
    /// Which traffic is that of a TCP connection which both saw, by its place at the client's side.
    of_client: HashMap<u32, usize>,
    /// Such connections, by their place at the server's side.
    at_server: HashSet<u32>,
    /// What it says of the clocks, with all that was compared before.
    pub(super) clocks: Clocks,
}

/// How the clocks may differ by the bytes that both places saw.
#[derive(Clone, Debug, Default)]
pub(super) struct Clocks {
    /// Lines that fit, the captures taken as they are given, and taken exchanged.
    as_given: Option<Lines>,
    exchanged: Option<Lines>,
    /// HTTP/2 connections whose bytes come before they go: in the captures as they are given, and as exchanged.
    backwards: [usize; 2],
    /// Some of it was found earlier.
    pub(super) is_later: bool,
}

/// What happened to a connection's bytes.
#[derive(Debug)]
pub(super) struct Traffic {
    /// Its place among the links.
    pub(super) link: usize,
    /// What the client sent, by its place's clock.
    pub(super) requests: Flow,
    /// What the server sent, by its place's clock.
    pub(super) responses: Flow,
}

/// What happened to the bytes of one direction.
#[derive(Debug)]
pub(super) struct Flow {
    pub(super) lost: Vec<Loss>,
    /// When what was sent that arrived and was not captured there.
    pub(super) not_captured: Vec<u64>,
    /// See [`Transit::seen_late`].
    pub(super) seen_late: Vec<u64>,
    /// How each place calls the direction, and the number of one byte there.
    pub(super) origin: [(Direction, u32); 2],
    /// Bytes before this one, counted from there, were compared earlier.
    pub(super) floor: i64,
}

/// Bytes that were seen at both places: the bound they are, when by the client's clock, and the difference.
type Point = (Bound, u64, i64);

impl Comparison {
    /// Compares the linked connections; `known` is what earlier comparisons say of the clocks.
    pub(super) fn of(client: &Side, server: &Side, links: &[Link], known: &Clocks) -> Self {
        let mut comparison = Self { clocks: known.clone(), ..Self::default() };
        let slack = client.unit.max(server.unit) as i64;
        for (at, link) in links.iter().enumerate() {
            let ends = client
                .connections
                .get(link.client as usize)
                .zip(server.connections.get(link.server as usize));
            let Some((ours, theirs)) = ends else { continue };
            let ([requests, responses], points) = compare(link, ours, theirs);
            let is_http2 = ours.client.is_some() || theirs.client.is_some();
            comparison.clocks.add_points(&points, slack, is_http2);
            if link.how == LinkedBy::Tcp {
                comparison.of_client.insert(link.client, comparison.traffic.len());
                comparison.at_server.insert(link.server);
            }
            comparison.traffic.push(Traffic { link: at, requests, responses });
        }
        comparison
    }

    /// What happened to the bytes of a client's connection, where both places saw it.
    pub(super) fn of_client(&self, connection: u32) -> Option<&Traffic> {
        self.traffic.get(*self.of_client.get(&connection)?)
    }

    /// Both places saw a server's connection.
    pub(super) fn has_server(&self, connection: u32) -> bool {
        self.at_server.contains(&connection)
    }
}

impl Clocks {
    /// The captures were given in the wrong order.
    pub(super) fn is_swapped(&self) -> bool {
        let [given, exchanged] = self.backwards;
        given > 0 && exchanged == 0 && self.exchanged.as_ref().is_some_and(Lines::is_known)
    }

    /// Connections were seen at both places, and no line fits their bytes.
    pub(super) fn is_contradicted(&self) -> bool {
        self.as_given.as_ref().is_some_and(Lines::is_contradicted)
    }

    /// How the clocks differ.
    pub(super) fn clock(&self) -> Option<Clock> {
        let lines = self.as_given.clone().filter(Lines::is_known)?;
        Some(Clock::Measured(lines, ClockSource::Tcp))
    }

    fn add_points(&mut self, points: &[Point], slack: i64, is_http2: bool) {
        let Some(&(_, time, offset)) = points.first() else { return };
        let fits = |turned: bool| {
            let mut lines = Lines::around(time, offset);
            observe(&mut lines, points, slack, turned);
            !lines.is_contradicted()
        };
        let [forth, back] = [fits(false), fits(true)];
        if is_http2 {
            let [given, exchanged] = &mut self.backwards;
            *given += usize::from(!forth && back);
            *exchanged += usize::from(forth && !back);
        }
        // Of another protocol it is not known who is where: the server's host may have opened the connection.
        let opposed = !is_http2 && !forth && back;
        let straight = !is_http2 && forth && !back;
        // Of a part of it that may be unknown where all of it would tell.
        if self.is_later && !is_http2 && forth && back {
            return;
        }
        let around = || Lines::around(time, offset);
        observe(self.as_given.get_or_insert_with(around), points, slack, opposed);
        observe(self.exchanged.get_or_insert_with(around), points, slack, !straight);
    }
}

/// Leaves the lines that fit; `turned`: what was taken for sent had arrived.
fn observe(lines: &mut Lines, points: &[Point], slack: i64, turned: bool) {
    for &(bound, time, offset) in points {
        let bound = if turned { bound.reverse() } else { bound };
        let slack = if bound == Bound::AtMost { slack } else { -slack };
        lines.observe(time, bound, offset.saturating_add(slack));
    }
}

/// Compares one connection: requests and responses.
fn compare(link: &Link, ours: &Connection, theirs: &Connection) -> ([Flow; 2], Vec<Point>) {
    let client = ours.client.unwrap_or_else(|| link.there(theirs.client()));
    let mut points = Vec::new();
    let [requests, responses] = [(client, true), (client.reverse(), false)].map(|(from, to_server)| {
        let (base, base_there) = bases(link, ours, theirs, from);
        let (own, other) = (&ours.streams[from], &theirs.streams[link.there(from)]);
        let floor = place(own.floor, base).max(place(other.floor, base_there));
        let here = End { segments: &ours.segments, from, base, floor };
        let there = End { segments: &theirs.segments, from: link.there(from), base: base_there, floor };
        let transit = if to_server { Transit::of(&here, &there) } else { Transit::of(&there, &here) };
        points.extend(transit.points.iter().map(|&(sent, arrived)| {
            if to_server {
                (Bound::AtMost, sent, difference(arrived, sent))
            } else {
                (Bound::AtLeast, arrived, difference(sent, arrived))
            }
        }));
        let origin = [(from, base), (link.there(from), base_there)];
        let (lost, not_captured, seen_late) = match link.how {
            LinkedBy::Tcp => (transit.lost, transit.not_captured, transit.seen_late),
            // What something between sends again on another connection tells nothing of losses.
            LinkedBy::Bytes => Default::default(),
        };
        Flow { lost, not_captured, seen_late, origin, floor }
    });
    ([requests, responses], points)
}

/// The place of a floor, counted from the base.
fn place(floor: Option<u32>, base: u32) -> i64 {
    floor.map_or(i64::MIN, |floor| i64::from(floor.wrapping_sub(base) as i32))
}

/// The numbers of one byte of a direction at both places.
fn bases(link: &Link, ours: &Connection, theirs: &Connection, from: Direction) -> (u32, u32) {
    let there = link.there(from);
    let first = |connection: &Connection, from: Direction| {
        let mut own = connection.segments.iter().filter(|segment| segment.from() == from && segment.len > 0);
        own.next().map_or(0, super::connection::Segment::first_byte)
    };
    let (ours, other) = (&ours.streams[from], &theirs.streams[there]);
    let isns = ours.isn.zip(other.isn).filter(|_| link.how == LinkedBy::Bytes);
    let ahead = isns.map_or(0, |(isn, isn_there)| isn_there.wrapping_sub(isn));
    // Close to what is kept, however long the stream is.
    let base = match (other.floor, ours.floor, isns) {
        (Some(floor), ..) => floor,
        (None, Some(floor), _) => floor.wrapping_add(ahead),
        (None, None, Some((_, isn_there))) => isn_there.wrapping_add(1),
        (None, None, None) => first(theirs, there),
    };
    (base.wrapping_sub(ahead), base)
}
