//! What a run costs: memory, counted by the allocator for each thread, and processor time.

use nix::time::{ClockId, clock_gettime};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt;
use std::time::Duration;

/// The system's allocator, with a count of what each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    // A thread that ends may free what it holds after its counters are gone.
    let _ = HELD.try_with(|held| {
        let now = held.get() + bytes;
        held.set(now);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now)));
    });
}

// SAFETY: every call is passed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(place, layout) }
    }
    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a run panics with that took too long. Unlike every other failure it need not come again: a machine that is
/// shared may take a hundred milliseconds to hand out zeroed pages.
#[derive(Debug)]
pub struct TooSlow(String);

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What was spent since it was made, by this thread.
#[derive(Debug)]
pub struct Cost {
    held: isize,
    time: Duration,
}

fn time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// Processor time of the process so far, of all its threads.
pub fn process_time() -> Duration {
    clock_gettime(ClockId::CLOCK_PROCESS_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

impl Cost {
    /// Begins to count.
    pub fn start() -> Self {
        let held = HELD.get();
        PEAK.set(held);
        Self { held, time: time() }
    }

    /// The most memory held at one time, in bytes.
    pub fn memory(&self) -> usize {
        (PEAK.get() - self.held).max(0) as usize
    }

    /// Processor time.
    pub fn time(&self) -> Duration {
        time().saturating_sub(self.time)
    }

    /// Fails when more was spent than `memory` bytes, or than `nanos` for each of the input's bytes and a tenth of
    /// a second (a machine may be busy).
    pub fn assert(&self, len: usize, memory: usize, nanos: u64) {
        let (held, took) = (self.memory(), self.time());
        assert!(held <= memory, "{held} bytes of memory for an input of {len}; {memory} are allowed");
        let most = Duration::from_millis(100) + Duration::from_nanos(nanos * len as u64);
        if took > most {
            let slow = TooSlow(format!("{took:?} for an input of {len} bytes; {most:?} are allowed"));
            eprintln!("{slow}");
            std::panic::panic_any(slow);
        }
    }
}
