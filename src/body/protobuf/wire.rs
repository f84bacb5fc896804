//! The wire format: numbered fields of six wire types.

use super::Malformed;
use crate::base::limits::BODY_PROTO_DEPTH;

/// A field's value as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    I64(u64),
    /// Wire type 2.
    Len(&'a [u8]),
    /// Wire types 3 and 4: the fields between them.
    Group(&'a [u8]),
    /// Wire type 5.
    I32(u32),
}

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Wire<'a>,
}

/// The fields of a message, in their order.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    fn tag(&mut self) -> Option<(u32, u8)> {
        let tag = u32::try_from(varint(&mut self.rest)?).ok()?;
        let number = tag >> 3;
        (1..1 << 29).contains(&number).then_some((number, tag as u8 & 7))
    }

    fn value(&mut self, number: u32, kind: u8) -> Result<Wire<'a>, Malformed> {
        let value = match kind {
            0 => varint(&mut self.rest).map(Wire::Varint),
            1 => self
                .take(8)
                .and_then(<[u8]>::first_chunk)
                .map(|octets| Wire::I64(u64::from_le_bytes(*octets))),
            2 => self.length_delimited().map(Wire::Len),
            3 => return self.group(number),
            5 => self
                .take(4)
                .and_then(<[u8]>::first_chunk)
                .map(|octets| Wire::I32(u32::from_le_bytes(*octets))),
            _ => None,
        };
        value.ok_or(Malformed::Data)
    }

    fn length_delimited(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(varint(&mut self.rest)?).ok()?;
        self.take(length)
    }

    /// The fields up to the end of the group, without a call for each group within.
    fn group(&mut self, number: u32) -> Result<Wire<'a>, Malformed> {
        let start = self.rest;
        let mut open = vec![number];
        loop {
            let before = self.rest;
            let (number, kind) = self.tag().ok_or(Malformed::Data)?;
            match kind {
                3 if open.len() >= BODY_PROTO_DEPTH => return Err(Malformed::TooDeep),
                3 => open.push(number),
                4 if open.pop() != Some(number) => return Err(Malformed::Data),
                4 if open.is_empty() => {
                    let length = start.len() - before.len();
                    return Ok(Wire::Group(start.get(..length).unwrap_or_default()));
                }
                4 => {}
                _ => drop(self.value(number, kind)?),
            }
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.tag().ok_or(Malformed::Data).and_then(|(number, kind)| {
            let value = self.value(number, kind)?;
            Ok(Field { number, value })
        });
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// A varint of up to ten octets.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for place in 0..10 {
        let (&octet, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(octet & 0x7f) << (7 * place);
        if octet & 0x80 == 0 {
            // The tenth octet has one bit.
            return (place < 9 || octet < 2).then_some(value);
        }
    }
    None
}

/// The number that a varint of the types `sint32` and `sint64` stands for.
pub(super) const fn zigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u32, Wire<'_>)>, Malformed> {
        Fields::new(bytes).map(|field| field.map(|field| (field.number, field.value))).collect()
    }

    #[test]
    fn fields_are_read_in_their_order() {
        let bytes = [
            0x08, 0x96, 0x01, 0x12, 0x02, b'h', b'i', 0x1d, 1, 0, 0, 0, 0x21, 2, 0, 0, 0, 0, 0, 0, 0, 0x2b,
            0x08, 1, 0x33, 0x34, 0x2c,
        ];
        let expected = [
            (1, Wire::Varint(150)),
            (2, Wire::Len(b"hi")),
            (3, Wire::I32(1)),
            (4, Wire::I64(2)),
            (5, Wire::Group(&[0x08, 1, 0x33, 0x34])),
        ];
        assert_eq!(fields(&bytes).unwrap(), expected);
    }

    #[test]
    fn what_is_no_message_is_malformed() {
        for bytes in [
            &[0x00, 1][..],
            &[0x08],
            &[0x12, 5, 1],
            &[0x0f],
            &[0x0c],
            &[0x0b, 0x14],
            &[0x0b, 0x08],
            &[0xff; 11],
        ] {
            assert_eq!(fields(bytes), Err(Malformed::Data), "{bytes:?}");
        }
    }

    #[test]
    fn cap_body_proto_depth() {
        let nested = |depth: usize| [vec![0x0b; depth], vec![0x0c; depth]].concat();
        assert!(fields(&nested(BODY_PROTO_DEPTH)).is_ok());
        assert_eq!(fields(&nested(BODY_PROTO_DEPTH + 1)), Err(Malformed::TooDeep));
    }

    #[test]
    fn numbers_fold_as_the_format_says() {
        assert_eq!([0, 1, 2, u64::MAX].map(zigzag), [0, -1, 1, i64::MIN]);
        assert_eq!(
            varint(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1][..]),
            Some(u64::MAX)
        );
        assert_eq!(varint(&mut &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2][..]), None);
    }
}
