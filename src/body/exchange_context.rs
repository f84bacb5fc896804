//! What an exchange works with.

use super::credit::Credit;
use super::options::Options;
use super::protobuf::Schema;
use super::tell::Context;
use crate::base::limit_counters::Struck;
use crate::record::MessageRecord;

/// How often frames of each side were lost, one cannot know which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Losses {
    pub(super) client: u64,
    pub(super) server: u64,
}

/// What an exchange works with.
pub(super) struct ExchangeContext<'d> {
    pub(super) connection: u64,
    pub(super) options: &'d Options,
    pub(super) schema: &'d mut Schema,
    #[cfg_attr(not(feature = "proto"), expect(dead_code, reason = "only schemas are learned"))]
    pub(super) learned: &'d mut usize,
    pub(super) limits: &'d mut Struck,
    pub(super) stream: u32,
    pub(super) losses: Losses,
    /// What pays for what is decoded, and shown.
    pub(super) credit: &'d Credit,
    /// Where each message goes that is told of for itself.
    pub(super) ended: Option<&'d mut Vec<MessageRecord>>,
}

impl<'d> ExchangeContext<'d> {
    /// What messages are told with.
    pub(super) fn context(&self) -> Context<'d> {
        self.options.context(self.credit)
    }
}
