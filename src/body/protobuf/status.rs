//! `grpc-status-details-bin`: `google.rpc.Status` with what it says of an error.

use super::schema::Schema;
use super::value;
use crate::body::redact::Redactor;
use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::sync::OnceLock;

/// The types of `google.rpc` that errors are told with, as published.
const ERROR_DETAILS: &str = include_str!("error_details.proto");

/// Values of `-bin` fields are base64, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The field's value as JSON; types that the schema does not have are those that everybody has.
pub fn details(value: &[u8], schema: &Schema, redactor: Option<&Redactor>, limit: usize) -> Option<String> {
    let bytes = BASE64.decode(value.trim_ascii()).ok()?;
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
        assert_eq!(details(b"%", &Schema::default(), None, 1000), None);
    }
}
