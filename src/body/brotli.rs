//! Brotli (RFC 7932).

use super::step::{Damage, Progress};
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};

/// Decodes Brotli.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    total: usize,
    /// The logarithm of the window's size, from the first octet (RFC 7932 section 9.1).
    window: Option<u8>,
    /// Content may be there for which there was no room.
    pending: bool,
    ended: bool,
}

impl Default for Brotli {
    fn default() -> Self {
        let alloc = StandardAlloc::default;
        let state = BrotliState::new(alloc(), alloc(), alloc());
        Self { state, total: 0, window: None, pending: false, ended: false }
    }
}

impl Brotli {
    /// Decodes as much as fits.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> (Progress, Option<Damage>) {
        if self.ended {
            let damage = (!input.is_empty()).then_some(Damage::Trailing);
            return (Progress { read: 0, written: 0 }, damage);
        }
        // The first octet comes alone: of what it says hangs how much the others may become before they are written.
        let input = if self.window.is_some() { input } else { input.get(..1).unwrap_or_default() };
        self.window = self.window.or_else(|| input.first().map(|&octet| window_log(octet)));
        let (mut progress, mut room) = (Progress { read: 0, written: 0 }, output.len());
        loop {
            // A call that fails hands on nothing, not even what was good: so each octet has a call of its own, once all that
            // came of those before is written.
            let pending = std::mem::take(&mut self.pending);
            let rest = input.get(progress.read..).unwrap_or_default();
            let piece = if pending { &[] } else { rest.get(..1).unwrap_or_default() };
            let (mut left, mut read) = (piece.len(), 0);
            let result = BrotliDecompressStream(
                &mut left,
                &mut read,
                piece,
                &mut room,
                &mut progress.written,
                output,
                &mut self.total,
                &mut self.state,
            );
            progress.read += read;
            self.pending = room == 0;
            let goes_on = (pending || read > 0) && progress.read < input.len() && room > 0;
            match result {
                BrotliResult::ResultFailure => return (progress, Some(Damage::Data)),
                BrotliResult::NeedsMoreInput if goes_on => {}
                result => {
                    self.ended = matches!(result, BrotliResult::ResultSuccess);
                    return (progress, None);
                }
            }
        }
    }

    /// Bytes of the window: so many may be decoded before any are written. 0 while that is not known.
    pub(super) fn window(&self) -> u64 {
        self.window.map_or(0, |log| 1 << log)
    }

    /// Bytes that were decoded and not written: where it fails, they never are.
    pub(super) fn unwritten(&self) -> u64 {
        let size = u64::try_from(self.state.ringbuffer_size).unwrap_or(0);
        let at = u64::try_from(self.state.pos).unwrap_or(0).min(size);
        (self.state.rb_roundtrips * size + at).saturating_sub(self.total as u64)
    }

    /// The last block has ended.
    pub(super) fn at_end(&self) -> bool {
        self.ended
    }

    /// Bytes of memory: what was written so far is in the window, up to its size; and tables.
    pub(super) fn memory(&self) -> usize {
        let window = 1_usize << self.window.unwrap_or(10);
        window.min(self.total.saturating_mul(2).saturating_add(32 << 10)) + (64 << 10)
    }
}

/// WBITS of RFC 7932 section 9.1, from the stream's first octet.
fn window_log(octet: u8) -> u8 {
    match (octet & 1, octet >> 1 & 7, octet >> 4 & 7) {
        (0, ..) => 16,
        (_, 0, 0) => 17,
        (_, 0, high) => 8 + high,
        (_, middle, _) => 17 + middle,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_from_the_first_octet() {
        // RFC 7932 section 9.1: bit patterns, right to left.
        for (octet, log) in
            [(0b0, 16), (0b1, 17), (0b11, 18), (0b1111, 24), (0b10_0001, 10), (0b111_0001, 15)]
        {
            assert_eq!(window_log(octet), log, "{octet:b}");
        }
    }
}
