//! Which connection a segment belongs to, and which one makes room.

use super::*;
use crate::packet::{Network, TcpFlags};
use std::collections::HashSet;
use std::net::Ipv6Addr;

const SYN_ACK: u8 = TcpFlags::SYN | TcpFlags::ACK;

fn end(port: u16) -> Endpoint {
    Endpoint { ip: [10, 0, 0, 1].into(), port }
}

fn segment(port: u16, seq: u32, flags: u8, seconds: u64) -> Segment<'static> {
    Segment {
        seq,
        flags: TcpFlags(flags),
        payload: b"x",
        ..Segment::empty(Moment { packet: 1, time: Timestamp::from_parts(seconds, 0) }, end(port), end(443))
    }
}

#[test]
fn cap_connections_shard() {
    let mut table = Table::new(2);
    let slot = |table: &mut Table<u16>, port| table.find(&segment(port, 1, TcpFlags::ACK, 0), || port);
    assert!(slot(&mut table, 1000).replaced.is_none());
    assert!(slot(&mut table, 2000).replaced.is_none());
    assert!(slot(&mut table, 1000).replaced.is_none());
    assert_eq!((table.len(), table.evicted, table.forgotten), (2, 0, 0));
    assert_eq!(slot(&mut table, 3000).replaced.unwrap().state, Some(2000));
    assert_eq!((table.len(), table.evicted), (2, 1));
    let left: Vec<_> = table.drain().filter_map(|entry| entry.state).collect();
    assert_eq!(left, [1000, 3000]);
    assert!(table.is_empty());
}

#[test]
fn ended_connections_go_first_and_are_forgotten() {
    let mut table = Table::new(2);
    let find = |table: &mut Table<u16>, port| table.find(&segment(port, 1, TcpFlags::ACK, 0), || port);
    find(&mut table, 1000);
    let second = find(&mut table, 2000).slot;
    assert_eq!(table.retire(second, Timestamp::from_parts(5, 0)), Some(2000));
    assert_eq!(find(&mut table, 2000).slot, second, "late packets find it");
    assert!(find(&mut table, 3000).replaced.is_none(), "it makes room");
    assert_eq!((table.len(), table.evicted, table.forgotten), (2, 0, 1));
    let third = find(&mut table, 3000).slot;
    table.retire(third, Timestamp::from_parts(5, 0));
    assert!(!table.forget(Timestamp::from_parts(64, 0)));
    assert!(table.forget(Timestamp::from_parts(65, 0)));
    assert_eq!(table.drain().filter_map(|entry| entry.state).collect::<Vec<_>>(), [1000]);
}

#[test]
fn a_new_syn_replaces_the_connection() {
    let mut table = Table::new(9);
    table.find(&segment(1000, 7, TcpFlags::SYN, 0), || 1);
    let (slot, from) = {
        let found = table.find(&segment(1000, 8, TcpFlags::ACK, 0), || 2);
        assert!(found.replaced.is_none());
        (found.slot, found.from)
    };
    let mut sink = crate::flow::reassembly::tests::Collect::default();
    let entry = table.get_mut(slot).unwrap();
    entry.reassembly.segment(
        from,
        &segment(1000, 7, TcpFlags::SYN, 0),
        &mut super::super::Budget::new(0),
        &mut sink,
    );
    assert!(table.find(&segment(1000, 7, TcpFlags::SYN, 0), || 3).replaced.is_none());
    assert!(table.find(&segment(1000, 99, TcpFlags::SYN, 0), || 4).replaced.is_none(), "not yet");
    let answer = Segment { src: end(443), dst: end(1000), ack: 100, ..segment(443, 5, SYN_ACK, 0) };
    let found = table.find(&answer, || 5);
    assert_eq!(found.replaced.unwrap().state, Some(1), "the peer has acknowledged it");
    assert_eq!(found.from, Direction::Backward);
}

/// A segment between ports 1000 and 443 in this network.
fn sent(from: u16, network: u32, seq: u32, ack: u32, flags: u8) -> Segment<'static> {
    let (src, dst) = if from == 1000 { (end(1000), end(443)) } else { (end(443), end(1000)) };
    let flags = TcpFlags(flags | if ack > 0 { TcpFlags::ACK } else { 0 });
    Segment { src, dst, ack, flags, network: Network(network), payload: b"", ..segment(1000, seq, 0, 0) }
}

/// Finds the connection of each segment, and lets it take it; the connections by number.
fn take_all(table: &mut Table<usize>, segments: &[Segment<'_>]) -> Vec<usize> {
    let mut next = table.len();
    let mut sink = crate::flow::reassembly::tests::Collect::default();
    let mut take = |segment: &Segment<'_>| {
        let found = table.find(segment, || next);
        let entry = table.get_mut(found.slot).unwrap();
        entry.reassembly.segment(found.from, segment, &mut crate::flow::Budget::new(0), &mut sink);
        next = next.max(entry.state.unwrap() + 1);
        entry.state.unwrap()
    };
    segments.iter().map(&mut take).collect()
}

#[test]
fn equal_endpoints_in_two_networks_are_two_connections() {
    for other in [3_000_000, 100] {
        let mut table = Table::new(9);
        let found = take_all(
            &mut table,
            &[
                sent(1000, 10, 100, 0, TcpFlags::SYN),
                sent(443, 10, 500, 101, TcpFlags::SYN),
                sent(1000, 10, 101, 501, 0),
                sent(1000, 20, other, 0, TcpFlags::SYN),
                sent(443, 20, 500, other + 1, TcpFlags::SYN),
                sent(1000, 20, other + 1, 501, 0),
                sent(443, 10, 501, 101, 0),
                sent(443, 20, 501, other + 1, 0),
            ],
        );
        assert_eq!(found, [0, 0, 0, 1, 1, 1, 0, 1], "{other}");
    }
}

#[test]
fn equal_endpoints_joined_late_in_two_networks_are_two_connections() {
    let mut table = Table::new(9);
    let far = 1 << 30;
    let segments = [
        sent(1000, 10, 100, 500, 0),
        sent(443, 20, far, far, 0),
        sent(443, 10, 500, 100, 0),
        sent(1000, 20, far, far, 0),
    ];
    assert_eq!(take_all(&mut table, &segments), [0, 1, 0, 1]);
}

#[test]
fn one_connection_may_have_a_network_for_each_direction_and_be_captured_in_two() {
    let asymmetric = [
        sent(1000, 10, 100, 0, TcpFlags::SYN),
        sent(443, 20, 500, 101, TcpFlags::SYN),
        sent(1000, 10, 101, 501, 0),
        sent(443, 20, 501, 101, 0),
    ];
    assert_eq!(take_all(&mut Table::new(9), &asymmetric), [0; 4]);
    assert_eq!(take_all(&mut Table::new(9), &asymmetric[2..]), [0; 2], "joined late");
    let twice = [
        sent(1000, 10, 100, 0, TcpFlags::SYN),
        sent(1000, 20, 100, 0, TcpFlags::SYN),
        sent(443, 20, 500, 101, TcpFlags::SYN),
        sent(443, 10, 500, 101, TcpFlags::SYN),
        sent(1000, 10, 101, 501, 0),
        sent(1000, 20, 101, 501, 0),
    ];
    assert_eq!(take_all(&mut Table::new(9), &twice), [0; 6]);
}

#[test]
fn cap_networks_endpoints() {
    let mut table = Table::new(99);
    let most = limits::NETWORKS_ENDPOINTS as u32;
    let syn = |network| sent(1000, network, network << 24, 0, TcpFlags::SYN);
    take_all(&mut table, &(1..=most).map(syn).collect::<Vec<_>>());
    assert_eq!((table.len(), table.evicted), (limits::NETWORKS_ENDPOINTS, 0));
    let found = table.find(&sent(1000, most + 1, 7, 0, TcpFlags::SYN), || 99);
    assert_eq!(found.replaced.unwrap().state, Some(0));
    assert_eq!((table.len(), table.evicted), (limits::NETWORKS_ENDPOINTS, 1));
    let mut left: Vec<_> = table.drain().filter_map(|entry| entry.state).collect();
    left.sort_unstable();
    assert_eq!(left.len(), limits::NETWORKS_ENDPOINTS);
    assert!(table.is_empty() && table.slots.is_empty());
}

#[test]
fn a_connection_is_as_old_as_the_syn_that_has_begun_it() {
    let mut table = Table::new(9);
    let at = |packet| Moment { packet, ..Moment::default() };
    take_all(&mut table, &[sent(1000, 0, 100, 500, 0), sent(443, 0, 500, 100, 0)]);
    let syn = Segment { at: at(7), ..sent(1000, 0, 7000, 0, TcpFlags::SYN) };
    assert!(table.find(&syn, || 8).replaced.is_none());
    let answer = Segment { at: at(9), ..sent(443, 0, 9000, 7001, TcpFlags::SYN) };
    let found = table.find(&answer, || 9);
    assert_eq!((found.from, found.replaced.unwrap().state), (Direction::Backward, Some(0)));
    let entry = table.get_mut(found.slot).unwrap();
    assert_eq!((entry.first.packet, entry.senders), (7, [end(1000), end(443)]));
    assert!(entry.reassembly.from_start(Direction::Forward));
}

/// After both have ended, a SYN begins a new connection whatever its number.
#[test]
fn the_same_number_may_be_used_again_after_a_close() {
    let mut table = Table::new(9);
    let once = [
        sent(1000, 0, 100, 0, TcpFlags::SYN),
        sent(443, 0, 500, 101, TcpFlags::SYN),
        sent(1000, 0, 101, 501, TcpFlags::FIN),
        sent(443, 0, 501, 102, TcpFlags::FIN),
        sent(1000, 0, 102, 502, 0),
    ];
    assert_eq!(take_all(&mut table, &once), [0; 5]);
    assert_eq!(take_all(&mut table, &once), [1; 5]);
}

/// The server's side comes first, its SYN and the acknowledgment of the client's lost: what follows the client's SYN tells
/// whether it is that connection's, or one more that uses the ports again.
#[test]
fn a_syn_behind_the_end_of_the_other_side_may_be_its_own() {
    let fin = TcpFlags::FIN;
    let server = [sent(443, 0, 501, 336, 0), sent(443, 0, 501, 336, 0), sent(443, 0, 501, 500, fin)];
    let syn = sent(1000, 0, 100, 0, TcpFlags::SYN);
    let late = [sent(1000, 0, 101, 501, 0), sent(1000, 0, 500, 502, fin)];
    let mut table = Table::new(9);
    assert_eq!(take_all(&mut table, &[&server[..], &[syn], &late].concat()), [0; 6]);

    let new = [sent(443, 0, 90_000, 101, TcpFlags::SYN), sent(1000, 0, 101, 90_001, 0)];
    let mut table = Table::new(9);
    assert_eq!(take_all(&mut table, &[&server[..], &[syn], &new].concat()), [0, 0, 0, 0, 1, 1]);

    for seq in [336, 3_000_000] {
        let mut table = Table::new(9);
        assert_eq!(
            take_all(&mut table, &[&server[..], &[sent(1000, 0, seq, 0, TcpFlags::SYN)]].concat()),
            [0, 0, 0, 1],
            "{seq}"
        );
    }
}

/// What collides where the seed is known: an interface identifier that makes a factor of the hash zero, whatever the
/// network. It is one of the seeds that the hash is delivered with.
#[test]
fn addresses_chosen_to_collide_do_not() {
    const IDENTIFIER: u128 = 0xdd50_7cc9_b729_acc0;
    let chosen = |network: u128| {
        let ip = Ipv6Addr::from_bits(network << 64 | IDENTIFIER).into();
        Key::of(Endpoint { ip, port: 80 }, end(443)).0
    };
    let hashes = |hasher: &dyn Fn(&Key) -> u64| {
        (0..1000).map(|network| hasher(&chosen(network))).collect::<HashSet<_>>().len()
    };
    let (fixed, random) = (foldhash::quality::FixedState::with_seed(0x6c65), unforeseeable());
    assert_eq!(hashes(&|key| fixed.hash_one(key)), 1);
    assert_eq!(hashes(&|key| random.hash_one(key)), 1000);
    let other = unforeseeable();
    assert_ne!(other.hash_one(chosen(1)), random.hash_one(chosen(1)));
}

#[test]
fn time_that_goes_back_does_not_stop_forgetting() {
    let mut table = Table::new(9);
    let at = |seconds| Timestamp::from_parts(seconds, 0);
    for (port, ended) in [(1000, 4_294_967_295), (1001, 100), (1002, 110)] {
        let slot = table.find(&segment(port, 7, 0, ended), || 1).slot;
        table.retire(slot, at(ended));
    }
    assert!(table.forget(at(120)), "the one of a far year");
    assert!(!table.forget(at(120)) && table.len() == 2);
    assert!(table.forget(at(161)) && !table.forget(at(161)));
    let idle = |_: &ConnectionEntry<i32>| Duration::from_secs(15);
    table.find(&segment(1003, 7, 0, 4_294_967_295), || 2);
    table.find(&segment(1004, 7, 0, 200), || 3);
    let lost = table.idle(at(200), idle).unwrap();
    assert_eq!(table.remove(lost).unwrap().state, Some(2));
    assert!(table.idle(at(200), idle).is_none());
}

#[test]
fn what_is_of_least_value_makes_room_first() {
    let mut table = Table::new(99);
    let slots: Vec<_> = (0..6).map(|n| table.find(&segment(1000 + n, 7, 0, 0), || n).slot).collect();
    table.retire(slots[5], Timestamp::default());
    let with_entries = table.memory();
    assert!(with_entries > 6 * size_of::<ConnectionEntry<u16>>());
    assert!(table.give_up_ended() && !table.give_up_ended());
    assert!(table.memory() < with_entries);
    let odd = |entry: &ConnectionEntry<u16>| entry.state.is_some_and(|state| state % 2 == 1);
    let order: Vec<_> = std::iter::from_fn(|| table.give_up(slots[0], odd)?.state).collect();
    assert_eq!(order, [2, 4, 1, 3, 0], "even ones, then odd ones, the one at hand last");
}

#[test]
fn expires_by_packet_time() {
    let mut table = Table::new(9);
    table.find(&segment(1000, 7, 0, 10), || 1);
    table.find(&segment(1001, 7, 0, 20), || 2);
    let idle = |_: &ConnectionEntry<i32>| Duration::from_secs(15);
    assert!(table.idle(Timestamp::from_parts(24, 0), idle).is_none());
    let first = table.idle(Timestamp::from_parts(25, 0), idle).unwrap();
    assert_eq!(table.remove(first).unwrap().state, Some(1));
    assert!(table.idle(Timestamp::from_parts(25, 0), idle).is_none());
}

#[test]
fn what_rests_goes_first_and_is_idle_once() {
    let mut table = Table::new(3);
    let find = |table: &mut Table<u16>, port, seconds| {
        let found = table.find(&segment(port, 7, 0, seconds), || port);
        (found.slot, found.replaced.map(|entry| entry.is_resting()))
    };
    let idle = |_: &ConnectionEntry<u16>| Duration::from_secs(15);
    for port in [1, 2, 3] {
        find(&mut table, port, u64::from(port));
    }
    let now = Timestamp::from_parts(100, 0);
    let mut rested = Vec::new();
    while let Some(slot) = table.idle(now, idle) {
        table.rest(slot);
        rested.push(table.get_mut(slot).unwrap().senders[0].port);
    }
    assert_eq!(rested, [1, 2, 3]);
    // The second one, and the last one of the list, are used again.
    for port in [2, 3] {
        let (slot, _) = find(&mut table, port, 100);
        assert!(!table.get_mut(slot).unwrap().is_resting());
    }
    let (_, replaced) = find(&mut table, 4, 101);
    assert_eq!((replaced, table.evicted), (Some(true), 0), "nobody misses what rested");
    assert!(table.give_up_resting().is_none(), "all that is left is awake");
    let slot = table.idle(Timestamp::from_parts(115, 0), idle).unwrap();
    assert_eq!(table.get_mut(slot).unwrap().senders[0].port, 2);
    table.rest(slot);
    assert_eq!(table.give_up_resting().unwrap().senders[0].port, 2);
    assert!(table.give_up_resting().is_none());
}
