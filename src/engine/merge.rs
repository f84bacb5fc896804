//! The ordered merge: what the workers made of a job, in the order of the packets, with the agent's verdict.
//!
//! The agent's model sees the whole capture in one place, so that its maps fill as the real one's do; it is asked
//! about an exchange once it has had the same packet.

use super::collect::Collected;
use super::shards::Done;
use crate::agent::Agent;
use crate::base::verdict::Verdict;
use crate::export::{AgentVerdict, Order, PrintError, Printer};
use std::io::Write;

/// Merges jobs as they are done.
#[derive(Debug)]
pub(crate) struct Merge {
    agent: Option<Agent>,
    order: Vec<Entry>,
}

/// A record of a job: whose, and which.
#[derive(Clone, Copy, Debug)]
struct Entry {
    order: Order,
    worker: usize,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// A TLS record that the agent's model is to see.
    Tls(usize),
    /// A rendered record, and the exchange it shows.
    Record(usize, Option<usize>),
    /// An exchange that is not shown.
    Exchange(usize),
}

impl Merge {
    pub(crate) fn new(agent: Option<Agent>) -> Self {
        Self { agent, order: Vec::new() }
    }

    /// The agent's model.
    pub(crate) fn agent(&mut self) -> Option<&mut Agent> {
        self.agent.as_mut()
    }

    /// Prints a job's records.
    pub(crate) fn job(
        &mut self,
        done: &Done<Collected>,
        printer: &mut Printer<impl Write>,
    ) -> Result<(), PrintError> {
        self.order.clear();
        for (worker, product) in done.products.iter().enumerate() {
            self.line_up(worker, product);
        }
        // What one shard made is in order already, or nearly: the sort merges runs.
        self.order.sort_by_key(|entry| entry.order);
        let mut segments = done.job.segments().peekable();
        for index in 0..self.order.len() {
            let Some(&Entry { order, worker, what }) = self.order.get(index) else { break };
            let Some(product) = done.products.get(worker) else { continue };
            if let Some(agent) = &mut self.agent {
                while let Some(segment) = segments.next_if(|segment| segment.at.packet <= order.packet) {
                    agent.segment(&segment);
                }
            }
            match what {
                What::Tls(at) => {
                    if let (Some(agent), Some(record)) = (&mut self.agent, product.tls.get(at)) {
                        agent.tls_record(record.at, record.src, record.dst, product.plaintext(record));
                    }
                }
                What::Exchange(at) => {
                    self.verdict(product, at);
                }
                What::Record(at, exchange) => {
                    let verdict = exchange.and_then(|at| self.verdict(product, at));
                    let rendered = product.rendered();
                    if let Some(item) = rendered.items.get(at) {
                        printer.print(rendered, item, verdict)?;
                    }
                }
            }
        }
        if let Some(agent) = &mut self.agent {
            segments.for_each(|segment| agent.segment(&segment));
        }
        Ok(())
    }

    fn line_up(&mut self, worker: usize, product: &Collected) {
        let mut exchanges = product.exchanges.iter().enumerate().map(|(at, _)| at);
        for (at, item) in product.rendered().items.iter().enumerate() {
            let exchange = if item.agent.is_some() { exchanges.next() } else { None };
            self.order.push(Entry { order: item.order, worker, what: What::Record(at, exchange) });
        }
        for at in exchanges {
            if let Some(exchange) = product.exchanges.get(at) {
                self.order.push(Entry { order: exchange.order, worker, what: What::Exchange(at) });
            }
        }
        for (at, record) in product.tls.iter().enumerate() {
            // Before any record of the packet; of those that were decrypted together, in the order of their own.
            let order = Order { packet: record.now, sequence: record.at.packet, ..Order::FIRST };
            self.order.push(Entry { order, worker, what: What::Tls(at) });
        }
    }

    fn verdict(&mut self, product: &Collected, at: usize) -> Option<AgentVerdict> {
        let wire = product.wire(product.exchanges.get(at)?);
        Some(match self.agent.as_mut()?.verdict(&wire) {
            Verdict::Seen => AgentVerdict { seen: true, reason: None },
            Verdict::Missed(reason) => AgentVerdict { seen: false, reason: Some(reason.name()) },
        })
    }
}
