//! What a worker makes of the records.

use super::job::Job;
use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::pipeline::Output;
use crate::record::{ConnectionMeta, Transaction};

/// What a worker writes into, and what it leaves for the merge.
pub trait Product: Output + Send + 'static {
    /// What follows is of this job.
    fn begin(&mut self, job: &Job);
    /// What follows is completed by the end of the capture.
    fn at_end(&mut self);
    /// An exchange has ended. One that was not asked for makes no record.
    fn exchange(
        &mut self,
        now: Moment,
        connection: &ConnectionMeta,
        exchange: &Transaction,
        is_asked_for: bool,
    );
    /// Bytes of memory of what is kept until it is handed on.
    fn bytes(&self) -> usize;
    /// Forgets all, and keeps as much of its memory as goes with so much for the process.
    fn clear(&mut self, memory: Memory);
}
