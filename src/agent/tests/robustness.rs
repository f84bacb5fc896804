//! Hostile input: no panic, bounded memory, and results that do not depend on chance.

use super::super::*;
use super::encoder::*;
use super::lab::*;
use proptest::prelude::*;
use std::net::IpAddr;

/// Payloads that look like frames, and others.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    let block = proptest::collection::vec(any::<u8>(), 0..80);
    let one = (0_u8..11, any::<u8>(), 0_u32..6, block)
        .prop_map(|(kind, flags, stream, block)| frame(kind, flags, stream, &block));
    let frames = proptest::collection::vec(one, 1..6).prop_map(|frames| frames.concat());
    let cut = (frames, any::<u16>(), any::<u16>()).prop_map(|(frames, from, to)| {
        let from = usize::from(from) % frames.len();
        frames[from..from + usize::from(to) % (frames.len() - from + 1)].to_vec()
    });
    prop_oneof![
        6 => cut,
        2 => Just([classify::PREFACE.as_slice(), &s()].concat()),
        2 => proptest::collection::vec(any::<u8>(), 0..60),
        1 => (0_u32..4).prop_map(|i| [h(id(i)), d(id(i))].concat()),
    ]
}

#[derive(Clone, Debug)]
struct Packet {
    from_client: bool,
    port: u16,
    tls: bool,
    flags: u8,
    seq: u32,
    step: i64,
    cut: u32,
    payload: Vec<u8>,
}

fn packet() -> impl Strategy<Value = Packet> {
    let flags = prop_oneof![12 => Just(TcpFlags::ACK), 1 => Just(TcpFlags::FIN), 1 => any::<u8>()];
    let step = prop_oneof![8 => 0_i64..1_000_000, 1 => Just(40_000_000_000), 1 => any::<i64>()];
    let cut = prop_oneof![8 => Just(0_u32), 1 => 0_u32..2000, 1 => any::<u32>()];
    (any::<bool>(), 80_u16..83, prop::bool::weighted(0.2), flags, 0_u32..4, step, cut, payload()).prop_map(
        |(from_client, port, tls, flags, seq, step, cut, payload)| Packet {
            from_client,
            port,
            tls,
            flags,
            seq,
            step,
            cut,
            payload,
        },
    )
}

fn run(packets: &[Packet], rules: Rules) -> (Summary, Struck) {
    let mut agent = Agent::new(Params { rules, max_requests: 20, statistics: true, ..Params::default() });
    let mut at = Moment { packet: 0, time: Timestamp::from_parts(1_700_000_000, 0) };
    let ip = IpAddr::from([10, 0, 0, 1]);
    for packet in packets {
        at.packet += 1;
        at.time = Timestamp::from_nanos(at.time.as_nanos().saturating_add_signed(packet.step));
        let (client, server) = (Endpoint { ip, port: 81 }, Endpoint { ip, port: packet.port });
        let (src, dst) = if packet.from_client { (client, server) } else { (server, client) };
        let Packet { seq, flags, payload, cut, .. } = packet;
        if packet.tls {
            agent.tls_record(at, src, dst, payload);
        } else {
            let flags = TcpFlags(*flags);
            agent.segment(&Segment { seq: *seq, flags, payload, cut: *cut, ..Segment::empty(at, src, dst) });
        }
        let tx = WireTransaction {
            client,
            server,
            connection: 1,
            stream: *seq,
            complete: at.packet.is_multiple_of(2),
            first: Moment { packet: at.packet.saturating_sub(u64::from(*seq)), ..at },
            last: at,
            method: payload.get(..3),
            path: Some(payload),
            status: Some(200),
            facts: WireFacts { request: FrameFact::split(at.packet), ..WireFacts::default() },
        };
        agent.verdict(&tx);
    }
    let live = agent.streams.len();
    assert!(
        live <= 20 && agent.dynamic.len() <= 20 && agent.incomplete_len <= 20 && agent.counters_len <= 20
    );
    agent.finish();
    let Summary { transactions, seen_incomplete, spurious, late, .. } = agent.summary();
    let statuses = agent.statistics().iter().flat_map(|endpoint| &endpoint.statuses);
    let emitted: u64 = statuses.map(|(_, latencies)| latencies.count).sum();
    assert_eq!(transactions + seen_incomplete + spurious + late, emitted);
    (agent.summary(), agent.limits())
}

proptest! {
    #[test]
    fn any_packets_are_survived_and_give_the_same_twice(packets in proptest::collection::vec(packet(), 0..120)) {
        for rules in [Rules::Y2025, Rules::Y2026, Rules::Y2026b] {
            let (summary, limits) = run(&packets, rules);
            prop_assert_eq!((summary, limits), run(&packets, rules));
            let complete = packets.len() as u64 / 2;
            prop_assert_eq!(summary.transactions + summary.missed.iter().sum::<u64>(), complete);
        }
    }

    #[test]
    fn packets_of_whole_frames_are_counted_as_they_are(counts in proptest::collection::vec(1_u32..20, 1..20)) {
        let mut lab = Lab::connected(Rules::default());
        let mut next = 0;
        for count in counts {
            let ids: Vec<u32> = (next..next + count).map(id).collect();
            next += count;
            lab.client(&ids.iter().flat_map(|&stream| [h(stream), p(), d(stream)].concat()).collect::<Vec<_>>());
            lab.answer(ids, "200");
        }
        let all = u64::from(next);
        let counters = lab.counters();
        prop_assert_eq!((counters.requests, counters.responses, counters.eos), (all, all, 2 * all));
        prop_assert_eq!(lab.seen(), [post("/aaa", all)]);
    }
}

#[test]
fn a_million_streams_and_connections_take_bounded_memory() {
    let mut agent = Agent::new(Params::default());
    let ip = IpAddr::from([10, 0, 0, 1]);
    let dst = Endpoint { ip, port: 80 };
    let start = [classify::PREFACE.as_slice(), &s()].concat();
    let mut at = Moment { packet: 0, time: Timestamp::from_parts(1_700_000_000, 0) };
    let mut packet = Vec::new();
    for n in 0..10_000_u32 {
        packet.clear();
        for i in 0..100 {
            packet.extend(frame(HEADERS, 4, id(n * 100 + i), &[0x83, 0x45, 2, b'/', b'a']));
        }
        let src = Endpoint { ip: IpAddr::from((0x0a01_0000 + n % 70_000).to_be_bytes()), port: 40_000 };
        for payload in [&start, &packet] {
            at.packet += 1;
            let flags = TcpFlags(TcpFlags::ACK);
            agent.segment(&Segment { seq: at.packet as u32, flags, payload, ..Segment::empty(at, src, dst) });
        }
    }
    assert_eq!(agent.streams.len(), 65_536);
    assert_eq!(agent.dynamic.len(), 65_536);
    assert!(agent.connections.len() <= crate::base::limits::AGENT_CONNECTIONS);
    assert_eq!(agent.limits().of(Limit::AgentInFlight), 1_000_000 - 65_536);
    // All of it goes with time.
    at.time = at.time.after(std::time::Duration::from_secs(70));
    agent.segment(&Segment { seq: 1, flags: TcpFlags(0), payload: &start, ..Segment::empty(at, dst, dst) });
    assert_eq!(agent.streams.len(), 0);
}

#[test]
fn a_tick_at_every_packet_is_not_slow() {
    // Each packet is 31 s after the one before, with all maps well filled.
    let mut lab = Lab::connected(Rules::default());
    let started = std::time::Instant::now();
    for n in 0..50_000 {
        lab.wait(std::time::Duration::from_secs(31));
        lab.client(&[h(id(n)), d(id(n))].concat());
        if n % 3 == 0 {
            lab.send(true, &[], TcpFlags::FIN);
            lab.connect();
        }
    }
    assert!(started.elapsed().as_secs() < 20);
    assert!(lab.agent.streams.len() < 3 && lab.agent.ended.len() < 10);
}
