//! Sides that are made by hand: connections of two hosts with a network between them.

mod lab;
mod rounds;

use super::collect::Room;
use super::joining::{Joined, Joining, PairSink};
use super::{Options, Side};
use crate::base::limit_counters::Limit;
use crate::record::pair::{Join, Missing, Pair};
use lab::{Behind, Lab, MILLI};
use std::convert::Infallible;

fn room() -> Room {
    Room { exchanges: 100, segments: 1000, connections: 100, text: 1 << 20, blocks: 1000 }
}

/// Keeps the pairs.
#[derive(Debug, Default)]
struct Kept(Vec<Pair>);

impl PairSink for Kept {
    type Error = Infallible;

    fn pair(&mut self, pair: &Pair) -> Result<(), Infallible> {
        self.0.push(pair.clone());
        Ok(())
    }
}

fn join(client: Side, server: Side) -> Joined<Kept> {
    let Ok(joined) = Joining::new(client, server, Options::default(), Kept::default()).finish();
    joined
}

fn pairs(lab: Lab) -> (Vec<Pair>, Join) {
    let (client, server) = lab.sides();
    let Joined { summary, sink, .. } = join(client, server);
    (sink.0, summary)
}

#[test]
fn cap_join_exchanges() {
    let mut lab = Lab::with_room(Room { exchanges: 2, ..room() });
    for stream in [1, 3, 5] {
        lab.call(1, stream, "/a");
    }
    let (client, _) = lab.sides();
    assert_eq!((client.exchanges.len(), client.struck.of(Limit::JoinExchanges)), (2, 1));
}

#[test]
fn cap_join_text() {
    let mut lab = Lab::with_room(Room { text: 1024, ..room() });
    for stream in 0..9 {
        lab.call(1, 2 * stream + 1, &format!("/{}", "x".repeat(100 + stream as usize)));
    }
    let (client, _) = lab.sides();
    let (kept, left_out) = (client.exchanges.len() as u64, client.struck.of(Limit::JoinExchanges));
    assert!(kept > 0 && left_out > 0 && kept + left_out == 9, "{kept} {left_out}");
}

#[test]
fn cap_join_segments() {
    let mut lab = Lab::with_room(Room { segments: 5, ..room() });
    lab.call(1, 1, "/a");
    lab.call(1, 3, "/b");
    let (client, server) = lab.sides();
    assert!(client.struck.of(Limit::JoinSegments) > 0);
    let joined = join(client, server);
    assert_eq!(joined.summary.pairs, 2, "pairs do not need them");
}

#[test]
fn cap_join_connections() {
    let mut lab = Lab::with_room(Room { connections: 1, ..room() });
    lab.call(1, 1, "/a");
    lab.call(2, 1, "/b");
    let (client, server) = lab.sides();
    assert!(client.struck.of(Limit::JoinConnections) > 0);
    let joined = join(client, server);
    assert_eq!(joined.summary.pairs, 1);
    assert!(joined.summary.limits.of(Limit::JoinExchanges) > 0, "an exchange without its connection");
}

#[test]
fn cap_join_blocks() {
    let mut lab = Lab::with_room(Room { blocks: 2, ..room() });
    for stream in 0..40 {
        lab.call(1, 2 * stream + 1, "/a");
    }
    let (client, server) = lab.sides();
    assert_eq!(client.blocks, 2);
    assert!(client.struck.of(Limit::JoinConnections) > 0);
    assert_eq!(join(client, server).summary.pairs, 40, "a SYN was seen");
}

#[test]
fn a_connection_that_both_saw_pairs_by_stream() {
    let mut lab = Lab::with_room(room());
    for connection in 1..4 {
        for stream in [1, 3, 5] {
            lab.call(connection, stream, "/same");
        }
    }
    let (pairs, join) = pairs(lab);
    assert_eq!((join.pairs, join.how.as_slice()), (9, &[("tcp".to_owned(), 9)][..]));
    let alike = |pair: &Pair| {
        let client = pair.client.as_ref().unwrap();
        let [server] = pair.server.as_slice() else { return false };
        client.stream == server.stream && client.connection + 1000 == server.connection
    };
    assert!(pairs.iter().all(alike), "{pairs:?}");
    let between = pairs[0].between;
    assert_eq!(between.total, Some(2 * lab::DELAY));
    let clock = join.clock.unwrap();
    let uncertainty = clock.uncertainty.unwrap();
    assert!(
        clock.offset.abs_diff(lab::OFFSET) <= uncertainty && uncertainty < lab::DELAY + MILLI,
        "{clock:?}"
    );
}

#[test]
fn exchanged_captures_are_taken_the_other_way_round() {
    let mut lab = Lab::with_room(room());
    lab.call(1, 1, "/a");
    lab.call(1, 3, "/b");
    let (client, server) = lab.sides();
    let joined = join(server, client);
    let summary = &joined.summary;
    assert!(summary.swapped && summary.pairs == 2, "{summary:?}");
    assert!(joined.sink.0.iter().all(|pair| pair.client.as_ref().unwrap().connection < 1000));
}

#[test]
fn streams_that_are_not_one_call_are_a_conflict_and_no_pair() {
    let mut lab = Lab::with_room(room());
    lab.call(1, 1, "/a");
    lab.differing_call(1, 3, "/b", "/c");
    let (_, join) = pairs(lab);
    assert_eq!((join.pairs, join.conflicts, join.client_only, join.server_only), (1, 1, 1, 1));
}

#[test]
fn what_never_arrived_is_told_apart_from_what_was_not_captured() {
    let mut lab = Lab::with_room(room());
    lab.call(1, 1, "/a");
    lab.lost_call(1, 3, "/b");
    lab.call(2, 1, "/c");
    let (pairs, join) = pairs(lab);
    let lost: Vec<_> = pairs.iter().filter(|pair| pair.server.is_empty()).collect();
    assert_eq!(lost.len(), 1);
    assert_eq!(lost[0].missing, Some(Missing::NeverArrived));
    assert_eq!((join.lost_client.segments, join.lost_server.segments), (1, 0));
    let mut lab = Lab::with_room(room());
    lab.call(1, 1, "/a");
    lab.unseen_call(1, 3, "/b");
    lab.call(1, 5, "/c");
    let (pairs, join) = self::pairs(lab);
    let unseen: Vec<_> = pairs.iter().filter(|pair| pair.server.is_empty()).collect();
    assert_eq!(unseen[0].missing, Some(Missing::NotCaptured));
    assert_eq!(join.lost_client.segments, 0);
}

/// Neither copy was seen at the receiver's place, which has acknowledged the bytes: both may have come.
#[test]
fn a_copy_is_not_lost_where_the_receivers_place_has_missed_the_other() {
    let mut lab = Lab::with_room(room());
    lab.call(1, 1, "/a");
    lab.unseen_call_sent_again(1, 3, "/b");
    lab.call(1, 5, "/c");
    let (pairs, join) = pairs(lab);
    assert!(pairs.iter().any(|pair| pair.missing == Some(Missing::NotCaptured)), "{pairs:?}");
    assert_eq!((join.lost_client.segments, join.lost_client.bytes), (0, 0));
}

#[test]
fn a_request_that_was_captured_after_it_had_come_tells_no_times() {
    let mut lab = Lab::with_room(room());
    lab.call(1, 1, "/a");
    lab.call_seen_late(1, 3, "/b");
    lab.call(1, 5, "/c");
    let (pairs, _) = pairs(lab);
    let told: Vec<_> = pairs.iter().map(|pair| pair.between).collect();
    assert!(told.iter().all(|between| between.response.is_some()), "{told:?}");
    let requests: Vec<_> =
        told.iter().map(|between| (between.request.is_some(), between.total.is_some())).collect();
    assert_eq!(requests, [(true, true), (false, false), (true, true)], "{told:?}");
}

#[test]
fn a_request_whose_end_is_missing_tells_nothing_of_its_way() {
    let mut lab = Lab::with_room(room());
    lab.call(1, 1, "/a");
    lab.cut_call(1, 3, "/b");
    lab.call(1, 5, "/c");
    let (pairs, _) = pairs(lab);
    let told: Vec<_> = pairs.iter().map(|pair| pair.between.request.is_some()).collect();
    assert_eq!(told, [true, false, true]);
    assert!(pairs.iter().all(|pair| pair.between.response.is_some()));
}

#[test]
fn what_something_between_has_answered_is_told_apart_from_what_was_not_captured() {
    for (behind, reason) in
        [(Behind::Nothing, Missing::AnsweredBetween), (Behind::Uncaptured, Missing::Unknown)]
    {
        let mut lab = Lab::with_room(room());
        for stream in [1, 3, 5, 7, 9] {
            let behind = if stream == 5 { behind } else { Behind::Captured };
            lab.call_with_id(stream, &format!("/{stream}"), behind);
        }
        let (pairs, join) = pairs(lab);
        assert_eq!((join.pairs, join.client_only), (4, 1));
        let alone: Vec<_> = pairs.iter().filter_map(|pair| pair.missing).collect();
        assert_eq!(alone, [reason]);
    }
}

#[test]
fn nothing_in_common_is_no_pair_and_no_clock() {
    let mut here = Lab::with_room(room());
    here.call(1, 1, "/a");
    let mut there = Lab::with_room(room());
    there.call(9, 1, "/b");
    let (client, _) = here.sides();
    let (_, server) = there.sides();
    let joined = join(client, server);
    let summary = &joined.summary;
    assert_eq!((summary.pairs, summary.client_only, summary.server_only), (0, 1, 1));
    assert_eq!(summary.clock, None);
}

#[test]
fn empty_sides_are_joined() {
    let joined = join(Side::default(), Side::default());
    assert_eq!((joined.sink.0.len(), joined.summary.pairs), (0, 0));
}
