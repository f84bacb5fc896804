//! MPLS label stacks (RFC 3032) and the Ethernet pseudowires in them (RFC 4448).

use super::budget::Budget;
use super::ethernet;
use super::ip;
use super::layer::Layer;
use super::next::{Header, Next};
use super::skip::Skip;

/// Label, traffic class, bottom-of-stack bit, time to live: four bytes an entry (RFC 3032 section 2.1).
///
/// The labels do not tell what they carry. IP shows in its first half byte; an Ethernet pseudowire is taken for
/// one only when an IP packet stands in the frame, with the control word (whose first half byte is 0, RFC 4385
/// section 3) or without it.
pub(super) fn labels<'d>(mut stack: Layer<'d>, budget: &mut Budget) -> Result<Next<'d>, Skip> {
    loop {
        budget.tag()?;
        let (entry, rest) = stack.split::<4>(Skip::MalformedLink)?;
        stack = rest;
        if entry[2] & 1 == 1 {
            break;
        }
    }
    if ip::surely_v4(stack) {
        return Ok((Header::Ipv4, stack));
    }
    if ip::surely_v6(stack) {
        return Ok((Header::Ipv6, stack));
    }
    let without_control_word =
        stack.nibble().filter(|&nibble| nibble == 0).and_then(|_| stack.skip(4, Skip::NotIp).ok());
    for frame in without_control_word.into_iter().chain([stack]) {
        if ethernet::surely_carries_ip(frame) {
            budget.tunnel()?;
            return Ok((Header::Ethernet, frame));
        }
    }
    Err(if stack.cut() > 0 && stack.bytes().len() < 40 { Skip::Truncated } else { Skip::NotIp })
}
