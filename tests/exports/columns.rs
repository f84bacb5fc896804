//! What readers of Parquet and of Arrow's stream find: the types of the columns, the metadata, and the values of each row. Their
//! bytes may change with the crates that write them; this may not.

use super::{CAPTURE, golden};
use crate::cli::h2lens;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_schema::{DataType, Field, TimeUnit};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Type};
use serde_json::Value;

fn printed(format: &str) -> Bytes {
    let output = h2lens(&[CAPTURE, "-o", format, "--show", "transactions", "-H"]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    output.stdout.into()
}

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "bool".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Utf8 => "text".to_owned(),
        DataType::Timestamp(TimeUnit::Nanosecond, Some(zone)) => format!("timestamp(ns, {zone})"),
        DataType::List(element) => format!("list<{}>", type_name(element.data_type())),
        DataType::Map(entries, _) => format!("map<{}>", type_name(entries.data_type())),
        DataType::Struct(fields) => {
            let members: Vec<_> = fields.iter().map(|field| column(field)).collect();
            format!("struct<{}>", members.join(", "))
        }
        other => format!("{other:?}"),
    }
}

fn column(field: &Field) -> String {
    let required = if field.is_nullable() { "" } else { " required" };
    format!("{}: {}{required}", field.name(), type_name(field.data_type()))
}

/// Null members of a struct are left out, as null columns are.
fn value(array: &dyn Array, at: usize) -> Value {
    let all = |array: &dyn Array| (0..array.len()).map(|at| value(array, at)).collect();
    match array.data_type() {
        _ if array.is_null(at) => Value::Null,
        DataType::Boolean => array.as_boolean().value(at).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(at).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(at).into(),
        DataType::Utf8 => array.as_string::<i32>().value(at).into(),
        DataType::Timestamp(..) => array.as_primitive::<TimestampNanosecondType>().value(at).into(),
        DataType::List(_) => all(&array.as_list::<i32>().value(at)),
        DataType::Map(..) => all(&array.as_map().value(at)),
        DataType::Struct(fields) => {
            let members = fields.iter().zip(array.as_struct().columns());
            let values = members.map(|(field, column)| (field.name().clone(), value(column, at)));
            values.filter(|(_, value)| !value.is_null()).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// All of it in lines, so that what differs is found.
fn dump(mut metadata: Vec<(String, String)>, batches: &[RecordBatch]) -> String {
    metadata.sort();
    let mut text = "metadata\n".to_owned();
    for (key, value) in metadata {
        let value = if key == "h2lens.version" { "VERSION" } else { &value };
        text += &format!("  {key} = {value}\n");
    }
    let schema = batches[0].schema();
    text += "columns\n";
    for field in schema.fields() {
        text += &format!("  {}\n", column(field));
    }
    for batch in batches {
        for row in 0..batch.num_rows() {
            text += "row\n";
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                if !column.is_null(row) {
                    text += &format!("  {} = {}\n", field.name(), value(column, row));
                }
            }
        }
    }
    text
}

#[test]
fn arrow_reads_as_it_did() {
    let bytes = printed("arrow");
    let reader = StreamReader::try_new(bytes.as_ref(), None).unwrap();
    let metadata = reader.schema().metadata().clone().into_iter().collect();
    let batches: Vec<_> = reader.map(Result::unwrap).collect();
    golden("arrow.txt", &dump(metadata, &batches));
}

#[test]
fn parquet_reads_as_it_did() {
    let builder = ParquetRecordBatchReaderBuilder::try_new(printed("parquet")).unwrap();
    let file = builder.metadata().file_metadata().key_value_metadata().unwrap().clone();
    let (arrow, own): (Vec<_>, Vec<_>) = file.into_iter().partition(|pair| pair.key == "ARROW:schema");
    assert_eq!(arrow.len(), 1, "readers of Arrow need its types");
    let metadata = own.into_iter().map(|pair| (pair.key, pair.value.unwrap())).collect();
    let batches: Vec<_> = builder.build().unwrap().map(Result::unwrap).collect();
    golden("parquet.txt", &dump(metadata, &batches));
}

#[test]
fn parquet_is_compressed_with_dictionaries_and_statistics() {
    let builder = ParquetRecordBatchReaderBuilder::try_new(printed("parquet")).unwrap();
    let mut dictionaries = 0;
    for chunk in builder.metadata().row_groups().iter().flat_map(|group| group.columns()) {
        let name = chunk.column_path();
        assert!(matches!(chunk.compression(), Compression::ZSTD(_)), "{name}");
        assert!(chunk.statistics().is_some(), "{name}");
        if chunk.column_type() == Type::BYTE_ARRAY {
            assert!(chunk.dictionary_page_offset().is_some(), "{name}");
            dictionaries += 1;
        }
    }
    assert!(dictionaries > 20, "{dictionaries}");
}
