//! What one thread hands to another, in order.
//!
//! Who waits sleeps at once. Channels that spin, and yield the processor between, lose a time slice with each hand-over where other
//! processes want the processor, too: with seven busy processes on two cores, a capture took four times as long on two threads as
//! on one.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A queue; what bounds it is up to who fills it.
#[derive(Debug)]
pub(super) struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<T> {
    items: VecDeque<T>,
    is_closed: bool,
    /// Who waits.
    waiting: usize,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let state = State { items: VecDeque::new(), is_closed: false, waiting: 0 };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Adds an item; one that comes after the end is dropped.
    pub(super) fn push(&self, item: T) {
        self.push_quietly(item);
        self.tell();
    }

    /// The same without waking who waits: to be woken takes longer than to take several items. How many there are.
    pub(super) fn push_quietly(&self, item: T) -> usize {
        let mut state = self.state();
        if !state.is_closed {
            state.items.push_back(item);
        }
        state.items.len()
    }

    /// Wakes who waits. Who pushes quietly must do so before he waits himself.
    pub(super) fn tell(&self) {
        // To notify is a call of the kernel, whoever waits.
        let waits = self.state().waiting > 0;
        if waits {
            self.changed.notify_one();
        }
    }

    /// The first item, if there is one now.
    pub(super) fn try_pop(&self) -> Option<T> {
        self.state().items.pop_front()
    }

    /// The first item, which is waited for; `None` when there will be none.
    pub(super) fn pop(&self) -> Option<T> {
        let is_empty = |state: &mut State<T>| state.items.is_empty() && !state.is_closed;
        let mut state = self.state();
        state.waiting += 1;
        let waited = self.changed.wait_while(state, is_empty);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state.items.pop_front()
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// Nothing more comes, and what is there is not wanted.
    pub(super) fn abandon(&self) {
        self.state().items.clear();
        self.close();
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        // What a thread that panics leaves is consistent; the panic is passed on elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn items_come_in_order_and_then_the_end() {
        let queue = Arc::new(Queue::default());
        let filled = Arc::clone(&queue);
        let filler = thread::spawn(move || {
            (0..1000).for_each(|item| filled.push(item));
            filled.close();
            filled.push(1000);
        });
        let items: Vec<u32> = std::iter::from_fn(|| queue.pop()).collect();
        filler.join().unwrap();
        assert!(items.into_iter().eq(0..1000));
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn who_waits_is_woken_when_he_is_told() {
        let queue = Arc::new(Queue::default());
        assert_eq!(queue.try_pop(), None);
        let waits = Arc::clone(&queue);
        let waiter = thread::spawn(move || [waits.pop(), waits.pop()]);
        assert!(queue.push_quietly(1) <= 1);
        queue.push_quietly(2);
        queue.tell();
        assert_eq!(waiter.join().unwrap(), [Some(1), Some(2)]);
    }

    #[test]
    fn what_is_abandoned_is_not_handed_over() {
        let queue = Queue::default();
        queue.push(1);
        queue.abandon();
        assert_eq!(queue.pop(), None);
    }
}
