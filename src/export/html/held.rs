//! Which calls the report holds: all, or where they are too many those that matter most.

use super::maker::Call;
use crate::base::limits::{REPORT_BYTES, REPORT_CALLS, REPORT_STEPS_BYTES};
use crate::base::memory::{Memory, of_block};
use std::cmp::Reverse;

/// Of those that are held, so many are there because they took longest.
const SLOW_SHARE: usize = 10;

/// The calls that are held.
#[derive(Debug)]
pub(super) struct Held {
    memory: Memory,
    calls: Vec<HeldCall>,
    bytes: usize,
    /// Bytes of their frames.
    steps: usize,
    /// All calls, those too that are not held.
    seen: u64,
}

/// A call that is held.
#[derive(Debug)]
pub(super) struct HeldCall {
    /// Its number among all calls.
    number: u64,
    /// In nanoseconds.
    duration: u64,
    /// It failed, or something of it is missing.
    matters: bool,
    /// Its record.
    pub(super) json: Box<[u8]>,
    /// Its frames as JSON; empty where they are not held.
    pub(super) steps: Box<[u8]>,
}

impl HeldCall {
    /// How long it took, in nanoseconds.
    pub(super) const fn duration(&self) -> u64 {
        self.duration
    }
}

impl Held {
    /// None; with their share of the process's memory.
    pub(super) const fn new(memory: Memory) -> Self {
        Self { memory, calls: Vec::new(), bytes: 0, steps: 0, seen: 0 }
    }

    /// One more call.
    pub(super) fn push(&mut self, call: &Call, json: &[u8], steps: &[u8]) {
        let matters = call.failure.is_some() || !call.complete;
        let (json, steps) = (Box::from(json), Box::<[u8]>::from(steps));
        self.steps += steps.len();
        self.calls.push(HeldCall { number: self.seen, duration: call.duration, matters, json, steps });
        self.bytes += json_size(self.calls.last());
        self.seen += 1;
        if self.steps > self.memory.share(REPORT_STEPS_BYTES) {
            self.forget_steps();
        }
        // Not for each one that comes: choosing takes as long as there are calls.
        if self.calls.len() >= REPORT_CALLS + REPORT_CALLS / 4 || self.bytes > self.memory.share(REPORT_BYTES)
        {
            self.choose();
        }
    }

    /// The calls, in order, and how many there were.
    pub(super) fn finish(mut self) -> (Vec<HeldCall>, u64) {
        if self.calls.len() > REPORT_CALLS {
            self.choose();
        }
        (self.calls, self.seen)
    }

    /// Keeps those that matter most: the slowest, then what failed or is incomplete, then of the others an even sample.
    fn choose(&mut self) {
        let mut keep = REPORT_CALLS.min(self.calls.len());
        if self.bytes > self.memory.share(REPORT_BYTES) {
            keep = keep.min(self.calls.len() / 4 * 3);
        }
        let slow = keep / SLOW_SHARE;
        if slow > 0 && slow < self.calls.len() {
            self.calls.select_nth_unstable_by_key(slow - 1, |call| Reverse(call.duration));
        }
        if let Some(rest) = self.calls.get_mut(slow..) {
            let left = keep - slow;
            if left < rest.len() {
                // Numbers read backwards, bit by bit, are in an order of which any beginning is spread evenly.
                rest.select_nth_unstable_by_key(left, |call| (!call.matters, call.number.reverse_bits()));
            }
        }
        self.calls.truncate(keep);
        self.calls.sort_unstable_by_key(|call| call.number);
        self.bytes = self.calls.iter().map(|call| json_size(Some(call))).sum();
        self.steps = self.calls.iter().map(|call| call.steps.len()).sum();
    }

    /// Forgets the frames of the calls that matter less, the quickest first, until half of the room is free.
    fn forget_steps(&mut self) {
        self.calls.sort_unstable_by_key(|call| (call.matters, call.duration, call.number));
        for call in &mut self.calls {
            if self.steps <= self.memory.share(REPORT_STEPS_BYTES) / 2 {
                break;
            }
            self.steps -= call.steps.len();
            call.steps = Box::default();
        }
        self.calls.sort_unstable_by_key(|call| call.number);
    }
}

/// What a call takes, with what it is kept in.
fn json_size(call: Option<&HeldCall>) -> usize {
    call.map_or(0, |call| of_block(call.json.len()) + 2 * size_of::<HeldCall>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Failure;

    fn call(duration: u64, failure: Option<Failure>) -> Call {
        Call { start: 0, duration, failure, retry: None, complete: true, steps: (0, 0) }
    }

    /// Pushes calls; each holds its number.
    fn held(count: u64, of: impl Fn(u64) -> Call) -> (Vec<u64>, u64) {
        let mut held = Held::new(Memory::default());
        for number in 0..count {
            held.push(&of(number), number.to_string().as_bytes(), b"");
        }
        let (calls, seen) = held.finish();
        (calls.iter().map(|call| std::str::from_utf8(&call.json).unwrap().parse().unwrap()).collect(), seen)
    }

    #[test]
    fn cap_report_calls() {
        let most = REPORT_CALLS as u64;
        assert_eq!(held(most, |_| call(1, None)).0.len(), REPORT_CALLS);
        // Of 200,000 calls every thousandth failed, and one was slow.
        let (calls, seen) = held(4 * most, |number| {
            call(1 + u64::from(number == 77_777), number.is_multiple_of(1000).then_some(Failure::Status(500)))
        });
        assert_eq!((calls.len(), seen), (REPORT_CALLS, 4 * most));
        assert!((0..4 * most).step_by(1000).all(|failed| calls.binary_search(&failed).is_ok()));
        assert!(calls.binary_search(&77_777).is_ok());
        assert!(calls.is_sorted());
        let quarter = calls.iter().filter(|&&number| number < most).count();
        assert!((10_000..20_000).contains(&quarter), "{quarter}");
    }

    #[test]
    fn cap_report_bytes() {
        let mut held = Held::new(Memory::default());
        let long = vec![b'x'; 1 << 20];
        for _ in 0..200 {
            held.push(&call(1, None), &long, b"");
            assert!(held.bytes <= REPORT_BYTES);
        }
        let (calls, seen) = held.finish();
        assert_eq!(seen, 200);
        assert!((30..64).contains(&calls.len()), "{}", calls.len());
    }

    #[test]
    fn cap_report_steps_bytes() {
        let mut held = Held::new(Memory::default());
        let steps = vec![b'x'; REPORT_STEPS_BYTES / 100];
        for number in 0..150_u64 {
            held.push(&call(number, (number == 3).then_some(Failure::Status(500))), b"{}", &steps);
            assert!(held.steps <= REPORT_STEPS_BYTES);
        }
        let (calls, _) = held.finish();
        assert_eq!(calls.len(), 150, "the calls stay");
        let told: Vec<_> =
            calls.iter().filter(|call| !call.steps.is_empty()).map(|call| call.number).collect();
        assert!(told.len() >= 50 && told[0] == 3 && told[1] > 50, "what failed, and the slowest: {told:?}");
    }
}
