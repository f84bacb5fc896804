//! What a server told of its services by reflection (`grpc.reflection.v1`), where that is in the capture.

use super::schema::Schema;
use super::wire::{Fields, Wire};
use crate::base::limits::BODY_REFLECTION;
use prost_reflect::prost::Message;
use prost_reflect::prost_types::FileDescriptorProto;

/// The method answers with file descriptors.
pub fn is_reflection(path: &str) -> bool {
    path.starts_with("/grpc.reflection.v1") && path.ends_with(".ServerReflection/ServerReflectionInfo")
}

/// Takes the file descriptors of a response into the schema; `held` counts their bytes. False: a cap was reached.
pub fn learn(response: &[u8], schema: &mut Schema, held: &mut usize) -> bool {
    let mut files = Vec::new();
    let mut all = true;
    // ServerReflectionResponse.file_descriptor_response.file_descriptor_proto
    for descriptor in nested(response, 4).flat_map(|answer| nested(answer, 1)) {
        if *held + descriptor.len() > BODY_REFLECTION {
            all = false;
            continue;
        }
        *held += descriptor.len();
        files.extend(FileDescriptorProto::decode(descriptor).ok());
    }
    schema.add(files);
    all
}

fn nested(message: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Fields::new(message).filter_map(move |field| match field.ok()? {
        field if field.number == number => match field.value {
            Wire::Len(bytes) => Some(bytes),
            _ => None,
        },
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(file: &FileDescriptorProto) -> Vec<u8> {
        let field = |number: u8, bytes: &[u8]| {
            let length = bytes.len();
            [
                &[
                    number << 3 | 2,
                    0x80 | (length & 0x7f) as u8,
                    0x80 | (length >> 7 & 0x7f) as u8,
                    (length >> 14) as u8,
                ][..],
                bytes,
            ]
            .concat()
        };
        field(4, &field(1, &file.encode_to_vec()))
    }

    #[test]
    fn services_are_learned() {
        let file = protox::file::File::from_source(
            "a.proto",
            "syntax = \"proto3\"; package a; message M { string s = 1; } service S { rpc Do(M) returns (M); }",
        );
        let (mut schema, mut held) = (Schema::default(), 0);
        assert!(learn(&response(&file.unwrap().into()), &mut schema, &mut held));
        assert!(schema.method("/a.S/Do").is_some() && held > 0);
        assert!(is_reflection("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"));
        assert!(!is_reflection("/a.S/Do"));
    }

    /// Whatever a file is written in, the others are learned.
    #[test]
    fn files_of_a_syntax_that_is_not_known_are_left_out() {
        let file = |name: &str, syntax: Option<&str>| FileDescriptorProto {
            name: Some(name.to_owned()),
            package: Some(name.to_owned()),
            syntax: syntax.map(str::to_owned),
            ..FileDescriptorProto::default()
        };
        let (mut schema, mut held) = (Schema::default(), 0);
        for syntax in ["editions", "", "proto4"] {
            assert!(learn(&response(&file("a", Some(syntax))), &mut schema, &mut held));
            assert!(schema.is_empty(), "{syntax}");
        }
        assert!(learn(&response(&file("b", Some("proto3"))), &mut schema, &mut held));
        assert!(!schema.is_empty());
    }

    #[test]
    fn cap_body_reflection() {
        let file = FileDescriptorProto { name: Some("x".repeat(1000)), ..FileDescriptorProto::default() };
        let (mut schema, mut held) = (Schema::default(), BODY_REFLECTION - 900);
        assert!(!learn(&response(&file), &mut schema, &mut held));
        assert!(schema.is_empty());
        held -= 200;
        assert!(learn(&response(&file), &mut schema, &mut held) && held <= BODY_REFLECTION);
    }
}
