//! What is asked of bodies.

use super::credit::Credit;
use super::files::Store;
use super::protobuf::Schema;
use super::redact::Redactor;
use super::tell::Context;
use std::sync::Arc;

/// What is asked of the contents.
#[derive(Debug, Default)]
pub struct Options {
    /// Bytes that are shown of a body, and of a message.
    pub limit: usize,
    /// Masks secrets; without it they are shown.
    pub redactor: Option<Redactor>,
    /// Types and services that are known.
    pub schema: Schema,
    /// Exchanges keep their contents.
    pub contents: bool,
    /// Each message is told of as it ends.
    pub messages: bool,
    /// Where bodies are written to files, and whether as they were sent.
    pub store: Option<(Arc<dyn Store>, bool)>,
}

impl Options {
    pub(super) fn context<'c>(&'c self, credit: &'c Credit) -> Context<'c> {
        Context { redactor: self.redactor.as_ref(), limit: self.limit, credit }
    }
}
