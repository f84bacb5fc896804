//! A consumer of no records: for who wants what all of them add up to.

use super::sink::RecordSink;
use super::transaction::Transaction;
use super::{Annotation, ConnectionMeta, ConnectionRecord, Consumer, Finding, Order, Part};
use crate::base::memory::Memory;
use crate::base::time::Moment;
use crate::http2::frame::FrameView;
use std::convert::Infallible;

/// Makes nothing of the records, and keeps none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nothing;

impl RecordSink for Nothing {
    fn transaction(&mut self, _: Moment, _: &ConnectionMeta, _: &Transaction) {}

    fn connection(&mut self, _: Moment, _: &ConnectionRecord) {}

    fn frame(&mut self, _: Moment, _: &ConnectionMeta, _: &FrameView<'_>) {}

    fn finding(&mut self, _: Moment, _: &ConnectionMeta, _: &Finding) {}
}

impl Part for Nothing {
    fn at_end(&mut self) {}

    fn len(&self) -> usize {
        0
    }

    fn order(&self, _: usize) -> Order {
        Order::FIRST
    }

    fn clear(&mut self, _: Memory) {}
}

impl Consumer for Nothing {
    type Part = Self;
    type Error = Infallible;

    fn part(&self) -> Self {
        Self
    }

    fn record(&mut self, _: &Self, _: usize, _: Annotation) -> Result<(), Infallible> {
        Ok(())
    }
}
