//! Captures that are larger than what is kept of them.

use super::lab::{self, Lab};
use super::{Kept, join, room};
use crate::base::limit_counters::Limit;
use crate::join::collect::{Batch, Room};
use crate::join::joining::{Joined, Joining};
use crate::join::{Options, Place, Side};
use crate::record::pair::{Missing, Pair};

/// Twelve connections with twenty-five calls each: most arrive, some do not, some are not captured.
fn lab(room: Room, seed: u32) -> Lab {
    let mut lab = Lab::with_room(room);
    let mut random = seed;
    for number in 0..300 {
        random = random.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        // Each connection is used again and again, and in the end no more.
        let (connection, stream) = (u64::from(number / 60 * 3 + number % 3) + 1, number / 3 * 2 + 1);
        match random >> 28 {
            0 => lab.lost_call(connection, stream, "/lost"),
            1 => lab.unseen_call(connection, stream, "/unseen"),
            2 => lab.differing_call(connection, stream, "/here", "/there"),
            _ => lab.call(connection, stream, &format!("/calls/{number}")),
        }
    }
    lab
}

/// Joins what is read piece by piece, and how full each side became.
fn in_rounds(lab: Lab, room: Room, in_order: bool) -> (Joined<Kept>, [usize; 2]) {
    let side = || Side::with_room(room);
    let mut joining = Joining::new(side(), side(), Options::default(), Kept::default());
    let mut most = [0; 2];
    lab.read(in_order, |place, part: &Batch| {
        if place == Place::Client { &mut joining.client } else { &mut joining.server }.take(part);
        let Ok(()) = joining.go_on([false; 2]);
        for side in [&joining.client, &joining.server] {
            most = [most[0].max(side.exchanges.len()), most[1].max(side.segments)];
        }
    });
    let Ok(joined) = joining.finish();
    (joined, most)
}

/// Connection and stream at the client's place and at the server's, how they were paired, or why not.
type Told = (Option<[u64; 2]>, Option<[u64; 2]>, Option<String>, Option<Missing>);

/// What pairs say but for times.
fn told(pairs: &[Pair]) -> Vec<Told> {
    let side = |side: &crate::record::pair::PairSide| [side.connection, u64::from(side.stream)];
    let mut told: Vec<_> = pairs
        .iter()
        .map(|pair| {
            (pair.client.as_ref().map(side), pair.server.first().map(side), pair.how.clone(), pair.missing)
        })
        .collect();
    told.sort();
    told
}

#[test]
fn rounds_tell_what_one_round_would() {
    for seed in 0..20 {
        let large = Room { exchanges: 1000, segments: 10_000, ..room() };
        let (client, server) = lab(large, seed).sides();
        let whole = join(client, server);
        for small in [
            Room { exchanges: 40, segments: 10_000, ..room() },
            Room { exchanges: 1000, segments: 160, ..room() },
            Room { exchanges: 60, segments: 160, text: 8000, ..room() },
        ] {
            let (joined, most) = in_rounds(lab(small, seed), small, true);
            assert!(most[0] <= small.exchanges && most[1] <= small.segments, "{most:?}");
            assert_eq!(told(&joined.sink.0), told(&whole.sink.0), "{seed} {small:?}");
            let (found, expected) = (&joined.summary, &whole.summary);
            assert_eq!((found.pairs, found.conflicts), (expected.pairs, expected.conflicts));
            assert_eq!((found.lost_client, found.lost_server), (expected.lost_client, expected.lost_server));
            assert_eq!(found.missing, expected.missing);
            assert!(found.limits.is_empty(), "{:?}", found.limits);
            let clock = found.clock.as_ref().unwrap();
            assert!(clock.offset.abs_diff(lab::OFFSET) <= clock.uncertainty.unwrap(), "{clock:?}");
        }
    }
}

#[test]
fn what_is_read_too_late_is_alone_and_counted() {
    let small = Room { exchanges: 40, segments: 400, ..room() };
    let (client, server) = lab(Room { exchanges: 1000, segments: 10_000, ..room() }, 1).sides();
    let whole = told(&join(client, server).sink.0);
    let (joined, most) = in_rounds(lab(small, 1), small, false);
    assert!(most[0] <= small.exchanges && most[1] <= small.segments, "{most:?}");
    assert!(joined.summary.limits.of(Limit::JoinExchanges) > 100, "{:?}", joined.summary);
    let pairs: Vec<_> = told(&joined.sink.0).into_iter().filter(|told| told.2.is_some()).collect();
    assert!(pairs.iter().all(|pair| whole.contains(pair)), "{pairs:?}");
    let missing = |reason| joined.summary.missing.iter().any(|&(other, _)| other == reason);
    assert!(missing(Missing::Unknown) && !missing(Missing::AnsweredBetween), "{:?}", joined.summary.missing);
}

#[test]
fn connections_without_anything_left_are_forgotten() {
    let small = Room { connections: 12, ..room() };
    let mut lab = Lab::with_room(small);
    for connection in 1..200 {
        lab.call(connection, 1, "/a");
        lab.call(connection, 3, "/b");
    }
    let (joined, _) = in_rounds(lab, small, true);
    assert_eq!((joined.summary.pairs, joined.summary.how.len()), (398, 1), "{:?}", joined.summary);
    assert!(joined.summary.limits.is_empty());
}
