//! What the program told of captures, as the records that it made.

use super::Exchange;
use h2lens::Record;
use h2lens::base::limit_counters::Limit;
use h2lens::engine::Copies;
use h2lens::record::endpoint::Endpoints;
use h2lens::record::{
    Annotation, BodyMessage, ConnectionMeta, ConnectionRecord, Consumer, Contents, Coverage, Finding, Report,
    Transaction, TransactionView, Wanted,
};
use std::convert::Infallible;
use std::ops::Deref;

/// What was told.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    /// In their order.
    pub(crate) records: Vec<Record>,
    /// Where they are wanted.
    pub(crate) endpoints: Endpoints,
    /// The telemetry records, the last of all among them; where they are wanted.
    pub(crate) telemetry: Vec<Report>,
    /// What all of it adds up to.
    pub(crate) report: Report,
    /// What is wrong with the files.
    pub(crate) damage: Vec<String>,
}

/// A transaction record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Call<'a> {
    pub(crate) connection: &'a ConnectionMeta,
    pub(crate) transaction: &'a Transaction,
    pub(crate) annotation: Annotation,
}

impl Deref for Call<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        self.transaction
    }
}

impl<'a> Call<'a> {
    /// With the fields that are shown by themselves.
    pub(crate) fn view(&self) -> TransactionView<'a> {
        TransactionView::new(self.connection, self.transaction)
    }

    pub(crate) fn method(&self) -> Option<&'a str> {
        self.view().method.map(utf8)
    }

    /// `:path` up to the first `?`
    pub(crate) fn path(&self) -> Option<&'a str> {
        self.view().path.map(utf8)
    }

    /// `:path` after the first `?`
    pub(crate) fn query(&self) -> Option<&'a str> {
        self.view().query.map(utf8)
    }

    /// `error.type`
    pub(crate) fn error(&self) -> Option<String> {
        self.failure().map(|failure| failure.name().into_owned())
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.partial.is_empty()
    }

    /// What is in its bodies, where that was looked into.
    pub(crate) fn contents(&self) -> Option<&'a Contents> {
        self.transaction.contents.as_deref()
    }

    /// The messages that a side sent.
    pub(crate) fn messages(&self, from_client: bool) -> Vec<&'a BodyMessage> {
        let all = self.contents().into_iter().flat_map(|contents| &contents.messages);
        all.filter(|message| message.from_client == from_client).collect()
    }

    /// The client's port, which tells connections of a capture apart, and the stream.
    pub(crate) fn place(&self) -> (u16, u32) {
        (self.connection.client.port, self.stream)
    }
}

/// Text of which the test knows that it is UTF-8.
pub(crate) fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

impl Outcome {
    pub(crate) fn transactions(&self) -> impl Iterator<Item = Call<'_>> {
        self.records.iter().filter_map(|record| match record {
            Record::Transaction { connection, transaction, annotation } => {
                Some(Call { connection, transaction, annotation: *annotation })
            }
            _ => None,
        })
    }

    pub(crate) fn connections(&self) -> impl Iterator<Item = &ConnectionRecord> {
        self.records.iter().filter_map(|record| match record {
            Record::Connection(connection) => Some(&**connection),
            _ => None,
        })
    }

    pub(crate) fn findings(&self) -> impl Iterator<Item = (&ConnectionMeta, &Finding)> {
        self.records.iter().filter_map(|record| match record {
            Record::Finding { connection, finding } => Some((connection, finding)),
            _ => None,
        })
    }

    pub(crate) fn coverage(&self) -> &Coverage {
        &self.report.coverage
    }

    /// Whether nothing is known to be missing.
    pub(crate) fn complete(&self) -> bool {
        self.coverage().complete
    }

    /// How often a cap struck.
    pub(crate) fn limit(&self, limit: Limit) -> u64 {
        self.coverage().limits.of(limit)
    }

    /// The transactions in the endpoints' words. Those of undamaged captures only.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        self.transactions().map(|call| Exchange::of(&call)).collect()
    }
}

/// Fills an [`Outcome`] with copies of the workers' records.
pub(super) struct Keep<'a> {
    pub(super) wanted: Wanted,
    pub(super) outcome: &'a mut Outcome,
}

impl Consumer for Keep<'_> {
    type Part = Copies;
    type Error = Infallible;

    fn part(&self) -> Copies {
        Copies::new(self.wanted)
    }

    fn record(&mut self, part: &Copies, index: usize, annotation: Annotation) -> Result<(), Infallible> {
        self.outcome.records.extend(part.record(index, annotation));
        Ok(())
    }

    fn endpoints(&mut self, endpoints: &Endpoints) -> Result<(), Infallible> {
        self.outcome.endpoints = endpoints.clone();
        Ok(())
    }

    fn telemetry(&mut self, report: &Report) -> Result<(), Infallible> {
        self.outcome.telemetry.push(report.clone());
        Ok(())
    }

    fn finish(&mut self, report: &Report) -> Result<(), Infallible> {
        self.outcome.report = report.clone();
        Ok(())
    }
}
