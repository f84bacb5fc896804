//! How many records may have been lost since the last one that opened, and what of the plaintext with them.

use super::record::{HEADER_LEN, MIN_PROTECTED};
use crate::base::limits::MAX_TLS_SEQUENCE_TRIES;

/// A gap that the plaintext's reader is still to be told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Owed {
    /// None.
    #[default]
    Nothing,
    /// This many bytes.
    Exactly(u64),
    /// Some bytes.
    Unknown,
}

/// What is known of the records since the last one that opened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Loss {
    /// Records that are surely lost.
    least: u64,
    /// Records that may be lost, beside those in `bytes`.
    most: u64,
    /// Bytes in which records may have been; `None` when their number is not known.
    bytes: Option<u64>,
    /// The content of the records surely lost, as long as it is known.
    content: Option<u64>,
    /// There was a hole.
    hole: bool,
    /// `bytes` counts: some were passed over.
    passed_over: bool,
    owed: Owed,
}

impl Loss {
    /// Nothing was lost since the last record that opened.
    pub(crate) fn is_none(&self) -> bool {
        self.most == 0 && !self.passed_over && !self.hole
    }

    /// And the plaintext's reader was told of all that was.
    pub(crate) fn is_settled(&self) -> bool {
        self.is_none() && self.owed == Owed::Nothing
    }

    /// Something may have been lost.
    pub(crate) fn is_pending(&self) -> bool {
        !self.is_none()
    }

    /// There was a hole since the last record that opened.
    pub(crate) fn had_hole(&self) -> bool {
        self.hole
    }

    /// Bytes were passed over in search of a record.
    pub(crate) fn passed_over(&self) -> bool {
        self.passed_over
    }

    /// Fewest records that were lost.
    pub(crate) fn least(&self) -> u64 {
        self.least.min(MAX_TLS_SEQUENCE_TRIES)
    }

    /// Most records that may have been lost, as far as it is tried.
    pub(crate) fn most(&self) -> u64 {
        self.possible().clamp(self.least(), MAX_TLS_SEQUENCE_TRIES)
    }

    /// More may have been lost than is tried.
    pub(crate) fn is_capped(&self) -> bool {
        self.possible() > MAX_TLS_SEQUENCE_TRIES
    }

    /// Most records that may have been lost, as far as bytes tell.
    pub(crate) fn possible(&self) -> u64 {
        let in_bytes = match self.bytes {
            _ if !self.passed_over => 0,
            Some(bytes) => bytes / (HEADER_LEN + MIN_PROTECTED) as u64 + 1,
            None => u64::MAX,
        };
        self.most.saturating_add(in_bytes)
    }

    /// A record is lost; `content` is the size of its application data where that is known.
    pub(crate) fn record(&mut self, content: Option<usize>) {
        let before = if self.least == 0 { Some(0) } else { self.content };
        self.content = before.zip(content).map(|(sum, content)| sum + content as u64);
        self.least += 1;
        self.most += 1;
        self.hole = true;
    }

    /// A record did not open: it may be one of the sender's, or not.
    pub(crate) fn doubt(&mut self) {
        self.most += 1;
        self.content = None;
    }

    /// A hole of that many bytes outside of any known record.
    pub(crate) fn hole(&mut self, bytes: Option<u64>) {
        self.hole = true;
        if let Some(bytes) = bytes {
            self.pass_over(bytes);
        } else {
            self.passed_over = true;
            self.bytes = None;
            self.content = None;
        }
    }

    /// So many records at the most, of those that the expected number leaves open.
    pub(crate) fn within(&mut self, records: u64) {
        self.hole = true;
        self.most = self.most.saturating_add(records);
    }

    /// Bytes in which no record was found.
    pub(crate) fn pass_over(&mut self, bytes: u64) {
        if bytes > 0 {
            let before = if self.passed_over { self.bytes } else { Some(0) };
            self.bytes = before.map(|sum| sum.saturating_add(bytes));
            self.passed_over = true;
        }
    }

    /// A record opened, before which `missing` were lost; `application` when application data was among them.
    /// `same` when they were all protected by the same key.
    pub(crate) fn settle(&mut self, missing: u64, application: bool, same: bool) {
        let content = self.content.filter(|_| same && missing == self.least && missing > 0);
        let owed = match (application, content, self.owed) {
            (false, _, owed) => owed,
            (true, Some(len), Owed::Nothing) => Owed::Exactly(len),
            (true, Some(len), Owed::Exactly(before)) => Owed::Exactly(before + len),
            (true, _, _) => Owed::Unknown,
        };
        *self = Self { owed, ..Self::default() };
    }

    /// Plaintext of unknown size is missing.
    pub(crate) fn owe_unknown(&mut self) {
        self.owed = Owed::Unknown;
    }

    /// What is owed, which is then told.
    pub(crate) fn pay(&mut self) -> Owed {
        std::mem::take(&mut self.owed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reckons_what_may_be_lost() {
        let mut loss = Loss::default();
        loss.record(Some(10));
        loss.record(Some(20));
        assert_eq!((loss.least(), loss.most()), (2, 2));
        loss.settle(2, true, true);
        assert_eq!(loss.pay(), Owed::Exactly(30));
        assert!(loss.is_none() && loss.pay() == Owed::Nothing);

        loss.record(Some(10));
        loss.hole(Some(140));
        assert_eq!((loss.least(), loss.most()), (1, 12));
        loss.settle(5, true, true);
        assert_eq!(loss.pay(), Owed::Unknown);

        loss.hole(None);
        assert_eq!((loss.least(), loss.most()), (0, MAX_TLS_SEQUENCE_TRIES));
        loss.settle(0, false, true);
        assert_eq!(loss.pay(), Owed::Nothing);

        loss.pass_over(u64::MAX);
        loss.pass_over(u64::MAX);
        assert_eq!(loss.most(), MAX_TLS_SEQUENCE_TRIES);
    }
}
