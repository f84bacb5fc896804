//! Zstandard (RFC 8878).

use super::step::{Damage, Progress};
use crate::base::limits::BODY_ZSTD_WINDOW_LOG;
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

/// Decodes Zstandard frames that follow each other.
pub(super) struct Zstandard {
    decoder: Option<Decoder<'static>>,
    /// The first octets of the first frame, for the size of its window.
    head: [u8; 14],
    have: usize,
    /// Octets read of the frame in hand.
    in_frame: usize,
    /// Octets up to the end of the block, or of the header of the next one.
    wanted: usize,
    /// A frame has ended.
    ended: bool,
}

/// Octets of a frame's magic number, and of a block header (RFC 8878 sections 3.1.1 and 3.1.1.2).
const MAGIC: usize = 4;
const BLOCK_HEADER: usize = 3;

impl Default for Zstandard {
    fn default() -> Self {
        let mut decoder = Decoder::new().ok();
        if let Some(decoder) = &mut decoder {
            // Fails for no allowed size.
            let _ = decoder.set_parameter(DParameter::WindowLogMax(BODY_ZSTD_WINDOW_LOG));
        }
        Self { decoder, head: [0; 14], have: 0, in_frame: 0, wanted: 0, ended: false }
    }
}

impl Zstandard {
    /// Decodes as much as fits.
    pub(super) fn step(&mut self, input: &[u8], output: &mut [u8]) -> (Progress, Option<Damage>) {
        let nothing = Progress { read: 0, written: 0 };
        let Some(decoder) = &mut self.decoder else { return (nothing, Some(Damage::Data)) };
        if self.in_frame == 0 && input.is_empty() {
            return (nothing, None);
        }
        // A call that fails hands on nothing, not even what was good, and one that is given a whole frame takes a way of its
        // own, on which other damage shows: so the last octet of each block, where it may fail, has a call of its own.
        let most = match MAGIC.saturating_sub(self.in_frame) {
            0 => self.wanted.saturating_sub(1 + BLOCK_HEADER).max(1),
            left => left,
        };
        let input = input.get(..most).unwrap_or(input);
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(output);
        let result = decoder.run(&mut from, &mut to);
        let progress = Progress { read: from.pos(), written: to.pos() };
        let head = self.head.iter_mut().skip(self.have).zip(input.iter().take(progress.read));
        self.have += head.map(|(place, octet)| *place = *octet).count();
        let damage = match result {
            Ok(hint) => {
                self.in_frame = if hint == 0 { 0 } else { self.in_frame.saturating_add(progress.read) };
                self.wanted = hint;
                self.ended |= hint == 0;
                None
            }
            Err(error) => Some(self.damage(&error.to_string())),
        };
        (progress, damage)
    }

    fn damage(&self, message: &str) -> Damage {
        let message = message.to_ascii_lowercase();
        if message.contains("checksum") {
            Damage::Checksum
        } else if message.contains("too much memory") {
            Damage::Window
        } else if self.ended && self.in_frame < MAGIC {
            Damage::Trailing
        } else {
            Damage::Data
        }
    }

    /// A frame has ended, and no other has begun.
    pub(super) fn at_end(&self) -> bool {
        self.ended && self.in_frame == 0
    }

    /// Bytes of memory: the window that the first frame's header names, and tables.
    pub(super) fn memory(&self) -> usize {
        window(&self.head).unwrap_or(0).min(1 << BODY_ZSTD_WINDOW_LOG) + (160 << 10)
    }
}

/// The size of the window, from a frame header (RFC 8878 section 3.1.1.1).
fn window(head: &[u8; 14]) -> Option<usize> {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, rest @ ..] = head else { return None };
    if descriptor & 0x20 == 0 {
        let [window, ..] = rest;
        let base = 1_u64 << (10 + (window >> 3));
        return usize::try_from(base + base / 8 * u64::from(window & 7)).ok();
    }
    // A single segment: the window is the content.
    let dictionary: usize = match descriptor & 3 {
        0 => 0,
        1 => 1,
        2 => 2,
        _ => 4,
    };
    let length = 1_usize << (descriptor >> 6);
    let field = rest.get(dictionary..dictionary + length)?;
    let size = field.iter().rev().fold(0_u64, |size, octet| size << 8 | u64::from(*octet));
    usize::try_from(size).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_from_frame_headers() {
        let head = |octets: &[u8]| {
            let mut head = [0; 14];
            head.iter_mut()
                .zip([0x28, 0xb5, 0x2f, 0xfd].iter().chain(octets))
                .for_each(|(to, from)| *to = *from);
            head
        };
        assert_eq!(window(&head(&[0, 0x58])), Some(2 << 20));
        assert_eq!(window(&head(&[0x20, 200])), Some(200));
        assert_eq!(window(&head(&[0xa0, 1, 0, 1, 0])), Some(65537));
        assert_eq!(window(&[0; 14]), None);
    }
}
