//! Endpoint records in columns, as `-o parquet` writes them.

use super::json::sketch_of;
use super::records::{Records, Told};
use crate::aggregate::Counted;
use crate::record::endpoint::Bins;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, DataType};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use std::fs::File;
use std::net::SocketAddr;
use thiserror::Error;

/// Rows that are read at once.
const ROWS: usize = 1024;

/// The columns that are read.
const COLUMNS: [&str; 17] = [
    AUTHORITY,
    ADDRESS,
    PORT,
    METHOD,
    TEMPLATE,
    RPC,
    OPERATION,
    UNPLACED,
    FOLDED,
    CALLS,
    FAILED,
    REQUEST_BYTES,
    RESPONSE_BYTES,
    SUM,
    MAX,
    SKETCH,
    RATE,
];
const AUTHORITY: &str = "authority";
const ADDRESS: &str = "server.address";
const PORT: &str = "server.port";
const METHOD: &str = "http.request.method";
const TEMPLATE: &str = "url.template";
const RPC: &str = "rpc.method";
const OPERATION: &str = "graphql.operation.name";
const UNPLACED: &str = "h2.unplaced";
const FOLDED: &str = "h2.folded";
const CALLS: &str = "h2.calls";
const FAILED: &str = "h2.failed";
const REQUEST_BYTES: &str = "h2.request_bytes";
const RESPONSE_BYTES: &str = "h2.response_bytes";
const SUM: &str = "h2.duration.sum";
const MAX: &str = "h2.duration.max";
const SKETCH: &str = "h2.duration.sketch";
/// No other kind of record has it.
const RATE: &str = "h2.rate.peak";

/// Why a file of columns cannot be read.
#[derive(Debug, Error)]
pub enum ReadParquetError {
    /// It is damaged, or uses what is not supported.
    #[error(transparent)]
    Parquet(#[from] ParquetError),
    /// The same, of its columns.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// It holds other records.
    #[error("no endpoint records (make them with --show endpoints)")]
    NoEndpoints,
}

/// Adds the endpoint records of a Parquet file.
///
/// # Errors
/// When it is damaged, or holds other records.
pub fn read_columns(file: File, records: &mut Records) -> Result<(), ReadParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
    let schema = builder.schema();
    if [CALLS, FAILED, RATE].iter().any(|name| schema.index_of(name).is_err()) {
        return Err(ReadParquetError::NoEndpoints);
    }
    let roots: Vec<_> = COLUMNS.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    for batch in builder.with_projection(mask).with_batch_size(ROWS).build()? {
        let batch = batch?;
        for row in 0..batch.num_rows() {
            match told(&batch, row) {
                Some(told) => records.push(told),
                None => records.pass_over(),
            }
        }
    }
    Ok(())
}

/// The value of a column in a row, if it is of that type.
fn column<'a>(batch: &'a RecordBatch, name: &str, row: usize, of: &DataType) -> Option<&'a dyn Array> {
    let column: &dyn Array = batch.column_by_name(name)?;
    (column.data_type() == of && column.is_valid(row)).then_some(column)
}

fn text<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> Option<&'a str> {
    Some(column(batch, name, row, &DataType::Utf8)?.as_string::<i32>().value(row))
}

fn count(batch: &RecordBatch, name: &str, row: usize) -> Option<u64> {
    let value = column(batch, name, row, &DataType::Int64)?.as_primitive::<Int64Type>().value(row);
    u64::try_from(value).ok()
}

fn nanos(batch: &RecordBatch, name: &str, row: usize) -> u64 {
    let column = column(batch, name, row, &DataType::Float64);
    column.map_or(0, |column| (column.as_primitive::<Float64Type>().value(row) * 1e9).round() as u64)
}

fn told(batch: &RecordBatch, row: usize) -> Option<Told> {
    let owned = |name| text(batch, name, row).map(str::to_owned);
    let ip = text(batch, ADDRESS, row).and_then(|ip| ip.parse().ok());
    let port = count(batch, PORT, row).and_then(|port| u16::try_from(port).ok());
    let unplaced = column(batch, UNPLACED, row, &DataType::Boolean).is_some();
    Some(Told {
        authority: owned(AUTHORITY),
        server: ip.zip(port).map(|(ip, port)| SocketAddr::new(ip, port)),
        method: owned(METHOD),
        template: owned(TEMPLATE),
        rpc: owned(RPC),
        operation: owned(OPERATION),
        unplaced: unplaced || count(batch, FOLDED, row).is_some(),
        counted: Counted {
            calls: count(batch, CALLS, row)?,
            failed: count(batch, FAILED, row)?,
            request_bytes: count(batch, REQUEST_BYTES, row).unwrap_or_default(),
            response_bytes: count(batch, RESPONSE_BYTES, row).unwrap_or_default(),
            durations: bins(batch, row)?,
            duration_sum: nanos(batch, SUM, row),
            duration_max: nanos(batch, MAX, row),
        },
    })
}

/// The sketch of a row, empty where there is none; `None` where it is no sketch.
fn bins(batch: &RecordBatch, row: usize) -> Option<Bins> {
    let maps = batch.column_by_name(SKETCH).and_then(|column| column.as_map_opt());
    let Some(maps) = maps.filter(|maps| maps.is_valid(row)) else { return Some(Bins::default()) };
    let entries = maps.value(row);
    let keys = entries.column(0).as_string_opt::<i32>()?;
    let values = entries.column(1).as_primitive_opt::<Int64Type>()?;
    let counts = keys.iter().zip(values.iter()).map(|(key, count)| Some((key?, u64::try_from(count?).ok()?)));
    counts.collect::<Option<Vec<_>>>().and_then(|counts| sketch_of(counts.into_iter()))
}
