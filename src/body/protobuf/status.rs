//! `grpc-status-details-bin`: `google.rpc.Status` with what it says of an error.

use super::schema::Schema;
use super::value;
use crate::body::redact::Redactor;
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::borrow::Cow;
use std::sync::OnceLock;

/// The types of `google.rpc` that errors are told with, as published.
const ERROR_DETAILS: &str = include_str!("error_details.proto");

/// Values of `-bin` fields are base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The octets of a `-bin` field: Base64, or themselves behind a NUL, as gRPC's C core sends them to a peer whose SETTINGS
/// allow it.
fn octets(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    match value {
        [0, octets @ ..] => Some(Cow::Borrowed(octets)),
        text => BASE64.decode(text.trim_ascii()).ok().map(Cow::Owned),
    }
}

/// The field's value as JSON; types that the schema does not have are those that everybody has.
pub fn details(value: &[u8], schema: &Schema, redactor: Option<&Redactor>, limit: usize) -> Option<String> {
    let bytes = octets(value)?;
    let known = well_known();
    let status = schema.message("google.rpc.Status").or_else(|| known.message("google.rpc.Status"))?;
    value::json_with(&bytes, &status, &[schema, known], redactor, limit).ok()
}

fn well_known() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut schema = Schema::default();
        let file = protox::file::File::from_source("h2lens/error_details.proto", ERROR_DETAILS);
        schema.add(file.map(Into::into).into_iter().collect());
        schema
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_read_without_a_schema() {
        let url = b"type.googleapis.com/google.rpc.RetryInfo";
        let retry = [&[0x0a, url.len() as u8][..], url, &[0x12, 4, 0x0a, 2, 0x08, 7]].concat();
        let status = [&[0x08, 8, 0x12, 4][..], b"wait", &[0x1a, retry.len() as u8], &retry].concat();
        let value = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&status);
        let json = details(value.as_bytes(), &Schema::default(), None, 1000).unwrap();
        let expected = "{\"code\":8,\"message\":\"wait\",\"details\":[\
            {\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"7s\"}]}";
        assert_eq!(json, expected);
        let binary = [&[0][..], &status].concat();
        assert_eq!(details(&binary, &Schema::default(), None, 1000).unwrap(), expected, "without Base64");
        assert_eq!(details(b"%", &Schema::default(), None, 1000), None);
    }
}
