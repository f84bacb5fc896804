//! Values by running number, at most so many, the oldest giving way: a window that moves on as values are taken.

use std::collections::VecDeque;

/// The window. Taking a value and adding one take constant time on average.
#[derive(Debug)]
pub(super) struct Fifo<T> {
    values: VecDeque<Option<T>>,
    first: u64,
    cap: usize,
    /// The widest that the window was.
    widest: usize,
}

impl<T> Fifo<T> {
    /// An empty window of at most `cap` places.
    pub(super) const fn new(cap: usize) -> Self {
        Self { values: VecDeque::new(), first: 0, cap, widest: 0 }
    }

    /// The number that the next value gets.
    pub(super) fn next(&self) -> u64 {
        self.first + self.values.len() as u64
    }

    /// Adds a value. Returns the oldest when it had to give way.
    pub(super) fn push(&mut self, value: T) -> Option<T> {
        let gone = if self.values.len() >= self.cap { self.pop() } else { None };
        self.values.push_back(Some(value));
        self.widest = self.widest.max(self.values.len());
        gone
    }

    /// The widest that it would be among the values of others, about: as wide as it was while all are taken in the end, else
    /// all values that there ever were, since one that stays keeps the window from moving on.
    pub(super) fn most(&self, all_taken: bool) -> usize {
        if all_taken { self.widest } else { self.next() as usize }
    }

    /// The value with that number, while it is there.
    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.values.get_mut(at)?.as_mut()
    }

    /// Takes the value with that number.
    pub(super) fn take(&mut self, number: u64) -> Option<T> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let taken = self.values.get_mut(at)?.take();
        while matches!(self.values.front(), Some(None)) {
            self.pop();
        }
        taken
    }

    /// Forgets all values; the window stands behind them.
    pub(super) fn clear(&mut self) {
        self.first = self.next();
        self.values = VecDeque::new();
    }

    /// Values in the window.
    pub(super) fn count(&self) -> usize {
        self.values.iter().flatten().count()
    }

    fn pop(&mut self) -> Option<T> {
        let gone = self.values.pop_front()?;
        self.first += 1;
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_by_number_and_moves_on() {
        let mut fifo = Fifo::new(10);
        for value in 0..5 {
            assert_eq!(fifo.next(), value);
            fifo.push(value);
        }
        assert_eq!(
            (fifo.take(2), fifo.take(2), fifo.take(0), fifo.take(1)),
            (Some(2), None, Some(0), Some(1))
        );
        assert_eq!((fifo.values.len(), fifo.count(), fifo.get_mut(4).copied()), (2, 2, Some(4)));
        assert_eq!((fifo.take(0), fifo.take(99), fifo.next()), (None, None, 5));
    }

    #[test]
    fn the_oldest_gives_way_at_the_cap() {
        let mut fifo = Fifo::new(2);
        assert_eq!((fifo.push('a'), fifo.push('b'), fifo.push('c')), (None, None, Some('a')));
        assert_eq!((fifo.take(0), fifo.take(1), fifo.take(2)), (None, Some('b'), Some('c')));
    }
}
