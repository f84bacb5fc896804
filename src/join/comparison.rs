//! The connections that both places saw, compared: how the clocks differ, what was lost, what was not captured.

use super::clock::{Clock, difference};
use super::collect::Side;
use super::connection::Connection;
use super::connections::{Link, LinkedBy};
use super::lines::{Bound, Lines};
use super::transit::{End, Loss, Transit};
use crate::base::direction::Direction;
use crate::record::pair::ClockSource;

/// What the two captures of connections tell together.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// By link, in their order.
    pub(super) traffic: Vec<Traffic>,
    /// Lines that fit, the captures taken as they are given, and taken exchanged.
    as_given: Option<Lines>,
    exchanged: Option<Lines>,
    /// HTTP/2 connections whose bytes come before they go: in the captures as they are given, and as exchanged.
    backwards: [usize; 2],
}

/// What happened to a connection's bytes.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    /// What the client sent, by its place's clock.
    pub(super) requests: Flow,
    /// What the server sent, by its place's clock.
    pub(super) responses: Flow,
}

/// What happened to the bytes of one direction.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) lost: Vec<Loss>,
    /// When what was sent that arrived and was not captured there.
    pub(super) not_captured: Vec<u64>,
}

/// Bytes that were seen at both places: the bound they are, when by the client's clock, and the difference.
type Point = (Bound, u64, i64);

impl Comparison {
    /// Compares the linked connections.
    pub(super) fn of(client: &Side, server: &Side, links: &[Link]) -> Self {
        let mut comparison = Self::default();
        let slack = client.unit.max(server.unit) as i64;
        for link in links {
            let ends = client
                .connections
                .get(link.client as usize)
                .zip(server.connections.get(link.server as usize));
            let Some((ours, theirs)) = ends else { continue };
            let (traffic, points) = compare(link, ours, theirs);
            let is_http2 = ours.client.is_some() || theirs.client.is_some();
            comparison.add_points(&points, slack, is_http2);
            comparison.traffic.push(traffic);
        }
        comparison
    }

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

/// Compares one connection.
fn compare(link: &Link, ours: &Connection, theirs: &Connection) -> (Traffic, Vec<Point>) {
    let client = ours.client.unwrap_or_else(|| link.there(theirs.client()));
    let mut points = Vec::new();
    let [requests, responses] = [(client, true), (client.reverse(), false)].map(|(from, to_server)| {
        let there = link.there(from);
        let (base, base_there) = bases(link, ours, theirs, from);
        let here = End { segments: &ours.segments, from, base };
        let there = End { segments: &theirs.segments, from: there, base: base_there };
        let transit = if to_server { Transit::of(&here, &there) } else { Transit::of(&there, &here) };
        points.extend(transit.points.iter().map(|&(sent, arrived)| {
            if to_server {
                (Bound::AtMost, sent, difference(arrived, sent))
            } else {
                (Bound::AtLeast, arrived, difference(sent, arrived))
            }
        }));
        match link.how {
            LinkedBy::Tcp => Flow { lost: transit.lost, not_captured: transit.not_captured },
            // What something between sends again on another connection tells nothing of losses.
            LinkedBy::Bytes => Flow::default(),
        }
    });
    (Traffic { requests, responses }, points)
}

/// The numbers of one byte of a direction at both places.
fn bases(link: &Link, ours: &Connection, theirs: &Connection, from: Direction) -> (u32, u32) {
    let there = link.there(from);
    let first = |connection: &Connection, from: Direction| {
        let mut own = connection.segments.iter().filter(|segment| segment.from() == from && segment.len > 0);
        own.next().map_or(0, super::connection::Segment::first_byte)
    };
    let isns = ours.streams[from].isn.zip(theirs.streams[there].isn).filter(|_| link.how == LinkedBy::Bytes);
    if let Some((isn, isn_there)) = isns {
        return (isn.wrapping_add(1), isn_there.wrapping_add(1));
    }
    let base = first(theirs, there);
    (base, base)
}
