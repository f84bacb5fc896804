//! What is made of the records: by each worker from those that it is lent, and by the one consumer from all of them,
//! in order.

use super::endpoint::Endpoints;
use super::exchange_ref::ExchangeRef;
use super::order::Order;
use super::report::Report;
use super::sink::RecordSink;
use super::view::TransactionView;
use crate::base::memory::Memory;
use crate::base::origin::InReach;
use crate::base::time::{Moment, Timestamp};
use crate::base::verdict::Verdict;
use std::fmt::Debug;

/// What one worker makes of the records that it is lent: text, owned copies, sums. Used again and again.
pub trait Part: RecordSink + Debug + Send + 'static {
    /// Records from here on are of another batch of packets, which came from these inputs, if there are several. `start`:
    /// when the first packet of all was captured.
    fn begin(&mut self, _origins: Option<&InReach>, _start: Timestamp) {}

    /// Records from here on are completed by the end of the capture, and come behind all others.
    fn at_end(&mut self);

    /// The same as [`RecordSink::transaction`], of an exchange whose fields have been looked up.
    fn exchange(&mut self, now: Moment, view: &TransactionView<'_>) {
        self.transaction(now, view.connection, view.transaction);
    }

    /// Records made since the last [`Part::clear`]. One that is not wanted is not made.
    fn len(&self) -> usize;

    /// None were made.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The place of a record among all, by its index below [`Part::len`].
    fn order(&self, index: usize) -> Order;

    /// Bytes of memory of the text that was made of them and waits.
    fn bytes(&self) -> usize {
        0
    }

    /// Forgets the records, and keeps as much of their memory as goes with so much for the process.
    fn clear(&mut self, memory: Memory);
}

/// What is known of a record only when all records before it are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Whether the kernel agent would have emitted the transaction; where its model runs, and of transactions only.
    pub agent: Option<Verdict>,
    /// The exchange that failed before, and that it is another attempt at.
    pub retry_of: Option<ExchangeRef>,
    /// The other attempt at what failed here, where its record came first.
    pub retried_by: Option<ExchangeRef>,
}

/// What makes two exchanges attempts at the same, in words; for the merge of several processes' records.
pub type AttemptWords = [u64; 6];

/// Takes the records of all parts in their order, each with its annotation. To add an output, implement this and
/// [`Part`].
pub trait Consumer {
    /// What the workers make.
    type Part: Part;
    /// Why it takes no more.
    type Error;

    /// An empty part, for one worker.
    fn part(&self) -> Self::Part;

    /// All that a worker made of one batch; its records follow. Batches come in order.
    fn part_done(&mut self, _part: &Self::Part) {}

    /// The next record: that of a part with this index.
    fn record(&mut self, part: &Self::Part, index: usize, annotation: Annotation) -> Result<(), Self::Error>;

    /// An exchange, before its record and the finding that it was executed twice, as far as these follow; where the connections
    /// are divided among several processes.
    fn attempt(
        &mut self,
        _order: Order,
        _attempt: AttemptWords,
        _record: Option<(&Self::Part, usize)>,
        _finding: Option<(&Self::Part, usize)>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    /// All of a batch has been handed on, of every worker's.
    fn batch_done(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// What the exchanges so far add up to; where endpoints are wanted.
    fn endpoints(&mut self, _endpoints: &Endpoints) -> Result<(), Self::Error> {
        Ok(())
    }

    /// A telemetry record.
    fn telemetry(&mut self, _report: &Report) -> Result<(), Self::Error> {
        Ok(())
    }

    /// No more will come for a while: what can be shown is to be seen now.
    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// No more will come; what all of it adds up to, whether or not that is shown.
    fn finish(&mut self, _report: &Report) -> Result<(), Self::Error> {
        Ok(())
    }
}
