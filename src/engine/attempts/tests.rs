//! Attempts at the same, on one connection and on others, in any order of their records.

use super::*;

fn millis(at: u64) -> Timestamp {
    Timestamp::from_nanos(at * 1_000_000)
}

/// A request that is known by its number, on stream 1 of a connection of its own, from and until then.
fn call(connection: u64, request: u64, [first, ended]: [u64; 2]) -> Attempt {
    let fate = Fate {
        exchange: ExchangeRef { connection, stream: 1 },
        first: millis(first),
        ended: millis(ended),
        number: 0,
        failed: false,
        executed: false,
        retried: false,
        is_retry: false,
    };
    Attempt { request: Some(request), call: None, fate, packets: (Moment::default(), Moment::default()) }
}

fn failed(connection: u64, request: u64, span: [u64; 2]) -> Attempt {
    let call = call(connection, request, span);
    Attempt { fate: Fate { failed: true, ..call.fate }, ..call }
}

fn executed(attempt: Attempt) -> Attempt {
    Attempt { fate: Fate { executed: true, ..attempt.fate }, ..attempt }
}

/// The same as a gRPC call, with so many attempts before it.
fn counted(attempt: Attempt, number: u32) -> Attempt {
    Attempt { call: Some(u64::MAX), fate: Fate { number, ..attempt.fate }, ..attempt }
}

/// What each of them is told: the connection of the other one, and whether that was earlier.
fn told(attempts: &[Attempt]) -> Vec<Option<(u64, bool)>> {
    let mut memory = Attempts::default();
    let tell = |attempt| {
        let pair: Pair = memory.meet(attempt)?;
        Some((pair.other.connection, pair.is_earlier))
    };
    attempts.iter().map(tell).collect()
}

#[test]
fn the_same_again_after_a_failure_is_a_retry() {
    assert_eq!(told(&[failed(1, 7, [0, 100]), call(2, 7, [150, 200])]), [None, Some((1, true))]);
    assert_eq!(told(&[call(1, 7, [0, 100]), call(2, 7, [150, 200])]), [None, None], "it did not fail");
    assert_eq!(told(&[failed(1, 7, [0, 100]), call(2, 8, [150, 200])]), [None, None], "it is another");
    assert_eq!(told(&[failed(1, 7, [0, 100]), call(2, 7, [30_100, 30_200])])[1], Some((1, true)));
    assert_eq!(told(&[failed(1, 7, [0, 100]), call(2, 7, [30_101, 30_200])]), [None, None], "long after");
    assert_eq!(told(&[failed(1, 7, [0, 100]), call(2, 7, [50, 200])]), [None, None], "begun before");
}

#[test]
fn what_fails_is_tried_again_once() {
    let third = [failed(1, 7, [0, 10]), failed(2, 7, [20, 30]), call(3, 7, [40, 50]), call(4, 7, [60, 70])];
    assert_eq!(told(&third), [None, Some((1, true)), Some((2, true)), None]);
}

/// Streams above the last one of a GOAWAY end with their connection, which may be long after they were tried again.
#[test]
fn the_record_that_comes_later_names_the_other() {
    assert_eq!(told(&[call(2, 7, [150, 200]), failed(1, 7, [0, 100])]), [None, Some((2, false))]);
    let first_of_two = [call(2, 7, [150, 200]), call(3, 7, [250, 300]), failed(1, 7, [0, 100])];
    assert_eq!(told(&first_of_two)[2], Some((2, false)));
    let taken = [failed(4, 7, [0, 90]), call(2, 7, [150, 200]), failed(1, 7, [95, 100])];
    assert_eq!(told(&taken), [None, Some((4, true)), None], "that is another attempt at something else");
    let once = [call(2, 7, [150, 200]), failed(1, 7, [0, 100]), call(3, 7, [250, 300])];
    assert_eq!(told(&once), [None, Some((2, false)), None]);
}

#[test]
fn of_equal_requests_side_by_side_nothing_is_told() {
    let two = [failed(1, 7, [0, 100]), failed(2, 7, [0, 100]), call(3, 7, [150, 200])];
    assert_eq!(told(&two), [None; 3], "which of the two?");
    let other = [failed(1, 7, [0, 100]), call(2, 7, [50, 120]), call(3, 7, [150, 200])];
    assert_eq!(told(&other), [None; 3], "they come all the time");
    let later = [call(3, 7, [150, 200]), call(2, 7, [50, 220]), failed(1, 7, [0, 100])];
    assert_eq!(told(&later), [None; 3]);
}

#[test]
fn grpc_counts_its_attempts() {
    let unlike = |attempt| Attempt { request: None, ..attempt };
    let first = unlike(counted(failed(1, 0, [0, 100]), 0));
    let next = |number| unlike(counted(call(2, 0, [150, 200]), number));
    assert_eq!(told(&[first, next(1)]), [None, Some((1, true))], "whatever its messages");
    assert_eq!(told(&[first, next(0)]), [None, None], "that is a call of its own");
    assert_eq!(told(&[first, next(2)]), [None, None], "one is missing");
    let twin =
        Attempt { fate: Fate { exchange: ExchangeRef { connection: 9, stream: 1 }, ..first.fate }, ..first };
    assert_eq!(told(&[first, twin, next(1)]), [None; 3], "which of the two?");
    let third = [counted(failed(1, 7, [0, 100]), 3), counted(call(2, 7, [150, 200]), 0)];
    assert_eq!(told(&third), [None, None], "the fourth attempt is not followed by the first");
    let uncounted = [counted(failed(1, 7, [0, 100]), 0), counted(call(2, 7, [150, 200]), 0)];
    assert_eq!(told(&uncounted)[1], Some((1, true)), "a transparent one");
}

#[test]
fn what_both_answered_was_executed_twice() {
    for (first, second) in [(true, true), (true, false), (false, true)] {
        let as_said = |attempt, said: bool| if said { executed(attempt) } else { attempt };
        let (one, two) = (as_said(failed(1, 7, [0, 100]), first), as_said(call(2, 7, [150, 200]), second));
        for order in [[one, two], [two, one]] {
            let mut memory = Attempts::default();
            assert_eq!(memory.meet(&order[0]), None);
            assert_eq!(memory.meet(&order[1]).unwrap().executed_twice, first && second);
        }
    }
}

#[test]
fn cap_retry_requests() {
    let mut memory = Attempts::default();
    for n in 0..limits::RETRY_REQUESTS as u64 {
        memory.meet(&failed(n, n, [0, 100]));
    }
    assert_eq!(memory.forgotten(), 0);
    memory.meet(&call(1 << 40, 1 << 40, [100, 101]));
    assert_eq!((memory.forgotten(), memory.requests.len()), (1, limits::RETRY_REQUESTS));
    assert_eq!(memory.meet(&call(1 << 41, 0, [150, 200])), None, "forgotten");
    assert_eq!(memory.order.len(), memory.requests.len());
}

#[test]
fn requests_that_do_not_come_again_make_room_and_those_that_do_stay() {
    let mut memory = Attempts::default();
    for n in 0..3 * limits::RETRY_REQUESTS as u64 {
        memory.meet(&call(n, n, [10 * n, 10 * n + 1]));
        memory.meet(&failed(n, u64::MAX, [10 * n, 10 * n + 1]));
    }
    assert_eq!(memory.forgotten(), 0);
    assert!(memory.requests.len() < 4000, "{}", memory.requests.len());
    assert!(memory.requests.contains_key(&u64::MAX));
}

#[test]
fn cap_retry_attempts() {
    let mut memory = Attempts::default();
    let many = limits::RETRY_ATTEMPTS as u64;
    for n in 0..many {
        memory.meet(&failed(n, 7, [0, 100]));
    }
    assert_eq!(memory.forgotten(), 0);
    memory.meet(&call(many, 7, [1, 101]));
    assert_eq!(memory.forgotten(), 1);
    assert_eq!(memory.meet(&failed(many + 1, 7, [150, 200])), None);
    assert_eq!(memory.meet(&call(many + 2, 7, [40_000, 40_001])), None, "long after all of them");
}

#[test]
fn what_is_remembered_is_bounded() {
    let request = size_of::<(u64, Request)>() + size_of::<(u64, Timestamp)>();
    assert!(request * (limits::RETRY_REQUESTS * 8 / 7) <= 8 << 20, "{request}");
}
