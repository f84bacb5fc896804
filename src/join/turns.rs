//! Two captures that are read at the same time: who is behind, by the clocks as far as they are known, comes next.

use super::collect::Batch;
use super::joining::{Joined, Joining, PairSink};
use crate::record::{Annotation, Consumer, Report};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One of the two captures, as they were given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The client's.
    Client,
    /// The server's.
    Server,
}

/// The two collectors take turns by it.
#[derive(Debug)]
pub struct Turns<S: PairSink> {
    state: Mutex<State<S>>,
    changed: Condvar,
}

#[derive(Debug)]
struct State<S: PairSink> {
    joining: Joining<S>,
    /// Up to where the captures have been read, in nanoseconds, and whether that is all.
    client: (u64, bool),
    server: (u64, bool),
    /// Whose batch is being taken.
    busy: Option<Place>,
    failed: Option<S::Error>,
}

/// The sink takes no more.
#[derive(Clone, Copy, Debug)]
pub struct Stopped;

impl<S: PairSink> Turns<S> {
    /// Nothing has been read yet.
    pub fn new(joining: Joining<S>) -> Self {
        let state = State { joining, client: (0, false), server: (0, false), busy: None, failed: None };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// What takes the records of a place. `asked`: names of fields with ids that the user knows, in small letters.
    pub fn collector(&self, place: Place, asked: Arc<[String]>) -> Collector<'_, S> {
        Collector { turns: self, place, asked }
    }

    /// Both were read.
    ///
    /// # Errors
    /// When the sink takes no more.
    pub fn finish(self) -> Result<Joined<S>, S::Error> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        match state.failed {
            Some(error) => Err(error),
            None => state.joining.finish(),
        }
    }

    /// Waits until it is a place's turn.
    fn turn(&self, place: Place) -> MutexGuard<'_, State<S>> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.wait_while(state, |state| !state.is_next(place)).unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: PairSink> State<S> {
    fn is_next(&self, place: Place) -> bool {
        // By the client's clock.
        let offset = self.joining.offset();
        let (client, server) = if self.joining.swapped {
            (self.client.0.saturating_sub_signed(offset), self.server.0)
        } else {
            (self.client.0, self.server.0.saturating_sub_signed(offset))
        };
        let full = self.joining.full();
        let [client_full, server_full] = if self.joining.swapped { [full[1], full[0]] } else { full };
        let is_client = match (self.client.1, self.server.1) {
            (true, _) => false,
            (_, true) => true,
            // What is full waits, as it may be read out of order: clocks may be far apart.
            _ if client_full != server_full => server_full,
            _ => client <= server,
        };
        let next = if is_client { Place::Client } else { Place::Server };
        self.failed.is_some() || self.busy.unwrap_or(next) == place
    }

    /// The side of a place, and up to where it was read.
    fn of(&mut self, place: Place) -> (&mut super::Side, &mut (u64, bool)) {
        let is_client = (place == Place::Client) != self.joining.swapped;
        let side = if is_client { &mut self.joining.client } else { &mut self.joining.server };
        (side, if place == Place::Client { &mut self.client } else { &mut self.server })
    }
}

/// Takes the records of a place, when it is its turn.
#[derive(Debug)]
pub struct Collector<'a, S: PairSink> {
    turns: &'a Turns<S>,
    place: Place,
    asked: Arc<[String]>,
}

impl<S: PairSink> Consumer for Collector<'_, S> {
    type Part = Batch;
    type Error = Stopped;

    fn part(&self) -> Batch {
        Batch::new(Arc::clone(&self.asked))
    }

    fn part_done(&mut self, part: &Batch) {
        let mut state = self.turns.turn(self.place);
        // Until the batch is done: whose turn it is goes by whole batches.
        state.busy = Some(self.place);
        state.of(self.place).0.take(part);
    }

    fn record(&mut self, _: &Batch, _: usize, _: Annotation) -> Result<(), Stopped> {
        Ok(())
    }

    fn batch_done(&mut self) -> Result<(), Stopped> {
        let mut state = self.turns.turn(self.place);
        let (side, read) = state.of(self.place);
        read.0 = side.span.map_or(0, |(_, last)| last);
        let over = [state.client.1, state.server.1];
        if state.failed.is_none()
            && let Err(error) = state.joining.go_on(over)
        {
            state.failed = Some(error);
        }
        state.busy = None;
        self.turns.changed.notify_all();
        if state.failed.is_some() { Err(Stopped) } else { Ok(()) }
    }

    fn finish(&mut self, _: &Report) -> Result<(), Stopped> {
        Ok(())
    }
}

impl<S: PairSink> Drop for Collector<'_, S> {
    /// Whatever ended it, nobody waits for it.
    fn drop(&mut self) {
        let mut state = self.turns.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.of(self.place).1.1 = true;
        state.busy = state.busy.filter(|&busy| busy != self.place);
        self.turns.changed.notify_all();
    }
}
