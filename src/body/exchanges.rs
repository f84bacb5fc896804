//! A connection's bodies: one listener to its events, beside the one that pairs requests with responses.

use super::credit::Credit;
use super::exchange::Exchange;
use super::exchange_context::{ExchangeContext, Losses};
use super::head::Head;
use super::options::Options;
use super::protobuf::Schema;
use crate::base::limit_counters::{Limit, Struck};
use crate::base::limits::BODY_MEMORY_SHARD;
use crate::base::memory::of_map;
use crate::base::time::Timestamp;
use crate::flow::{Budget, GapCause};
use crate::http2::{
    Block, BlockEnd, EventContext, EventSink, FrameSpot, ResetPlace, Side, UpgradeRequest, hpack,
};
use crate::record::{BodyFile, Contents, MessageRecord};
use foldhash::HashMap;
use std::sync::Arc;

/// The bodies of a connection's open exchanges.
pub struct Bodies {
    options: Arc<Options>,
    /// The connection.
    id: u64,
    exchanges: HashMap<u32, Exchange>,
    /// What the header block says that is being read.
    block: Head,
    /// The schema, with what the server told of itself.
    schema: Schema,
    /// Bytes of what it told.
    learned: usize,
    /// Bytes of memory taken from the budget.
    held: usize,
    /// How often frames of a side were lost, one cannot know which.
    losses: Losses,
    /// Messages that have ended, where each is told of.
    ended: Vec<MessageRecord>,
    limits: Struck,
}

/// What the bodies of a shard's connections share.
#[derive(Debug)]
pub struct Means {
    /// Memory.
    pub memory: Budget,
    /// What pays for what is decoded, and shown.
    pub credit: Credit,
}

impl Default for Means {
    fn default() -> Self {
        Self { memory: Budget::new(BODY_MEMORY_SHARD), credit: Credit::default() }
    }
}

/// The bodies of a connection, for the time that one packet is worked on.
pub struct Listening<'a> {
    /// The bodies.
    pub bodies: &'a mut Bodies,
    /// What the connections of a shard share.
    pub means: &'a mut Means,
}

impl std::fmt::Debug for Bodies {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Bodies")
            .field("exchanges", &self.exchanges.len())
            .field("held", &self.held)
            .finish_non_exhaustive()
    }
}

impl Bodies {
    /// Of a connection that begins.
    pub fn new(options: Arc<Options>, id: u64) -> Self {
        Self {
            id,
            schema: options.schema.clone(),
            options,
            exchanges: HashMap::default(),
            block: Head::default(),
            learned: 0,
            held: 0,
            losses: Losses::default(),
            ended: Vec::new(),
            limits: Struck::default(),
        }
    }

    /// The exchanges, the memory that is held for them, and what the one on this stream works with.
    fn parts<'b>(
        &'b mut self,
        stream: u32,
        credit: &'b Credit,
    ) -> (&'b mut HashMap<u32, Exchange>, &'b mut usize, ExchangeContext<'b>) {
        let Self { options, id, schema, learned, limits, ended, losses, exchanges, held, .. } = self;
        let context = ExchangeContext {
            connection: *id,
            options,
            schema,
            learned,
            limits,
            stream,
            ended: options.messages.then_some(ended),
            losses: *losses,
            credit,
        };
        (exchanges, held, context)
    }

    /// Hands out the messages that have ended since this was last called.
    pub fn take_messages(&mut self, mut take: impl FnMut(&MessageRecord)) {
        self.ended.drain(..).for_each(|message| take(&message));
    }

    /// The contents of an exchange whose last byte came then.
    pub fn take(&mut self, stream: u32, last: Timestamp, means: &mut Means) -> Option<Box<Contents>> {
        let Means { memory, credit } = means;
        let mut exchange = self.exchanges.remove(&stream)?;
        if let Some(reset) = exchange.reset {
            // More may come of it that was under way, and is no beginning.
            self.exchanges.insert(stream, Exchange::over(self.losses, reset));
        }
        exchange.close(&mut self.parts(stream, credit).2);
        memory.give(exchange.weight);
        self.held -= exchange.weight.min(self.held);
        let contents = exchange.finish(
            BodyFile { connection: self.id, stream, ..BodyFile::default() },
            last,
            &self.options.context(credit),
            &self.schema,
            &mut self.limits,
        );
        contents.filter(|_| self.options.contents)
    }

    /// Forgets exchanges that nobody will ask for: late frames of such as have ended.
    pub fn prune(&mut self, open: usize, is_open: impl Fn(u32) -> bool, budget: &mut Budget) {
        if self.exchanges.len() <= 2 * open + 16 {
            return;
        }
        let mut given = 0;
        self.exchanges.retain(|stream, exchange| {
            let keep = is_open(*stream);
            given += if keep { 0 } else { exchange.weight };
            keep
        });
        budget.give(given);
        self.held -= given.min(self.held);
    }

    /// The connection is over: gives all memory back.
    pub fn release(&mut self, budget: &mut Budget) {
        self.exchanges = HashMap::default();
        budget.give(std::mem::take(&mut self.held));
    }

    /// Caps that struck.
    pub const fn limits(&self) -> &Struck {
        &self.limits
    }

    /// Bytes of memory beside those of the budget.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + of_map::<u32, Exchange>(self.exchanges.capacity()) + self.learned
    }
}

impl Listening<'_> {
    /// Does something with an exchange that was not reset before what `from` has sent now came.
    fn on_sent(
        &mut self,
        cx: &EventContext<'_>,
        (stream, from): (u32, Side),
        act: impl FnOnce(&mut Exchange, &mut ExchangeContext<'_>),
    ) {
        let reset = self.bodies.exchanges.get(&stream).and_then(|exchange| exchange.reset);
        if !reset.is_some_and(|reset| reset.is_before(cx, from)) {
            self.on(stream, act);
        }
    }

    /// Does something with an exchange, and weighs it after that.
    fn on(&mut self, stream: u32, act: impl FnOnce(&mut Exchange, &mut ExchangeContext<'_>)) {
        let Means { memory, credit } = &mut *self.means;
        let (exchanges, held, mut context) = self.bodies.parts(stream, credit);
        let exchange = exchanges.entry(stream).or_insert_with(|| Exchange::new(context.losses));
        exchange.note_losses(&mut context);
        act(exchange, &mut context);
        let weight = exchange.memory();
        if weight > exchange.weight && !memory.take(weight - exchange.weight) {
            context.limits.strike(Limit::BodyMemory);
            exchange.starve();
        } else if weight > exchange.weight {
            *held += weight - exchange.weight;
            exchange.weight = weight;
        }
        let weight = exchange.memory();
        if weight < exchange.weight {
            let less = exchange.weight - weight;
            memory.give(less);
            *held -= less.min(*held);
            exchange.weight = weight;
        }
    }
}

impl EventSink for Listening<'_> {
    fn block_start(&mut self, _: &EventContext<'_>, _: &Block) {
        self.bodies.block = Head::default();
    }

    fn wanted_fields(&self) -> hpack::NameSet {
        hpack::NameSet::ALL
    }

    fn field(&mut self, field: &hpack::Field<'_>) {
        match (field.name, field.value) {
            (Some(name), Some(value)) => self.bodies.block.field(name, value),
            _ => self.bodies.block.unknown = true,
        }
    }

    fn block_end(&mut self, cx: &EventContext<'_>, block: &Block, end: &BlockEnd) {
        let mut head = std::mem::take(&mut self.bodies.block);
        head.unknown |= end.cut.is_some() || end.broken || end.limited;
        // What is promised is a request, though the server sends it.
        let (stream, from_client) = match block.promised {
            Some(promised) => (promised, true),
            None => (block.stream, block.from.is_client()),
        };
        let end_stream = block.end_stream || block.promised.is_some();
        self.on_sent(cx, (stream, block.from), |exchange, context| {
            exchange.block(head, from_client, end_stream, cx.at().time, context);
        });
    }

    fn data(&mut self, cx: &EventContext<'_>, stream: u32, bytes: &[u8]) {
        self.on_sent(cx, (stream, cx.from), |exchange, context| {
            exchange.data(bytes, cx.from.is_client(), cx.at().time, context);
        });
    }

    fn data_lost(&mut self, cx: &EventContext<'_>, stream: u32, len: u64, _: GapCause) {
        self.on_sent(cx, (stream, cx.from), |exchange, context| {
            exchange.gap(Some(len), cx.from.is_client(), cx.at().time, context);
        });
    }

    fn data_end(&mut self, cx: &EventContext<'_>, stream: u32, end_stream: bool, _: FrameSpot) {
        if end_stream {
            self.on_sent(cx, (stream, cx.from), |exchange, context| {
                exchange.end(cx.from.is_client(), cx.at().time, context);
            });
        }
    }

    fn reset(&mut self, cx: &EventContext<'_>, stream: u32, _: Option<u32>, _: FrameSpot) {
        if let Some(exchange) = self.bodies.exchanges.get_mut(&stream) {
            exchange.reset.get_or_insert_with(|| ResetPlace::of(cx));
        }
    }

    fn upgraded(&mut self, _: &EventContext<'_>, request: &UpgradeRequest<'_>) {
        let mut head = Head::default();
        request.fields.iter().for_each(|(name, value)| head.field(name, value));
        let at = request.last.time;
        self.on(1, |exchange, context| {
            exchange.block(head, true, false, at, context);
            if !request.content.is_empty() {
                exchange.data(request.content, true, at, context);
            }
            let missing = request.body.saturating_sub(request.content.len() as u64);
            context.limits.add(Limit::BodyMemory, u64::from(missing > 0));
            exchange.gap(Some(missing), true, at, context);
            exchange.end(true, at, context);
        });
    }

    fn lost(&mut self, cx: &EventContext<'_>, _: GapCause) {
        // Told to each exchange when it is next looked at: there may be many.
        let losses = &mut self.bodies.losses;
        let count = if cx.from.is_client() { &mut losses.client } else { &mut losses.server };
        *count += 1;
    }
}

#[cfg(test)]
mod tests;
