//! What header fields may become in the output: a header block names entries of the table in one octet each, and what is shown
//! of them is to stay in proportion to what was sent.
//!
//! Each octet of a block pays for [`limits::OUTPUT_EXPANSION`] bytes of its fields. What a block's own octets do not pay for, its
//! connection does, from what its other octets have left ([`Credit`]). So the fields of a connection are never more than so
//! many bytes for each of its octets, and [`limits::OUTPUT_SURE`].

use super::hpack::{Field, NameId};
use crate::base::limits;
use crate::base::plain::{ESCAPED, escaped_len};

/// Octets of a segment beside its payload: headers of IPv4 and TCP.
const SEGMENT_OCTETS: u64 = 40;
/// What formats write around a field, beside its name and its value.
const AROUND: u64 = 32;

/// What a connection has left to pay for fields.
#[derive(Debug)]
pub(super) struct Credit(u64);

impl Default for Credit {
    fn default() -> Self {
        Self(limits::OUTPUT_SURE)
    }
}

impl Credit {
    /// So many octets have come that are not of a header block.
    pub(super) const fn earn(&mut self, octets: u64) {
        self.0 = self.0.saturating_add(limits::OUTPUT_EXPANSION * octets);
    }

    /// A segment has come.
    pub(super) const fn earn_segment(&mut self) {
        self.earn(SEGMENT_OCTETS);
    }

    /// What pays for the fields of a block of so many octets.
    pub(super) const fn block(&mut self, octets: usize) -> BlockCredit<'_> {
        BlockCredit { own: limits::OUTPUT_EXPANSION * octets as u64, connection: self, spent: false }
    }
}

/// What pays for the fields of one block.
#[derive(Debug)]
pub(super) struct BlockCredit<'a> {
    own: u64,
    connection: &'a mut Credit,
    spent: bool,
}

impl BlockCredit<'_> {
    /// Pays for a field with so many octets of text; false where it cannot be paid for.
    #[inline]
    pub(super) fn pay(&mut self, field: &Field<'_>, len: u64) -> bool {
        // Nothing in a known name, or in a plain value, is escaped.
        if field.plain
            && field.id != NameId::OTHER
            && let Some(left) = self.own.checked_sub((len + AROUND) * times(field.id))
        {
            self.own = left;
            return true;
        }
        self.pay_escaped(field)
    }

    /// The same where text may be escaped, or the octets of the block may not suffice.
    #[inline(never)]
    fn pay_escaped(&mut self, field: &Field<'_>) -> bool {
        let (name, value) = (field.name.unwrap_or_default(), field.value.unwrap_or_default());
        let times = times(field.id);
        let escaped = if field.plain && field.id != NameId::OTHER { 1 } else { ESCAPED };
        let most = ((name.len() + value.len()) as u64 * escaped + AROUND) * times;
        match self.own.checked_sub(most) {
            Some(left) => self.own = left,
            None => return self.pay_exactly(field, times),
        }
        true
    }

    /// A field could not be paid for.
    pub(super) const fn is_spent(&self) -> bool {
        self.spent
    }

    /// The same where the octets of the block may not suffice. To look at a field takes what its text does, so that looking stays
    /// in proportion as well.
    fn pay_exactly(&mut self, field: &Field<'_>, times: u64) -> bool {
        let (name, value) = (field.name.unwrap_or_default(), field.value.unwrap_or_default());
        let least = (name.len() + value.len()) as u64 + AROUND;
        let mut paid = self.has(least * times);
        if paid {
            let name = if field.id == NameId::OTHER { escaped_len(name) } else { name.len() as u64 };
            let value = if field.plain { value.len() as u64 } else { escaped_len(value) };
            let cost = (name + value + AROUND) * times;
            paid = self.has(cost);
            self.take(if paid { cost } else { least });
        }
        self.spent |= !paid;
        paid
    }

    const fn has(&self, cost: u64) -> bool {
        self.own.saturating_add(self.connection.0) >= cost
    }

    fn take(&mut self, cost: u64) {
        let own = self.own.min(cost);
        self.own -= own;
        self.connection.0 = self.connection.0.saturating_sub(cost - own);
    }
}

/// In how many places a field may be shown.
const fn times(name: NameId) -> u64 {
    match name {
        // The path, the method of gRPC, the list of all fields, and in HAR the URL with its query.
        NameId::PATH => 4,
        NameId::METHOD | NameId::AUTHORITY | NameId::SCHEME | NameId::USER_AGENT | NameId::GRPC_MESSAGE => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::certainty::Certainty;

    fn field(value: &[u8]) -> Field<'_> {
        Field {
            name: Some(b"x"),
            value: Some(value),
            plain: false,
            id: NameId::OTHER,
            source: Certainty::Exact,
            reference: None,
            never_indexed: false,
        }
    }

    /// A value that makes a field of so many bytes.
    fn value(cost: u64) -> Vec<u8> {
        vec![b'v'; (cost - AROUND - 1) as usize]
    }

    #[test]
    fn cap_output_sure() {
        for (cost, paid) in
            [(limits::OUTPUT_SURE - 1, true), (limits::OUTPUT_SURE, true), (limits::OUTPUT_SURE + 1, false)]
        {
            let mut credit = Credit::default();
            let mut block = credit.block(0);
            assert_eq!(block.pay(&field(&value(cost)), 0), paid, "{cost}");
            assert_eq!(block.is_spent(), !paid);
        }
    }

    #[test]
    fn cap_output_expansion() {
        for (more, paid) in [(0, true), (1, false)] {
            let mut credit = Credit::default();
            assert!(credit.block(0).pay(&field(&value(limits::OUTPUT_SURE)), 0));
            credit.earn(100);
            credit.earn_segment();
            let octets = 10;
            let cost = limits::OUTPUT_EXPANSION * (100 + SEGMENT_OCTETS + octets) + more;
            assert_eq!(credit.block(octets as usize).pay(&field(&value(cost)), 0), paid);
        }
    }

    #[test]
    fn text_is_charged_as_it_is_escaped() {
        for (text, cost) in [(&b"plain"[..], 5), (b"\x01\x7f", 12), (b"\"\\", 6), (b"\xff\xc3\xa9", 9)] {
            assert_eq!(escaped_len(text), cost, "{}", text.escape_ascii());
        }
        let mut credit = Credit::default();
        let escaped = vec![1; (limits::OUTPUT_SURE / ESCAPED) as usize];
        assert!(!credit.block(0).pay(&field(&escaped), 0), "it is escaped to more");
        assert!(credit.0 < limits::OUTPUT_SURE, "and looking at it was paid for");
    }

    #[test]
    fn a_plain_value_of_a_known_name_costs_its_octets_wherever_it_is_shown() {
        let path = Field { name: Some(b":path"), id: NameId::PATH, plain: true, ..field(b"/a") };
        let cost = 4 * (7 + AROUND);
        for (left, paid) in [(cost, true), (cost - 1, false)] {
            let mut connection = Credit(0);
            let mut block = BlockCredit { own: left, connection: &mut connection, spent: false };
            assert_eq!((block.pay(&path, 7), block.is_spent()), (paid, !paid));
        }
    }

    #[test]
    fn small_fields_are_paid_for_by_their_own_octets() {
        let mut credit = Credit(0);
        let mut block = credit.block(10);
        assert!((0..10).all(|_| block.pay(&field(b"GET"), 0)));
    }
}
