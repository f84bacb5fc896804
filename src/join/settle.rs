//! What of a place has been told is let go, so that what is kept stays within its bounds however long a capture is.

use super::collect::{Room, Side};
use super::connection::{Connection, Segment};
use super::exchange::Calls;
use super::numbers::{later, unwrap};
use super::pairing::{is_set, set};
use crate::base::direction::{Direction, PerDirection};
use std::collections::HashMap;

/// Where a direction is still needed: from this place on, counted from a byte's number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    pub(super) base: u32,
    pub(super) place: i64,
}

/// The floors of connections, by their place in a side's list.
pub(super) type Floors = HashMap<u32, PerDirection<Option<Floor>>>;

/// How much is kept.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Load {
    exchanges: usize,
    segments: usize,
    connections: usize,
    text: usize,
}

impl Side {
    pub(super) fn load(&self) -> Load {
        Load {
            exchanges: self.exchanges.len(),
            segments: self.segments,
            connections: self.connections.len(),
            text: self.calls.memory(),
        }
    }

    /// Three quarters of the room are taken, and an eighth of it since there was this much.
    pub(super) fn is_full(&self, before: Load) -> bool {
        let (now, room) = (self.load(), self.room);
        let full = |now: usize, before: usize, room: usize| {
            now >= (room - room / 4).max(before.saturating_add(room / 8)).max(1)
        };
        full(now.exchanges, before.exchanges, room.exchanges)
            || full(now.segments, before.segments, room.segments)
            || full(now.connections, before.connections, room.connections)
            || full(now.text, before.text, room.text)
    }

    /// The part of its room that is taken by what there is most of, in thousandths.
    pub(super) fn fullness(&self) -> usize {
        let Load { exchanges, segments, connections, text } = self.load();
        let Room {
            exchanges: of_exchanges,
            segments: of_segments,
            connections: of_connections,
            text: of_text,
            ..
        } = self.room;
        let all = [
            (exchanges, of_exchanges),
            (segments, of_segments),
            (connections, of_connections),
            (text, of_text),
        ];
        all.into_iter().map(|(now, room)| now.saturating_mul(1000) / room.max(1)).max().unwrap_or_default()
    }

    /// When of what there is most of a quarter had been seen, and half of it: by this place's clock.
    pub(super) fn quartiles(&self) -> Option<(u64, u64)> {
        let most_segments = self.segments.saturating_mul(self.room.exchanges)
            > self.exchanges.len().saturating_mul(self.room.segments);
        let mut times: Vec<u64> = if most_segments {
            let all = self.connections.iter().flat_map(|connection| &connection.segments);
            all.map(|segment| segment.time).collect()
        } else {
            self.exchanges.iter().map(|exchange| exchange.end).collect()
        };
        let (half, quarter) = (times.len() / 2, times.len() / 4);
        let half = (half < times.len()).then(|| *times.select_nth_unstable(half).1)?;
        Some((*times.select_nth_unstable(quarter).1, half))
    }

    /// Lets go of exchanges that were told, and of segments before an instant of this place's clock that `floors` does not
    /// need; then of connections that have nothing left: all that are closing, and others where there are many.
    pub(super) fn let_go(&mut self, told: &[bool], before: u64, floors: &Floors) {
        let none = PerDirection::default();
        for (place, connection) in (0_u32..).zip(&mut self.connections) {
            connection.let_go(before, floors.get(&place).unwrap_or(&none));
        }
        let places = keep(&mut self.exchanges, |place, _| !is_set(told, place));
        self.ids.retain_mut(|id| match places.get(id.exchange as usize) {
            Some(&Some(place)) => {
                id.exchange = place;
                true
            }
            _ => false,
        });
        self.forget_connections();
        self.keep_calls();
        self.segments = self.connections.iter().map(|connection| connection.segments.len()).sum();
        self.blocks = self.connections.iter().map(Connection::blocks).sum();
    }

    /// Forgets connections without anything left.
    fn forget_connections(&mut self) {
        let crowded = self.connections.len() > self.room.connections / 2;
        let mut needed = vec![false; self.connections.len()];
        for exchange in &self.exchanges {
            set(&mut needed, exchange.connection);
        }
        let is_kept = |place: u32, connection: &Connection| {
            let is_over = connection.segments.is_empty() && (crowded || connection.is_closing);
            is_set(&needed, place) || !is_over
        };
        let gone = (0..).zip(&self.connections).filter(|&(place, connection)| !is_kept(place, connection));
        self.forgotten =
            gone.flat_map(|(_, connection)| connection.missed()).fold(self.forgotten, |all, one| {
                Some(all.map_or(one, |all| (all.0.min(one.0), all.1.max(one.1))))
            });
        let places = keep(&mut self.connections, is_kept);
        let new = |place: u32| places.get(place as usize).copied().flatten();
        self.numbers.retain(|_, number| match new(*number) {
            Some(place) => {
                *number = place;
                true
            }
            None => false,
        });
        for exchange in &mut self.exchanges {
            exchange.connection = new(exchange.connection).unwrap_or_default();
        }
    }

    /// Keeps the texts alone that the exchanges still call.
    fn keep_calls(&mut self) {
        let before = std::mem::take(&mut self.calls);
        let mut calls = Calls::default();
        for exchange in &mut self.exchanges {
            let number = before.get(exchange.call).and_then(|call| calls.number(call, usize::MAX));
            exchange.call = number.unwrap_or_default();
        }
        self.calls = calls;
    }
}

impl Connection {
    /// Lets go of segments before an instant; where there is a floor, of payload before that instead.
    fn let_go(&mut self, before: u64, floors: &PerDirection<Option<Floor>>) {
        let mut last = PerDirection::default();
        let mut lowest: PerDirection<Option<u32>> = PerDirection::default();
        self.segments.retain(|segment| {
            let from = segment.from();
            let is_needed = match floors[from].filter(|_| segment.len > 0) {
                Some(Floor { base, place }) => {
                    unwrap(&mut last[from], segment.first_byte(), base) + i64::from(segment.len) > place
                }
                None => segment.time >= before,
            };
            if !is_needed && segment.len > 0 {
                let end = end(segment);
                lowest[from] = Some(lowest[from].map_or(end, |other| later(other, end)));
            }
            is_needed
        });
        for from in [Direction::Forward, Direction::Backward] {
            let floor = floors[from].filter(|floor| floor.place > i64::MIN);
            let floor = floor.map(|floor| floor.base.wrapping_add(floor.place as u32)).or(lowest[from]);
            let own = &mut self.streams[from].floor;
            *own = match (*own, floor) {
                (Some(own), Some(floor)) => Some(later(own, floor)),
                (own, floor) => own.or(floor),
            };
        }
    }
}

/// Keeps some of a list, by their places in it; where each stands now.
fn keep<T>(list: &mut Vec<T>, is_kept: impl Fn(u32, &T) -> bool) -> Vec<Option<u32>> {
    let (mut places, mut before, mut now) = (Vec::with_capacity(list.len()), 0, 0);
    list.retain(|item| {
        let kept = is_kept(before, item);
        places.push(kept.then_some(now));
        before += 1;
        now += u32::from(kept);
        kept
    });
    places
}

/// The number behind the last byte.
fn end(segment: &Segment) -> u32 {
    segment.first_byte().wrapping_add(segment.len)
}
