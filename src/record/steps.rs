//! What happened on the stream of an exchange, as far as it is kept: the first steps and the last ones.

use super::step::Step;
use crate::base::limits::EXCHANGE_STEPS;
use std::collections::VecDeque;

/// Half of the steps that are kept.
const HALF: usize = EXCHANGE_STEPS / 2;

/// The steps of an exchange: the first ones, and of those behind them the last ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Steps {
    first: Vec<Step>,
    last: VecDeque<Step>,
    left_out: u64,
}

impl Steps {
    /// The next step. Returns by how many bytes the memory grew.
    pub fn push(&mut self, step: Step) -> usize {
        let memory = memory(&step);
        if self.first.len() < HALF {
            self.first.push(step);
            return memory;
        }
        let gone = if self.last.len() < HALF { None } else { self.last.pop_front() };
        self.left_out += u64::from(gone.is_some());
        self.last.push_back(step);
        memory.saturating_sub(gone.as_ref().map_or(0, self::memory))
    }

    /// The first ones.
    pub fn first(&self) -> &[Step] {
        &self.first
    }

    /// The last ones, behind [`left_out`](Self::left_out) others.
    pub fn last(&self) -> impl Iterator<Item = &Step> {
        self.last.iter()
    }

    /// The latest.
    pub fn latest_mut(&mut self) -> Option<&mut Step> {
        self.last.back_mut().or(self.first.last_mut())
    }

    /// Steps between the first and the last ones.
    pub const fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Bytes of memory that they take.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + self.first.iter().chain(&self.last).map(memory).sum::<usize>()
    }
}

fn memory(step: &Step) -> usize {
    size_of::<Step>() + step.frame().map_or(0, |frame| frame.payload.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Moment;

    #[test]
    fn cap_exchange_steps() {
        let mut steps = Steps::default();
        let count = EXCHANGE_STEPS as u64 + 5;
        let grown: usize = (0..count)
            .map(|packet| {
                let first = Moment { packet, ..Moment::default() };
                steps.push(Step { first, ..Step::default() })
            })
            .sum();
        let packets: Vec<_> =
            steps.first().iter().chain(steps.last()).map(|step| step.first.packet).collect();
        assert_eq!((packets.len(), steps.left_out()), (EXCHANGE_STEPS, 5));
        assert_eq!((packets[HALF - 1], packets[HALF], packets.last()), (31, 37, Some(&(count - 1))));
        assert_eq!(size_of::<Steps>() + grown, steps.memory());
        assert_eq!(steps.latest_mut().map(|step| step.first.packet), Some(count - 1));
    }
}
