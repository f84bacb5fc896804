use super::*;
use crate::body::protobuf::schema::tests::schema;
use proptest::prelude::*;
use prost_reflect::DynamicMessage;
use prost_reflect::prost::Message;
use serde_json::{Value, json};

const SOURCE: &str = r#"
syntax = "proto3"; package t;
import "google/protobuf/any.proto"; import "google/protobuf/struct.proto"; import "google/protobuf/wrappers.proto";
import "google/protobuf/timestamp.proto"; import "google/protobuf/duration.proto"; import "google/protobuf/field_mask.proto";
enum Colour { NONE = 0; RED = 1; }
message M {
  string id = 1; repeated M lines = 2; map<string, M> labels = 3; map<int32, double> by_number = 4;
  oneof pay { string card = 5; M cash = 6; }
  optional int32 rank = 7; repeated sint32 packed = 8; repeated int64 unpacked = 9 [packed = false];
  Colour colour = 10; bytes blob = 11; uint64 big = 12; float ratio = 13; bool done = 14; M parent = 15;
  google.protobuf.Any extra = 16; google.protobuf.Struct attrs = 17; google.protobuf.Value any_value = 18;
  google.protobuf.Timestamp at = 19; google.protobuf.Duration took = 20; google.protobuf.FieldMask mask = 21;
  google.protobuf.Int64Value wrapped = 22; google.protobuf.ListValue list = 23; string password = 24;
}"#;

const OLD: &str = r#"
syntax = "proto2"; package o;
enum Kind { ONE = 1; TWO = 2; }
message T {
  required string name = 1; optional int32 level = 2 [default = 7]; repeated group Many = 3 { optional string c = 4; }
  optional Kind kind = 5; extensions 100 to 200;
}
extend T { optional string note = 100; }"#;

fn print(source: &str, name: &str, bytes: &[u8]) -> Result<Value, Malformed> {
    let descriptor = schema(source).message(name).unwrap();
    let text = json(bytes, &descriptor, None, 100_000)?;
    Ok(serde_json::from_str(&text).unwrap())
}

fn read(bytes: &[u8]) -> Value {
    print(SOURCE, "t.M", bytes).unwrap()
}

#[test]
fn absent_and_default_values_are_left_out() {
    assert_eq!(read(&[]), json!({}));
    assert_eq!(read(&[0x0a, 0, 0x50, 0, 0x38, 0, 0x2a, 0]), json!({"card": "", "rank": 0}));
}

#[test]
fn scalars_are_written_as_protobuf_json_has_them() {
    assert_eq!(read(&[0x60, 5, 0x50, 1, 0x70, 1]), json!({"big": "5", "colour": "RED", "done": true}));
    assert_eq!(read(&[0x50, 99, 0x5a, 2, 1, 2]), json!({"colour": 99, "blob": "AQI="}));
    assert_eq!(read(&[0x6d, 0, 0, 0xc0, 0x7f]), json!({"ratio": "NaN"}));
    assert_eq!(read(&[0x6d, 0, 0, 0x80, 0x3f]), json!({"ratio": 1.0}));
}

#[test]
fn repeated_fields_are_packed_or_not() {
    assert_eq!(read(&[0x40, 2, 0x42, 2, 4, 1, 0x40, 3]), json!({"packed": [1, 2, -1, -2]}));
    assert_eq!(read(&[0x4a, 2, 1, 2, 0x48, 3]), json!({"unpacked": ["1", "2", "3"]}));
}

#[test]
fn of_a_field_that_comes_again_the_last_holds_and_messages_merge() {
    assert_eq!(read(b"\x0a\x01a\x0a\x01b"), json!({"id": "b"}));
    assert_eq!(read(&[0x7a, 2, 0x38, 1, 0x7a, 2, 0x50, 1]), json!({"parent": {"rank": 1, "colour": "RED"}}));
    assert_eq!(
        read(&[0x32, 2, 0x38, 1, 0x2a, 1, b'c', 0x32, 2, 0x50, 1]),
        json!({"cash": {"colour": "RED"}})
    );
    assert_eq!(read(&[0x32, 0, 0x2a, 1, b'c']), json!({"card": "c"}));
    assert_eq!(
        read(&[0x1a, 3, 0x0a, 1, b'k', 0x1a, 7, 0x0a, 1, b'k', 0x12, 2, 0x38, 1]),
        json!({"labels": {"k": {"rank": 1}}})
    );
    assert_eq!(read(&[0x22, 2, 8, 3, 0x22, 0]), json!({"byNumber": {"3": 0.0, "0": 0.0}}));
}

#[test]
fn types_with_a_form_of_their_own_are_written_as_fields_where_they_have_others() {
    let unknown = json!([{"number": 9, "wire": "varint", "int": 2, "sint": 1}]);
    for (number, name) in
        [(17, "attrs"), (19, "at"), (20, "took"), (21, "mask"), (22, "wrapped"), (23, "list")]
    {
        let tag = (number << 3 | 2) as u16;
        let bytes = [tag as u8 | 0x80, (tag >> 7) as u8, 2, 0x48, 2];
        assert_eq!(read(&bytes), json!({name: {"@unknown": unknown}}));
    }
    // A Struct with a member, and a field that it does not have.
    let bytes = [&[0x8a, 1, 11, 0x0a, 7, 0x0a, 1, b'k', 0x12, 2, 0x20, 1, 0x48, 2][..]].concat();
    assert_eq!(read(&bytes), json!({"attrs": {"fields": {"k": true}, "@unknown": unknown}}));
}

#[test]
fn what_the_schema_does_not_know_stays() {
    let unknown = json!([{"number": 99, "wire": "varint", "int": 2, "sint": 1}]);
    assert_eq!(read(&[0x98, 6, 2, 0x38, 1]), json!({"rank": 1, UNKNOWN: unknown}));
    let value = read(&[0x0d, 1, 0, 0, 0]);
    assert_eq!((value[UNKNOWN][0]["number"].as_u64(), value.get("id")), (Some(1), None), "{value}");
}

#[test]
fn well_known_types_have_their_own_form() {
    assert_eq!(read(&[0x9a, 1, 2, 8, 1]), json!({"at": "1970-01-01T00:00:01Z"}));
    assert_eq!(read(&[0x9a, 1, 2, 0x10, 0x7f]), json!({"at": "1970-01-01T00:00:00.000000127Z"}));
    assert_eq!(
        read(&[0xb2, 1, 0, 0xaa, 1, 5, 0x0a, 3, b'a', b'_', b'b']),
        json!({"wrapped": "0", "mask": "aB"})
    );
    assert_eq!(
        read(&[0x92, 1, 0, 0xba, 1, 0, 0x8a, 1, 0]),
        json!({"anyValue": null, "list": [], "attrs": {}})
    );
    let attrs = [0x8a, 1, 9, 0x0a, 7, 0x0a, 1, b'k', 0x12, 2, 0x20, 1];
    assert_eq!(read(&attrs), json!({"attrs": {"k": true}}));
    // Out of range: only its fields can show it.
    let late = [&[0x9a, 1, 10, 8][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]].concat();
    assert_eq!(read(&late), json!({"at": {"seconds": "9223372036854775807"}}));
}

#[test]
fn an_any_shows_what_it_holds() {
    let any = |url: &str, value: &[u8]| {
        let inner =
            [&[0x0a, url.len() as u8][..], url.as_bytes(), &[0x12, value.len() as u8], value].concat();
        read(&[&[0x82, 1, inner.len() as u8][..], &inner].concat())
    };
    assert_eq!(any("x/t.M", &[0x38, 1]), json!({"extra": {"@type": "x/t.M", "rank": 1}}));
    assert_eq!(
        any("x/google.protobuf.Duration", &[8, 2]),
        json!({"extra": {"@type": "x/google.protobuf.Duration", "value": "2s"}})
    );
    assert_eq!(any("x/no.Such", &[8, 2]), json!({"extra": {"@type": "x/no.Such", "value": "CAI="}}));
    assert_eq!(any("x/t.M", &[0x0a, 5]), json!({"extra": {"@type": "x/t.M", "value": "CgU="}}));
}

#[test]
fn proto2_has_groups_extensions_and_closed_enumerations() {
    let read = |bytes: &[u8]| print(OLD, "o.T", bytes).unwrap();
    assert_eq!(
        read(&[0x10, 0, 0x1b, 0x22, 1, b'x', 0x1c, 0x1b, 0x1c]),
        json!({"level": 0, "many": [{"c": "x"}, {}]})
    );
    assert_eq!(read(&[0xa2, 6, 1, b'n']), json!({"[o.note]": "n"}));
    assert_eq!(read(&[0x28, 2, 0x28, 9])["kind"], "TWO");
    assert_eq!(read(&[0x28, 9])[UNKNOWN][0]["int"], 9);
    assert_eq!(read(&[0x0a, 1, 0xff]), json!({"name": "\u{fffd}"}));
}

#[test]
fn what_is_no_message_is_not_shown() {
    for bytes in [&[0x0a, 5, 1][..], &[0x0a, 1, 0xff], &[0x42, 1, 0x80], b"plain text"] {
        assert_eq!(print(SOURCE, "t.M", bytes), Err(Malformed::Data), "{bytes:?}");
    }
    let mut deep = Vec::new();
    for _ in 0..=BODY_PROTO_DEPTH {
        let mut length = deep.len();
        let mut outer = vec![0x7a];
        while length > 127 {
            outer.push(0x80 | (length & 0x7f) as u8);
            length >>= 7;
        }
        outer.push(length as u8);
        deep = [outer, deep].concat();
    }
    assert_eq!(print(SOURCE, "t.M", &deep), Err(Malformed::TooDeep));
    let descriptor = schema(SOURCE).message("t.M").unwrap();
    assert_eq!(json(&[0x12, 0].repeat(1000), &descriptor, None, 1000), Err(Malformed::TooLong));
}

#[test]
fn secrets_are_masked_by_field_name() {
    let descriptor = schema(SOURCE).message("t.M").unwrap();
    let text =
        json(b"\xc2\x01\x06hidden\x0a\x04seen", &descriptor, Some(&Redactor::default()), 1000).unwrap();
    assert_eq!(text, "{\"id\":\"seen\",\"password\":\"[redacted]\"}");
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 0_u8..0x90], 0..200)) {
        let descriptor = thread_schema();
        if let Ok(text) = json(&bytes, &descriptor, None, 100_000) {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok(), "{}", text);
            // What is read here is read by others.
            if let Ok(message) = DynamicMessage::decode(descriptor.clone(), bytes.as_slice()) {
                let again = json(&message.encode_to_vec(), &descriptor, None, 100_000).unwrap();
                prop_assert_eq!(
                    serde_json::from_str::<Value>(&text).unwrap(),
                    serde_json::from_str::<Value>(&again).unwrap()
                );
            }
        }
    }
}

fn thread_schema() -> MessageDescriptor {
    thread_local! {
        static SCHEMA: MessageDescriptor = schema(SOURCE).message("t.M").unwrap();
    }
    SCHEMA.with(Clone::clone)
}
