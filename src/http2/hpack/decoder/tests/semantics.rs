//! Violations, in step; settings; cuts.

use super::*;

fn error(outcome: Outcome) -> Option<(ErrorKind, u32)> {
    outcome.error.map(|error| (error.kind, error.offset))
}

/// `x-a: 1`, inserted.
const INSERTION: [u8; 7] = [0x40, 3, b'x', b'-', b'a', 1, b'1'];

#[test]
fn goes_on_after_a_bad_index() {
    for (bad, kind, offset) in [
        (&[0x80][..], ErrorKind::IndexZero, 1),
        (&[0xbf], ErrorKind::IndexBeyondTable, 1),
        (&[0x7e, 1, b'v'], ErrorKind::IndexBeyondTable, 1),
        (&[0x0f, 0xff, 0x7f, 1, b'v'], ErrorKind::IndexBeyondTable, 1),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], ErrorKind::IntegerOverflow, 1),
        (&[0xff, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], ErrorKind::IntegerOverflow, 1),
        (&[0x7f, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, b'v'], ErrorKind::IntegerOverflow, 1),
        (&[0x3f, 0xff, 0xff, 0xff, 0xff, 0x7f], ErrorKind::SizeUpdateMisplaced, 1),
    ] {
        let mut decoder = Decoder::new();
        let mut block = vec![0x82];
        block.extend(bad);
        block.extend(INSERTION);
        let (fields, outcome) = decode(&mut decoder, &block);
        assert_eq!(error(outcome), Some((kind, offset)), "{bad:x?}");
        assert!(outcome.complete);
        assert_eq!(fields.last().unwrap().line(), "x-a: 1", "{bad:x?}");
        assert_eq!(lines(&mut decoder, &[0xbe]), ["x-a: 1"], "{bad:x?}");
    }
}

#[test]
fn a_literal_with_a_bad_name_is_inserted_all_the_same() {
    let mut decoder = Decoder::new();
    let (fields, _) = decode(&mut decoder, &[0x7e, 1, b'v']);
    assert_eq!((fields[0].line().as_str(), fields[0].reference), ("?: v", None));
    decode(&mut decoder, &INSERTION);
    assert_eq!(lines(&mut decoder, &[0xbe, 0xbf]), ["x-a: 1", "?: v"]);
}

#[test]
fn bad_huffman_spoils_its_string_alone() {
    let mut decoder = Decoder::new();
    let (fields, outcome) = decode(&mut decoder, &[0x82, 0x44, 0x81, 0xff, 0x40, 0x81, 0x00, 1, b'v', 0x84]);
    let texts: Vec<_> = fields.iter().map(Owned::line).collect();
    assert_eq!(texts, [":method: GET", ":path: ?", "?: v", ":path: /"]);
    assert_eq!(error(outcome), Some((ErrorKind::HuffmanPadding, 1)));
    assert_eq!(outcome.unknown_fields, 2);
    assert_eq!(lines(&mut decoder, &[0xbe, 0xbf]), ["?: v", ":path: ?"]);
    let (_, outcome) = decode(&mut decoder, &[0x04, 0x84, 0xff, 0xff, 0xff, 0xff]);
    assert_eq!(error(outcome), Some((ErrorKind::HuffmanEos, 0)));
}

#[test]
fn only_the_first_violation_is_kept() {
    let (_, outcome) = decode(&mut Decoder::new(), &[0x82, 0x80, 0xbe, 0x40]);
    assert_eq!(error(outcome), Some((ErrorKind::IndexZero, 1)));
    assert!(!outcome.complete);
}

#[test]
fn size_updates_and_the_bound() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, &INSERTION);
    // Two updates at the start are legal; the table follows both.
    let (_, outcome) = decode(&mut decoder, &[0x20, 0x3f, 0xe1, 0x1f, 0x82]);
    assert_eq!(outcome.error, None);
    assert!(decoder.table.contents().is_empty());
    // 4097 is not.
    let (_, outcome) = decode(&mut decoder, &[0x3f, 0xe2, 0x1f]);
    assert_eq!(error(outcome), Some((ErrorKind::SizeUpdateAboveBound, 0)));
    decoder.set_bound(8192);
    assert_eq!(decode(&mut decoder, &[0x3f, 0xe2, 0x1f]).1.error, None);
    // Misplaced, and followed.
    decode(&mut decoder, &INSERTION);
    let (_, outcome) = decode(&mut decoder, &[0x82, 0x20]);
    assert_eq!(error(outcome), Some((ErrorKind::SizeUpdateMisplaced, 1)));
    assert!(decoder.table.contents().is_empty());
}

#[test]
fn settings_do_not_resize_but_ask_for_an_update() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, &INSERTION);
    decoder.set_bound(0);
    let (fields, outcome) = decode(&mut decoder, &[0xbe]);
    assert_eq!(
        (fields[0].line().as_str(), error(outcome)),
        ("x-a: 1", Some((ErrorKind::SizeUpdateMissing, 0)))
    );
    assert_eq!(decode(&mut decoder, &[0xbe]).1.error, None);
    decoder.set_bound(100);
    let (fields, outcome) = decode(&mut decoder, &[0x3f, 100 - 31, 0xbe]);
    assert_eq!((fields[0].line().as_str(), outcome.error), ("x-a: 1", None));
    // A bound that the table respects already asks for nothing.
    decoder.set_bound(100);
    assert_eq!(decode(&mut decoder, &[0x82]).1.error, None);
}

#[test]
fn a_name_may_come_from_the_entry_that_its_insertion_evicts() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, &[0x3f, 40 - 31]);
    decode(&mut decoder, &INSERTION);
    assert_eq!(lines(&mut decoder, &[0x7e, 2, b'2', b'2', 0xbe]), ["x-a: 22", "x-a: 22"]);
    assert_eq!(decoder.table.contents().len(), 1);
}

#[test]
fn an_entry_larger_than_the_table_empties_it() {
    let mut decoder = Decoder::new();
    decode(&mut decoder, &[0x3f, 40 - 31]);
    decode(&mut decoder, &INSERTION);
    assert_eq!(lines(&mut decoder, &[0x44, 5, b'/', b'1', b'2', b'3', b'4']), [":path: /1234"]);
    assert!(decoder.table.contents().is_empty());
    assert_eq!(error(decode(&mut decoder, &[0xbe]).1), Some((ErrorKind::IndexBeyondTable, 0)));
}

#[test]
fn names_have_their_number_however_they_are_sent() {
    let mut decoder = Decoder::new();
    let mut block = vec![0x84, 0x44, 1, b'/', 0x40, 5];
    block.extend(b":path\x01?");
    block.extend([0x00, 0x84]);
    block.extend(super::super::super::huffman::encode(b":path"));
    block.extend([1, b'!', 0xbe, 0xbf, 0x1f, 62 - 15, 1, b'n']);
    let (fields, outcome) = decode(&mut decoder, &block);
    assert_eq!(outcome.error, None);
    assert_eq!(fields.len(), 7);
    for field in &fields {
        assert_eq!((field.id, field.name.as_deref()), (NameId::PATH, Some(&b":path"[..])));
    }
    assert_eq!(
        fields.iter().map(|field| field.never_indexed).collect::<Vec<_>>(),
        [false, false, false, false, false, false, true]
    );
}

#[test]
fn a_literal_crosses_a_cut_that_lies_within_it() {
    // Offsets: 0 index, 1 name index, 2 length, 3 to 6 text, 7 index.
    let block = [0x82, 0x44, 4, b'/', b'a', b'b', b'c', 0x86];
    for (cuts, crosses) in [
        (&[][..], false),
        (&[1, 2], false),
        (&[3], true),
        (&[6], true),
        (&[7], false),
        (&[0, 2, 7, 8], false),
        (&[2, 5, 7], true),
    ] {
        let outcome = Decoder::new().decode(&block, cuts, &mut |_| ());
        assert_eq!(outcome.literal_crosses_cut, crosses, "{cuts:?}");
    }
}
