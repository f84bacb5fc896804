//! Ciphertext kept until it can be decrypted, within a cap for each direction and one for all.

use crate::base::limits::{MAX_TLS_HELD, MAX_TLS_HELD_TOTAL};
use crate::base::memory::BLOCK_MORE;
use crate::flow::{Arrival, End};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of ciphertext that all connections together still may keep; clones share it.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Bytes>);

#[derive(Debug)]
struct Bytes {
    left: AtomicUsize,
    total: usize,
    /// The most that was wanted at one time.
    most: AtomicUsize,
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(MAX_TLS_HELD_TOTAL)
    }
}

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Bytes { left: AtomicUsize::new(bytes), total: bytes, most: AtomicUsize::new(0) }))
    }

    fn take(&self, bytes: usize) -> bool {
        let less = |left: usize| left.checked_sub(bytes);
        let (Ok(left) | Err(left)) = self.0.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        self.0.most.fetch_max(self.0.total.saturating_sub(left) + bytes, Ordering::Relaxed);
        left >= bytes
    }

    /// The most that was wanted at one time, and how much there is in all.
    pub fn load(&self) -> (usize, usize) {
        (self.0.most.load(Ordering::Relaxed), self.0.total)
    }

    fn give_back(&self, bytes: usize) {
        self.0.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// One thing that happened to a direction's stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event<B> {
    /// The next bytes.
    Data(B),
    /// Bytes that are not there.
    Gap(Option<u64>),
    /// No byte follows.
    End(End),
}

/// One direction takes no more than one part in so many of the budget: what it becomes is handed on at one time.
const SHARE: usize = 8;

/// What one direction waits with, in order.
#[derive(Debug)]
pub(crate) struct Hold {
    events: VecDeque<(Arrival, Event<Box<[u8]>>)>,
    /// Bytes taken from the budget.
    cost: usize,
    budget: Budget,
}

/// What an event costs beside its bytes, so that small ones are bounded too: a queue may have twice the places that it needs.
pub(super) const EVENT_COST: usize = 2 * size_of::<(Arrival, Event<Box<[u8]>>)>() + BLOCK_MORE;

fn cost<B: AsRef<[u8]>>(event: &Event<B>) -> usize {
    EVENT_COST + if let Event::Data(bytes) = event { bytes.as_ref().len() } else { 0 }
}

impl Hold {
    /// Keeps nothing yet; will draw on `budget`.
    pub(crate) fn new(budget: &Budget) -> Self {
        Self { events: VecDeque::new(), cost: 0, budget: budget.clone() }
    }

    /// Nothing is kept.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Bytes kept, with what keeping them costs.
    pub(crate) const fn cost(&self) -> usize {
        self.cost
    }

    /// No cap forbids to keep this one.
    pub(crate) fn has_room(&self, event: &Event<&[u8]>) -> bool {
        let cost = cost(event);
        self.cost + cost <= self.most() && self.budget.0.left.load(Ordering::Relaxed) >= cost
    }

    /// Bytes that may be kept, as far as there are so many for all.
    fn most(&self) -> usize {
        MAX_TLS_HELD.min(self.budget.0.total / SHARE)
    }

    /// Keeps one more, as the last or as the first; false when a cap forbids it.
    #[must_use]
    pub(crate) fn push(&mut self, at: Arrival, event: &Event<&[u8]>, first: bool) -> bool {
        let event = match *event {
            Event::Data(bytes) => Event::Data(bytes.into()),
            Event::Gap(len) => Event::Gap(len),
            Event::End(how) => Event::End(how),
        };
        let cost = cost(&event);
        if self.cost + cost > self.most() || !self.budget.take(cost) {
            return false;
        }
        self.cost += cost;
        if first {
            self.events.push_front((at, event));
        } else {
            self.events.push_back((at, event));
        }
        true
    }

    /// What is kept, in order.
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event<Box<[u8]>>> {
        self.events.iter().map(|(_, event)| event)
    }

    /// Where the first one happened.
    pub(crate) fn first(&self) -> Option<Arrival> {
        self.events.front().map(|(at, _)| *at)
    }

    /// Takes the first one.
    pub(crate) fn pop(&mut self) -> Option<(Arrival, Event<Box<[u8]>>)> {
        let (at, event) = self.events.pop_front()?;
        let cost = cost(&event);
        self.cost -= cost;
        self.budget.give_back(cost);
        Some((at, event))
    }

    /// Drops all; the end of the stream, if it was among them.
    pub(crate) fn clear(&mut self) -> Option<(Arrival, End)> {
        let mut end = None;
        while let Some((at, event)) = self.pop() {
            if let Event::End(how) = event {
                end = Some((at, how));
            }
        }
        self.events = VecDeque::new();
        end
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.give_back(self.cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cap_max_tls_held_total() {
        let budget = Budget::default();
        let bytes = vec![0; MAX_TLS_HELD - EVENT_COST];
        let mut hold = Hold::new(&budget);
        assert!(!hold.push(Arrival::default(), &Event::Data(&vec![0; MAX_TLS_HELD - EVENT_COST + 1]), false));
        assert!(hold.push(Arrival::default(), &Event::Data(&bytes), false));
        assert!(!hold.push(Arrival::default(), &Event::Gap(None), false));
        let mut others: Vec<_> = (1..MAX_TLS_HELD_TOTAL / MAX_TLS_HELD).map(|_| Hold::new(&budget)).collect();
        for other in &mut others {
            assert!(other.push(Arrival::default(), &Event::Data(&bytes), false));
        }
        let mut late = Hold::new(&budget);
        assert!(!late.push(Arrival::default(), &Event::Data(&[1]), false));
        others.pop();
        assert!(late.push(Arrival::default(), &Event::Data(&[1]), false));
        assert!(late.push(Arrival::default(), &Event::End(End::Rst), false));
        assert_eq!(late.clear(), Some((Arrival::default(), End::Rst)));
        drop((hold, others, late));
        assert_eq!(budget.0.left.load(Ordering::Relaxed), MAX_TLS_HELD_TOTAL);
    }
}
