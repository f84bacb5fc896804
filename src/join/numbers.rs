//! Sequence numbers, which wrap around (RFC 9293 section 3.4).

/// The one that comes first, of two that are less than half of all numbers apart.
pub(super) fn earlier(a: u32, b: u32) -> u32 {
    if (b.wrapping_sub(a) as i32) < 0 { b } else { a }
}

/// The one that comes last, of two that are less than half of all numbers apart.
pub(super) fn later(a: u32, b: u32) -> u32 {
    if (b.wrapping_sub(a) as i32) > 0 { b } else { a }
}

/// The place of a number that wraps around: about that of the last one, at first about the base.
pub(super) fn unwrap(last: &mut Option<(u32, i64)>, number: u32, base: u32) -> i64 {
    let (before, place) = last.unwrap_or((base, 0));
    let place = place + i64::from(number.wrapping_sub(before) as i32);
    *last = Some((number, place));
    place
}
