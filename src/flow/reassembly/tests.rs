use super::*;
use crate::base::endpoint::Endpoint;
use crate::base::limits;
use crate::base::time::Timestamp;
use crate::base::tuning;
use crate::flow::pending;
use crate::flow::{Arrival, End, Gap};
use crate::packet::{Checksum, TcpFlags};
use proptest::prelude::*;

/// Collects streams: bytes, with `None` for each byte of a gap.
#[derive(Default, Debug)]
pub(in crate::flow) struct Collect {
    pub(in crate::flow) streams: PerDirection<Vec<Option<u8>>>,
    pub(in crate::flow) ends: Vec<(Direction, End)>,
    ended_at: Vec<Moment>,
    /// So many pieces are wanted, and how many of them were taken.
    appetite: Option<usize>,
    taken: usize,
}

impl ByteSink for Collect {
    fn data(&mut self, from: Direction, _: &Arrival, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        self.taken += 1;
        self.streams[from].extend(bytes.iter().copied().map(Some));
    }
    fn gap(&mut self, from: Direction, _: &Arrival, gap: Gap) {
        let len = gap.len.unwrap() as usize;
        assert!(len > 0);
        let to = self.streams[from].len() + len;
        self.streams[from].resize(to.min(1 << 22), None);
    }
    fn worse(&mut self, from: Direction, arrival: &Arrival, bytes: &[u8]) {
        self.taken += 1;
        self.gap(from, arrival, Gap::new(Some(bytes.len() as u64), GapCause::Damaged));
    }
    fn is_sated(&self) -> bool {
        self.appetite.is_some_and(|appetite| self.taken >= appetite)
    }
    fn end(&mut self, from: Direction, arrival: &Arrival, how: End) {
        self.ends.push((from, how));
        self.ended_at.push(arrival.at);
    }
}

struct Wire {
    reassembly: Reassembly,
    budget: Budget,
    sink: Collect,
    packet: u64,
    last: Moment,
    checksum: Checksum,
}

impl Wire {
    fn new() -> Self {
        let budget = Budget::new(limits::REASSEMBLY_SHARD);
        Self {
            reassembly: Reassembly::default(),
            budget,
            sink: Collect::default(),
            packet: 0,
            last: Moment::default(),
            checksum: Checksum::Unknown,
        }
    }

    fn send(&mut self, from: Direction, seq: u32, ack: Option<u32>, flags: u8, payload: &[u8]) {
        self.send_cut(from, seq, ack, flags, payload, 0);
    }

    fn send_cut(&mut self, from: Direction, seq: u32, ack: Option<u32>, flags: u8, payload: &[u8], cut: u32) {
        self.judge(from, seq, ack, flags, payload, cut);
    }

    fn judge(
        &mut self,
        from: Direction,
        seq: u32,
        ack: Option<u32>,
        flags: u8,
        payload: &[u8],
        cut: u32,
    ) -> Verdict {
        self.packet += 1;
        let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
        let (src, dst) = if from == Direction::Forward { (end(1), end(2)) } else { (end(2), end(1)) };
        let segment = Segment {
            seq,
            ack: ack.unwrap_or(0),
            window: 100,
            flags: TcpFlags(flags | if ack.is_some() { TcpFlags::ACK } else { 0 }),
            payload,
            cut,
            checksum: self.checksum,
            ..Segment::empty(
                Moment { packet: self.packet, time: Timestamp::from_nanos(self.packet * 1000) },
                src,
                dst,
            )
        };
        self.sink.taken = 0;
        let verdict = self.reassembly.segment(from, &segment, &mut self.budget, &mut self.sink);
        self.last = segment.at;
        verdict
    }

    /// Nothing follows; what waits is asked for until nothing is left, after so many times.
    fn hand_on_rest(&mut self) -> usize {
        for times in 1.. {
            self.sink.taken = 0;
            if self.reassembly.hand_on_rest(self.last, &mut self.budget, &mut self.sink) {
                return times;
            }
        }
        0
    }

    /// Nothing follows.
    fn finish(&mut self) {
        self.reassembly.finish(Moment::default(), &mut self.budget, &mut self.sink);
    }

    fn wait(&mut self, nanos: u64) {
        self.packet += nanos / 1000;
        let now = Moment { packet: self.packet, time: Timestamp::from_nanos(self.packet * 1000) };
        self.reassembly.tick(now, &mut self.budget, &mut self.sink);
    }

    fn text(&self, from: Direction) -> String {
        self.sink.streams[from].iter().map(|byte| byte.map_or('?', char::from)).collect()
    }
}

use Direction::{Backward, Forward};

#[test]
fn orders_wraps_and_drops_duplicates() {
    let mut wire = Wire::new();
    let start = u32::MAX - 2;
    wire.send(Forward, start.wrapping_sub(1), None, TcpFlags::SYN, b"");
    wire.send(Forward, start.wrapping_add(4), None, 0, b"efg");
    wire.send(Forward, start, None, 0, b"abcd");
    wire.send(Forward, start, None, 0, b"abcd");
    wire.send(Forward, start.wrapping_add(6), None, TcpFlags::FIN, b"ghi");
    assert_eq!(wire.text(Forward), "abcdefghi");
    assert_eq!(wire.sink.ends, [(Forward, End::Fin)]);
    let stats = wire.reassembly.stats(Forward);
    assert_eq!((stats.bytes, stats.retransmitted, stats.out_of_order, stats.gaps), (9, 1, 1, 0));
}

#[test]
fn syn_may_carry_data_and_come_twice_or_late() {
    let mut wire = Wire::new();
    wire.send(Forward, 10, None, TcpFlags::SYN, b"ab");
    wire.send(Forward, 10, None, TcpFlags::SYN, b"ab");
    wire.send(Forward, 13, None, 0, b"c");
    wire.send(Backward, 51, None, 0, b"x");
    wire.send(Backward, 50, None, TcpFlags::SYN, b"");
    wire.send(Backward, 52, None, 0, b"y");
    assert_eq!((wire.text(Forward), wire.text(Backward)), ("abc".into(), "xy".into()));
}

#[test]
fn keep_alives_and_window_probes_change_nothing() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"abc");
    wire.send(Forward, 3, None, 0, b"");
    wire.send(Forward, 3, None, 0, b"\0");
    wire.send(Forward, 4, None, 0, b"d");
    wire.send(Forward, 4, None, 0, b"def");
    assert_eq!(wire.text(Forward), "abcdef");
}

#[test]
fn a_hole_waits_for_acknowledgment_and_grace() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"abc");
    wire.send(Forward, 6, None, 0, b"fg");
    wire.send(Backward, 1, Some(8), 0, b"");
    assert_eq!(wire.text(Forward), "abc", "the segment may come later in the capture");
    for _ in 0..tuning::HOLE_GRACE_SEGMENTS {
        wire.send(Backward, 1, Some(8), 0, b"");
    }
    assert_eq!(wire.text(Forward), "abc??fg");
    wire.send(Forward, 4, None, 0, b"de");
    assert_eq!(wire.text(Forward), "abc??fg", "late bytes are not moved to another place");
    assert_eq!(wire.reassembly.stats(Forward).gap_bytes, 2);
}

#[test]
fn what_comes_for_a_hole_that_was_given_up_was_not_sent_again() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"abc");
    wire.send(Forward, 6, None, 0, b"fg");
    for _ in 0..=tuning::HOLE_GRACE_SEGMENTS {
        wire.send(Backward, 1, Some(8), 0, b"");
    }
    assert_eq!(wire.text(Forward), "abc??fg");
    let sent_again = |wire: &Wire| wire.reassembly.stats(Forward).retransmitted;
    wire.send(Forward, 4, None, 0, b"d");
    wire.send(Forward, 4, None, 0, b"de");
    assert_eq!(sent_again(&wire), 0);
    wire.send(Forward, 4, None, 0, b"de");
    assert_eq!(sent_again(&wire), 1);
    wire.send(Forward, 6, None, 0, b"fg");
    assert_eq!(sent_again(&wire), 2);
}

#[test]
fn a_hole_is_given_up_by_time() {
    for (acks, nanos) in
        [(true, tuning::HOLE_GRACE.as_nanos()), (false, tuning::HOLE_UNACKNOWLEDGED.as_nanos())]
    {
        let mut wire = Wire::new();
        wire.send(Forward, 1, None, 0, b"abc");
        wire.send(Forward, 6, None, 0, b"fg");
        if acks {
            wire.send(Backward, 1, Some(8), 0, b"");
        }
        wire.wait(nanos as u64 - 10_000);
        assert_eq!(wire.text(Forward), "abc");
        wire.wait(20_000);
        assert_eq!(wire.text(Forward), "abc??fg");
    }
}

/// The direction of the acknowledgments was captured a little ahead, and the other one out of order.
#[test]
fn what_was_acknowledged_already_is_awaited_too() {
    for before in [0, 10, 1000] {
        let mut wire = Wire::new();
        wire.send(Forward, 1, None, 0, b"a");
        for _ in 0..before {
            wire.send(Backward, 1, Some(2), 0, b"");
        }
        wire.send(Backward, 1, Some(1000), 0, b"");
        for n in 0..3 {
            let seq = 2 + 4 * n;
            wire.send(Forward, seq + 2, None, 0, b"de");
            wire.send(Forward, seq, None, 0, b"bc");
        }
        assert_eq!(wire.text(Forward), "abcdebcdebcde", "after {before} segments");
    }
}

/// Holes behind a hole have been there as long as what is behind them.
#[test]
fn holes_are_waited_for_together() {
    let (grace, most) = (tuning::HOLE_GRACE_SEGMENTS as usize, tuning::HOLE_GRACE_SEGMENTS as usize * 5 / 4);
    for before in [0, 1000] {
        let mut wire = Wire::new();
        wire.send(Forward, 1, None, 0, b"ab");
        for _ in 0..before {
            wire.send(Backward, 1, Some(3), 0, b"");
        }
        let mut told = Vec::new();
        for n in 1..=2000 {
            let end = 4 * n + 3;
            wire.send(Forward, end - 2, None, 0, b"cd");
            wire.send(Backward, 1, Some(end), 0, b"");
            told.push(wire.sink.streams[Forward].len());
            let (sent, waits) = (4 * n as usize + 2, 4 * most / 2);
            assert!(told.last().is_some_and(|told| told + waits + 8 >= sent), "{sent} {told:?}");
        }
        let first = told.iter().position(|&told| told > 2).unwrap();
        assert!((grace / 2..=most / 2).contains(&first), "{first}");
        assert_eq!(wire.reassembly.stats(Forward).limited, 0);
    }
}

/// The same where the other direction is not in the capture.
#[test]
fn unacknowledged_holes_are_waited_for_together() {
    let mut wire = Wire::new();
    for n in 0..10 {
        wire.send(Forward, 1 + 4 * n, None, 0, b"ab");
    }
    let wait = tuning::HOLE_UNACKNOWLEDGED.as_nanos() as u64;
    wire.wait(wait - 100_000);
    assert_eq!(wire.text(Forward), "ab");
    wire.wait(200_000);
    assert_eq!(wire.text(Forward), "ab??".repeat(9) + "ab");
}

#[test]
fn loss_in_one_direction_leaves_the_other_alone() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"abc");
    wire.send(Forward, 9, None, 0, b"i");
    wire.send(Backward, 1, None, 0, b"xyz");
    assert_eq!((wire.text(Forward), wire.text(Backward)), ("abc".into(), "xyz".into()));
    assert!(wire.reassembly.has_hole());
}

#[test]
fn lost_bytes_at_the_end_are_known_by_acknowledgments_and_by_what_stands_behind_them() {
    for behind in [false, true] {
        let mut wire = Wire::new();
        wire.send(Forward, 1, None, 0, b"abc");
        assert!(wire.reassembly.caught_up(Forward));
        if behind {
            wire.send(Forward, 9, None, 0, b"");
        } else {
            wire.send(Backward, 50, Some(9), 0, b"");
        }
        assert!(!wire.reassembly.caught_up(Forward));
        wire.reassembly.finish(Moment::default(), &mut wire.budget, &mut wire.sink);
        assert_eq!((wire.text(Forward), wire.reassembly.stats(Forward).gap_bytes), ("abc?????".into(), 5));
    }
}

#[test]
fn a_number_that_a_fin_would_make_is_no_loss() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"abc");
    wire.send(Backward, 50, Some(5), 0, b"");
    assert!(wire.reassembly.caught_up(Forward));
    wire.reassembly.finish(Moment::default(), &mut wire.budget, &mut wire.sink);
    assert_eq!(wire.text(Forward), "abc");
}

#[test]
fn lost_bytes_before_the_first_one_seen_are_known_from_earlier_numbers() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, Some(50), 0, b"q");
    wire.send(Backward, 57, Some(2), 0, b"rs");
    assert!(!wire.reassembly.caught_up(Backward), "50 to 56 may still come");
    wire.send(Backward, 50, Some(2), 0, b"abcdefg");
    assert_eq!(wire.text(Backward), "abcdefgrs");
    let mut wire = Wire::new();
    wire.send(Forward, 1, Some(50), 0, b"q");
    wire.send(Backward, 56, Some(2), 0, b"");
    assert!(!wire.reassembly.caught_up(Backward));
    wire.reassembly.finish(Moment::default(), &mut wire.budget, &mut wire.sink);
    assert_eq!(wire.text(Backward), "??????");
}

#[test]
fn of_a_direction_that_is_not_in_the_capture_nothing_is_missed() {
    let mut wire = Wire::new();
    for n in 0..100 {
        wire.send(Forward, 1 + n, Some(50 + 1000 * n), 0, b"q");
    }
    wire.reassembly.finish(Moment::default(), &mut wire.budget, &mut wire.sink);
    assert_eq!(wire.reassembly.stats(Backward).gap_bytes, 0);
}

/// A piece that costs as much as a direction may hold, and a byte less or more.
#[test]
fn cap_reassembly_direction() {
    let most = limits::REASSEMBLY_DIRECTION - pending::cost_of(0);
    for (len, struck) in [(most - 1, 0), (most, 0), (most + 1, 1)] {
        let mut wire = Wire::new();
        wire.send(Forward, 1, None, 0, b"a");
        wire.send(Forward, 3, None, 0, &vec![b'.'; len]);
        assert!(wire.reassembly.halves.forward.pending.bytes() <= limits::REASSEMBLY_DIRECTION);
        assert_eq!(wire.reassembly.stats(Forward).limited, struck, "{len}");
        wire.send(Forward, 2, None, 0, b"b");
        let stats = wire.reassembly.stats(Forward);
        assert_eq!((wire.sink.streams.forward.len(), stats.gaps), (2 + len, struck), "{len}");
        assert_eq!((wire.budget.held(), wire.budget.struck()), (0, 0));
    }
}

/// A segment is lost, and all that its sender may send until it is sent again has come.
#[test]
fn a_whole_window_waits_for_a_hole() {
    for len in [1200, 1448, 8948] {
        let mut wire = Wire::new();
        wire.send(Forward, 1, None, 0, b"a");
        let segments = (6 << 20) / len;
        for n in 0..segments {
            wire.send(Forward, 3 + (n * len) as u32, None, 0, &vec![b'.'; len]);
        }
        wire.send(Forward, 2, None, 0, b"b");
        let stats = wire.reassembly.stats(Forward);
        assert_eq!((stats.gaps, stats.limited), (0, 0), "{len}");
        assert_eq!(wire.sink.streams.forward.len(), 2 + segments * len);
    }
}

#[test]
fn cap_reassembly_shard() {
    let (each, overhead) = (limits::REASSEMBLY_DIRECTION, pending::cost_of(0));
    let full = limits::REASSEMBLY_SHARD / each - 1;
    for (last, struck) in [(each - overhead - 1, 0), (each - overhead, 0), (each - overhead + 1, 1)] {
        let mut budget = Budget::new(limits::REASSEMBLY_SHARD);
        // The last connection has two directions that wait, so that its own cap does not strike.
        let mut wires: Vec<_> = (0..=full).map(|_| Wire::new()).collect();
        for (n, wire) in wires.iter_mut().enumerate() {
            wire.budget = budget;
            wire.send(Forward, 1, None, 0, b"a");
            wire.send(Backward, 1, None, 0, b"a");
            if n < full {
                wire.send(Forward, 3, None, 0, &vec![b'.'; each - overhead]);
            } else {
                wire.send(Backward, 3, None, 0, &vec![b'.'; 1000]);
                wire.send(Forward, 3, None, 0, &vec![b'.'; last - overhead - 1000]);
            }
            budget = wire.budget;
        }
        assert_eq!(budget.struck(), struck, "{last}");
        assert!(budget.held() <= limits::REASSEMBLY_SHARD);
        for (n, wire) in wires.iter().enumerate() {
            let gaps =
                [wire.reassembly.stats(Forward), wire.reassembly.stats(Backward)].map(|stats| stats.gaps);
            assert_eq!(gaps, [u64::from(n == full && struck > 0), 0], "{n}: it alone has no room");
            assert_eq!(wire.reassembly.stats(Forward).limited, 0, "the direction's own cap did not strike");
        }
    }
}

#[test]
fn the_cap_gives_holes_up() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"a");
    let block = vec![b'.'; 60_000];
    let most = limits::REASSEMBLY_DIRECTION / block.len() + 1;
    for n in 0..most as u32 {
        wire.send(Forward, 3 + n * 60_000, None, 0, &block);
        assert!(wire.reassembly.halves.forward.pending.bytes() <= limits::REASSEMBLY_DIRECTION);
    }
    assert_eq!(wire.sink.streams.forward.len(), 2 + most * 60_000);
    assert_eq!(wire.reassembly.stats(Forward).limited, 1);
    assert_eq!(wire.budget.held(), 0);
}

#[test]
fn a_spent_budget_stalls_nothing() {
    let mut wire = Wire::new();
    wire.budget = Budget::new(0);
    wire.send(Forward, 1, None, 0, b"a");
    wire.send(Forward, 5, None, 0, b"e");
    wire.send(Forward, 6, None, 0, b"f");
    assert_eq!(wire.text(Forward), "a???ef");
    assert_eq!(wire.reassembly.stats(Forward).bytes, 2);
}

#[test]
fn the_snaplen_leaves_holes_of_known_size() {
    let mut wire = Wire::new();
    wire.send_cut(Forward, 1, None, 0, b"abc", 4);
    wire.send_cut(Forward, 8, None, TcpFlags::FIN, b"hi", 1);
    wire.send_cut(Backward, 5, None, 0, b"5", 1);
    wire.send_cut(Backward, 1, None, 0, b"1", 1);
    assert_eq!((wire.text(Forward), wire.sink.ends.len()), ("abc????hi?".into(), 1));
    assert_eq!(wire.text(Backward), "5?");
}

#[test]
fn a_reset_ends_both_directions_after_what_waits() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, Some(1), 0, b"abc");
    wire.send(Forward, 6, None, 0, b"f");
    wire.send(Backward, 1, Some(1), TcpFlags::RST, b"");
    assert!(wire.sink.ends.is_empty());
    wire.wait(200_000_000);
    assert_eq!(wire.text(Forward), "abc??f");
    assert_eq!(wire.sink.ends, [(Backward, End::Rst), (Forward, End::Rst)]);
    assert!(wire.reassembly.closed());
}

/// Packets were captured out of order: what the reset's receiver had acknowledged, or its sender, came before it.
#[test]
fn a_reset_waits_for_what_was_acknowledged() {
    let start = || {
        let mut wire = Wire::new();
        wire.send(Forward, 1, None, TcpFlags::SYN, b"");
        wire.send(Backward, 51, Some(2), TcpFlags::SYN, b"");
        wire.send(Forward, 2, Some(55), 0, b"ab");
        wire.send(Backward, 55, Some(6), TcpFlags::RST, b"");
        wire
    };
    let mut wire = start();
    wire.send(Forward, 4, Some(55), 0, b"cd");
    wire.send(Forward, 6, Some(55), 0, b"ef");
    assert_eq!((wire.text(Forward), wire.sink.ends.len()), ("abcdef".into(), 0), "it was under way");
    wire.send(Backward, 52, Some(4), 0, b"xyz");
    assert_eq!(wire.judge(Backward, 55, Some(4), 0, b"!", 0), Verdict::BehindEnd);
    assert_eq!(wire.text(Backward), "xyz");
    wire.wait(tuning::HOLE_GRACE.as_nanos() as u64 + 1000);
    assert_eq!(wire.sink.ends, [(Backward, End::Rst), (Forward, End::Rst)]);

    let mut wire = start();
    wire.wait(tuning::HOLE_GRACE.as_nanos() as u64 + 1000);
    assert_eq!((wire.text(Forward), wire.text(Backward)), ("ab??".into(), "???".into()));
    assert_eq!(wire.sink.ends, [(Backward, End::Rst), (Forward, End::Rst)]);
    assert!(wire.reassembly.closed());

    let mut wire = start();
    let now = Moment::default();
    wire.reassembly.finish(now, &mut wire.budget, &mut wire.sink);
    assert_eq!((wire.text(Forward), wire.text(Backward)), ("ab??".into(), "???".into()));
    assert_eq!(wire.sink.ends, [(Backward, End::Rst), (Forward, End::Rst)]);
}

#[test]
fn segments_far_ahead_are_not_ours() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"a");
    assert_eq!(wire.judge(Forward, 1 + (1 << 25), None, 0, b"zzz", 0), Verdict::Unaccepted);
    wire.send(Forward, 2, None, 0, b"b");
    wire.finish();
    assert_eq!(wire.text(Forward), "ab");
}

/// A connection after its handshake, `abc` and `xyz` sent and acknowledged.
fn talk() -> Wire {
    let mut wire = Wire::new();
    wire.send(Forward, 100, None, TcpFlags::SYN, b"");
    wire.send(Backward, 500, Some(101), TcpFlags::SYN, b"");
    wire.send(Forward, 101, Some(501), 0, b"abc");
    wire.send(Backward, 501, Some(104), 0, b"xyz");
    wire.send(Forward, 104, Some(504), 0, b"");
    wire
}

/// RFC 5961 section 3.2.
#[test]
fn a_reset_with_another_number_ends_nothing() {
    for seq in [503, 505, 501, 0, 504 + (1 << 20)] {
        let mut wire = talk();
        assert_eq!(wire.judge(Backward, seq, None, TcpFlags::RST, b"", 0), Verdict::Unaccepted, "{seq}");
        wire.send(Forward, 104, Some(504), 0, b"def");
        wire.send(Backward, 504, Some(107), 0, b"!");
        wire.finish();
        assert_eq!((wire.text(Forward), wire.text(Backward)), ("abcdef".into(), "xyz!".into()));
        assert!(wire.sink.ends.is_empty());
    }
}

#[test]
fn a_doubtful_reset_was_the_end_if_nothing_follows() {
    let mut wire = talk();
    wire.send(Backward, 503, None, TcpFlags::RST, b"");
    let at = wire.last;
    wire.wait(5_000_000_000);
    assert!(wire.sink.ends.is_empty());
    wire.finish();
    assert_eq!(wire.sink.ends, [(Backward, End::Rst), (Forward, End::Rst)]);
    assert!(wire.sink.ended_at.iter().all(|&ended| ended == at));
}

/// The capture has lost what was sent before it, and nothing but its numbers tells of that.
#[test]
fn a_reset_behind_a_hole_shows_the_hole() {
    let reset = |seq, ack| {
        let mut wire = talk();
        wire.send(Backward, seq, ack, TcpFlags::RST, b"");
        wire.finish();
        assert_eq!(wire.sink.ends, [(Backward, End::Rst), (Forward, End::Rst)]);
        (wire.text(Forward), wire.text(Backward))
    };
    assert_eq!(reset(509, None), ("abc".into(), "xyz?????".into()));
    assert_eq!(reset(509, Some(106)), ("abc??".into(), "xyz?????".into()));
    assert_eq!(reset(505, None), ("abc".into(), "xyz".into()), "a FIN");
    assert_eq!(reset(501, None), ("abc".into(), "xyz".into()), "sent before");
    assert_eq!(reset(504 + (1 << 25), None), ("abc".into(), "xyz".into()), "of another connection");
}

#[test]
fn who_has_sent_a_fin_may_still_reset() {
    let mut wire = talk();
    wire.send(Backward, 504, Some(104), TcpFlags::FIN, b"");
    wire.send(Forward, 104, Some(505), 0, b"def");
    assert_eq!(wire.judge(Backward, 505, None, TcpFlags::RST, b"", 0), Verdict::Accepted);
    wire.wait(tuning::HOLE_GRACE.as_nanos() as u64 + 1000);
    assert_eq!(wire.sink.ends, [(Backward, End::Fin), (Forward, End::Rst)]);
}

#[test]
fn a_refused_connection_is_over() {
    let mut wire = Wire::new();
    wire.send(Forward, 100, None, TcpFlags::SYN, b"");
    assert_eq!(wire.judge(Backward, 0, Some(101), TcpFlags::RST, b"", 0), Verdict::Accepted);
}

/// RFC 5961 section 4.2: it is answered with a challenge.
#[test]
fn a_syn_inside_a_connection_changes_nothing() {
    for seq in [99, 103, 104, 3_000_000_000] {
        let mut wire = talk();
        assert_eq!(wire.judge(Forward, seq, None, TcpFlags::SYN, b"bad", 0), Verdict::Unaccepted, "{seq}");
        wire.send(Backward, 504, Some(104), 0, b"");
        wire.send(Forward, 104, Some(504), 0, b"def");
        assert_eq!(wire.text(Forward), "abcdef");
    }
}

#[test]
fn a_syn_that_comes_again_acknowledges_nothing() {
    let mut wire = talk();
    wire.send(Backward, 500, Some(154), TcpFlags::SYN, b"");
    assert_eq!(wire.reassembly.acknowledged(Forward), 3);
    wire.send(Forward, 104, Some(504), 0, b"def");
    assert_eq!(wire.text(Forward), "abcdef");
}

/// What is refused says nothing of what its sender has received.
#[test]
fn only_segments_that_are_accepted_acknowledge() {
    let Wire { mut reassembly, mut budget, mut sink, last, .. } = talk();
    let segment = |seq, ack, flags, checksum| {
        let at = Moment { packet: last.packet + 1, ..last };
        let end = |port| Endpoint { ip: [10, 0, 0, 1].into(), port };
        let flags = TcpFlags(flags | TcpFlags::ACK);
        Segment { seq, ack, window: 100, flags, checksum, ..Segment::empty(at, end(2), end(1)) }
    };
    reassembly.segment(Backward, &segment(504, 104, 0, Checksum::Right), &mut budget, &mut sink);
    for (seq, flags, checksum, acknowledged) in [
        (504, 0, Checksum::Right, 49),
        (504 + (1 << 28), 0, Checksum::Right, 3),
        (504, TcpFlags::SYN, Checksum::Right, 3),
        (504, 0, Checksum::Wrong, 3),
    ] {
        let segment = segment(seq, 150, flags, checksum);
        assert_eq!(reassembly.acknowledged_with(Forward, &segment), acknowledged, "{segment:?}");
    }
}

#[test]
fn data_outside_the_window_is_no_hole() {
    let mut wire = talk();
    let stray = 504 + (1 << 19);
    assert_eq!(wire.judge(Backward, stray, Some(104), 0, b"stray", 0), Verdict::Unaccepted);
    assert_eq!(wire.judge(Backward, stray, Some(104), 0, b"stray", 0), Verdict::Unaccepted);
    assert_eq!(wire.judge(Backward, stray + 5, Some(104), 0, b"stray", 0), Verdict::Unaccepted);
    assert_eq!(
        wire.judge(Backward, 504_u32.wrapping_sub(1 << 19), Some(104), 0, b"stray", 0),
        Verdict::Unaccepted
    );
    assert_eq!(
        wire.judge(Backward, 504, Some(104 + (1 << 20)), 0, b"bad", 0),
        Verdict::Unaccepted,
        "RFC 5961 section 5.2"
    );
    wire.send(Forward, 104, Some(504), 0, b"");
    wire.send(Backward, 504, Some(104), 0, b"!");
    wire.finish();
    assert_eq!((wire.text(Backward), wire.reassembly.stats(Backward).gaps), ("xyz!".into(), 0));
}

/// More than a window was lost from the capture: the other side acknowledges what came after.
#[test]
fn a_stream_goes_on_behind_a_loss_of_more_than_a_window() {
    for both in [false, true] {
        let mut wire = talk();
        let (far, back) = (504 + (1 << 24), if both { 104 + (1 << 22) } else { 104 });
        wire.send(Backward, far, Some(back), 0, b"one");
        wire.send(Backward, far + 3, Some(back), 0, b"two");
        assert_eq!(wire.judge(Forward, back, Some(far + 3), 0, b"", 0), Verdict::Accepted);
        assert_eq!(wire.judge(Backward, far + 6, Some(back), 0, b"three", 0), Verdict::Accepted);
        wire.finish();
        assert!(wire.text(Backward).ends_with("?three"));
    }
}

/// A stray from before the connection is acknowledged by one that is as old: that moves nothing.
#[test]
fn a_stream_does_not_go_on_behind_its_window() {
    let mut wire = Wire::new();
    wire.send(Forward, 1 << 30, None, 0, b"abc");
    assert_eq!(wire.judge(Forward, 1, Some(500), 0, b"old", 0), Verdict::Unaccepted);
    assert_eq!(wire.judge(Backward, 500, Some(4), 0, b"old", 0), Verdict::Unaccepted);
    assert_eq!(wire.judge(Forward, 4, Some(503), 0, b"old", 0), Verdict::Unaccepted);
    assert_eq!(wire.judge(Backward, 900, Some((1 << 30) + 3), 0, b"new", 0), Verdict::Accepted);
    wire.finish();
    assert_eq!((wire.text(Forward), wire.text(Backward)), ("abc".into(), "new".into()));
}

/// The same where one direction is not in the capture.
#[test]
fn a_stream_without_its_peer_goes_on_behind_a_loss() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"a");
    assert_eq!(wire.judge(Forward, 1 << 26, None, 0, b"one", 0), Verdict::Unaccepted);
    assert_eq!(wire.judge(Forward, (1 << 26) + 3, None, 0, b"two", 0), Verdict::Accepted);
}

/// A hole is as old as the last progress: a piece that waits may be a stray.
#[test]
fn bytes_in_order_keep_a_hole_young() {
    let mut wire = talk();
    wire.send(Backward, 604, Some(104), 0, b"later");
    for n in 0..20 {
        wire.wait(tuning::HOLE_UNACKNOWLEDGED.as_nanos() as u64 - 1_000_000);
        wire.send(Backward, 504 + n, Some(104), 0, b".");
        wire.send(Forward, 104, Some(505 + n), 0, b"");
    }
    assert_eq!(wire.reassembly.stats(Backward).gaps, 0);
}

#[test]
fn only_what_came_before_an_earlier_byte_is_out_of_order() {
    let mut wire = talk();
    wire.send(Forward, 107, Some(504), 0, b"def");
    wire.send(Forward, 107, Some(504), 0, b"def");
    wire.send(Forward, 110, Some(504), 0, b"ghi");
    wire.send(Forward, 104, Some(504), 0, b"...");
    wire.send(Forward, 113, Some(504), 0, b"jkl");
    wire.send(Forward, 120, Some(504), 0, b"lost before this");
    wire.finish();
    let stats = wire.reassembly.stats(Forward);
    assert_eq!((stats.out_of_order, stats.retransmitted, stats.gaps), (2, 1, 1));
}

#[test]
fn finishing_hands_on_what_waits() {
    let mut wire = Wire::new();
    wire.send(Forward, 1, None, 0, b"a");
    wire.send(Forward, 4, None, 0, b"d");
    wire.send(Forward, 7, None, TcpFlags::FIN, b"");
    let now = Moment::default();
    wire.reassembly.finish(now, &mut wire.budget, &mut wire.sink);
    assert_eq!(wire.text(Forward), "a??d??");
    assert_eq!(wire.sink.ends, [(Forward, End::Fin)]);
}

#[test]
fn hands_on_what_is_wanted_and_the_rest_later() {
    let mut wire = Wire::new();
    wire.sink.appetite = Some(2);
    wire.send(Forward, 0, None, TcpFlags::SYN, b"");
    for seq in 2..9 {
        wire.send(Forward, seq, None, 0, &[b'a' + seq as u8 - 1]);
    }
    assert_eq!(wire.text(Forward), "", "all waits for the first");
    wire.send(Forward, 1, None, 0, b"a");
    assert_eq!(wire.text(Forward), "ab");
    assert!(wire.reassembly.lags() && wire.reassembly.waits() && !wire.reassembly.caught_up(Forward));
    wire.send(Forward, 9, None, TcpFlags::FIN, b"i");
    assert_eq!(wire.text(Forward), "abcd", "with another segment, two more");
    assert_eq!(wire.sink.ends, []);
    wire.sink.taken = 0;
    wire.wait(1000);
    assert_eq!((wire.text(Forward).as_str(), wire.hand_on_rest()), ("abcdef", 2), "and then");
    assert_eq!((wire.text(Forward).as_str(), wire.budget.held()), ("abcdefghi", 0));
    assert!(!wire.reassembly.lags() && wire.reassembly.caught_up(Forward));
    wire.finish();
    assert_eq!(wire.sink.ends, [(Forward, End::Fin)]);
    assert_eq!(wire.reassembly.stats(Forward).gaps, 0);
}

#[test]
fn what_is_not_wanted_at_the_end_is_missing() {
    let mut wire = Wire::new();
    wire.sink.appetite = Some(1);
    wire.send(Forward, 0, None, TcpFlags::SYN, b"");
    wire.send(Forward, 3, None, 0, b"c");
    wire.send(Forward, 5, None, 0, b"e");
    wire.sink.taken = 0;
    wire.finish();
    assert_eq!(wire.text(Forward), "??c??");
    let stats = wire.reassembly.stats(Forward);
    assert_eq!((stats.gaps, stats.gap_bytes, wire.budget.struck(), wire.budget.held()), (2, 4, 1, 0));
}

#[test]
fn damaged_copies_too_are_handed_on_as_they_are_wanted() {
    let mut wire = Wire::new();
    wire.sink.appetite = Some(0);
    wire.checksum = Checksum::Right;
    wire.send(Forward, 0, None, TcpFlags::SYN, b"");
    wire.send(Forward, 7, None, 0, b"g");
    wire.checksum = Checksum::Wrong;
    for seq in [2, 4, 5] {
        wire.send(Forward, seq, None, 0, b"!");
    }
    wire.sink.appetite = Some(1);
    assert_eq!(wire.hand_on_rest(), 4);
    assert_eq!(wire.text(Forward), "??????g");
    let stats = wire.reassembly.stats(Forward);
    assert_eq!((stats.gaps, stats.gap_bytes, wire.budget.held()), (1, 6, 0));
}

proptest! {
    /// Any permutation, duplication and overlap of a stream's segments gives the same bytes.
    #[test]
    fn order_and_overlap_do_not_matter(
        stream in proptest::collection::vec(any::<u8>(), 1..600),
        initial in any::<u32>(),
        cuts in proptest::collection::vec((0usize..600, 1usize..90), 0..60),
        seed in any::<u64>(),
        appetite in proptest::option::of(0usize..4),
    ) {
        let mut pieces: Vec<(usize, usize)> = (0..stream.len()).step_by(37).map(|at| (at, 37)).collect();
        pieces.extend(cuts.iter().map(|&(at, len)| (at % stream.len(), len)));
        let mut state = seed | 1;
        for i in (1..pieces.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            pieces.swap(i, (state >> 33) as usize % (i + 1));
        }
        let mut wire = Wire::new();
        wire.sink.appetite = appetite;
        wire.send(Forward, initial, None, TcpFlags::SYN, b"");
        for (at, len) in pieces {
            let end = (at + len).min(stream.len());
            wire.send(Forward, initial.wrapping_add(1).wrapping_add(at as u32), None, 0, &stream[at..end]);
        }
        wire.send(Forward, initial.wrapping_add(1).wrapping_add(stream.len() as u32), None, TcpFlags::FIN, b"");
        // Who wants nothing at all wants something in the end.
        wire.sink.appetite = appetite.map(|appetite| appetite.max(1));
        wire.hand_on_rest();
        wire.finish();
        let got: Vec<u8> = wire.sink.streams.forward.iter().map(|byte| byte.unwrap()).collect();
        prop_assert_eq!(got, stream);
        prop_assert_eq!(wire.budget.held(), 0);
        prop_assert!(wire.reassembly.stats(Forward).differing_bytes == 0);
        prop_assert_eq!(wire.sink.ends, vec![(Forward, End::Fin)]);
    }

    /// Whatever is sent, bytes are handed on at their own offset or not at all.
    #[test]
    fn no_byte_moves(
        segments in proptest::collection::vec((any::<bool>(), 0u32..5000, 0usize..80, any::<u8>(), any::<u32>()), 0..200),
        appetite in proptest::option::of(0usize..4),
    ) {
        let mut wire = Wire::new();
        wire.sink.appetite = appetite;
        wire.send(Forward, 0, None, TcpFlags::SYN, b"");
        let byte = |offset: u32| (offset % 251) as u8;
        for (forward, offset, len, flags, ack) in segments {
            let payload: Vec<u8> = (offset..offset + len as u32).map(byte).collect();
            let flags = flags & (TcpFlags::FIN | if flags == 77 { TcpFlags::RST } else { 0 });
            let flags = if offset < 4000 { flags & !TcpFlags::FIN } else { flags };
            let from = if forward { Forward } else { Backward };
            wire.send(from, offset + 1, Some(ack % 6000), flags, &payload);
        }
        wire.reassembly.finish(Moment::default(), &mut wire.budget, &mut wire.sink);
        for (offset, got) in wire.sink.streams.forward.iter().enumerate() {
            prop_assert!(got.is_none_or(|got| got == byte(offset as u32)));
        }
        prop_assert_eq!(wire.budget.held(), 0);
    }
}
