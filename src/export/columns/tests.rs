//! What is read back from columns is what JSON shows.

use super::column::fields;
use super::stream::Stream;
use super::tape::{TAIL, push_annotation, write};
use crate::base::memory::Memory;
use crate::base::time::Timestamp;
use crate::export::arrow::ArrowStream;
use crate::export::json;
use crate::export::parquet::{Footers, ParquetFile};
use crate::export::tests::each_frame;
use crate::http2::frame::Payload;
use crate::record::TransactionView;
use crate::record::path::columns;
use crate::record::samples;
use crate::record::schema::{
    ConnectionObject, DiffObject, EndpointObject, FindingObject, FrameObject, MessageRecordObject,
    PairObject, Shown, TelemetryObject, TransactionObject, VERSION,
};
use crate::record::visit::{Member, Object, Record};
use ::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_ipc::reader::StreamReader;
use arrow_schema::DataType;
use serde_json::{Map, Value, json};

/// A record as its tape, and as JSON.
type Sample = (Vec<u8>, Value);

fn sample(record: &impl Object) -> Sample {
    let (mut tape, mut line) = (Vec::new(), Vec::new());
    write(&mut tape, record);
    json::write(&mut line, record);
    (tape, serde_json::from_slice(&line).unwrap())
}

/// A value of a column as JSON has it; `None` for null.
fn cell(array: &dyn Array, at: usize) -> Option<Value> {
    if array.is_null(at) {
        return None;
    }
    let all = |array: &dyn Array| (0..array.len()).map(|at| cell(array, at)).collect::<Vec<_>>();
    Some(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(at).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(at).into(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(at).into(),
        DataType::Utf8 => array.as_string::<i32>().value(at).into(),
        DataType::Timestamp(..) => {
            let nanos = array.as_primitive::<TimestampNanosecondType>().value(at);
            let time = Timestamp::from_nanos(u64::try_from(nanos).unwrap());
            String::from_utf8(time.rfc3339().to_vec()).unwrap().into()
        }
        DataType::List(_) => all(&array.as_list::<i32>().value(at)).into(),
        DataType::Map(..) => {
            let entries = array.as_map().value(at);
            let (keys, values) = (all(entries.column(0)), all(entries.column(1)));
            let keys = keys.into_iter().map(|key| key.unwrap().as_str().unwrap().to_owned());
            Value::Object(keys.zip(values.into_iter().map(Option::unwrap)).collect())
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields.iter().zip(columns);
            let present =
                members.filter_map(|(field, column)| Some((field.name().clone(), cell(column, at)?)));
            Value::Object(present.collect())
        }
        other => panic!("{other}"),
    })
}

/// A record's values by the names of columns; free JSON as its text is compared by value.
fn flat(members: &'static [Member], record: &Value) -> Map<String, Value> {
    let mut into = Map::new();
    let names: Vec<String> = fields(members).into_iter().map(|field| field.name().clone()).collect();
    for name in names {
        let value = name.split('.').try_fold(record, |value, key| value.get(key));
        if let Some(value) = value {
            into.insert(name, value.clone());
        }
    }
    into
}

/// Free JSON, and maps of objects, are text in columns.
fn read_json(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(read_json),
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(text)
                        if ["value", "fields", "statuses"]
                            .contains(&key.rsplit('.').next().unwrap_or_default())
                            || key.ends_with("h2.grpc.details") =>
                    {
                        *member = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str()));
                    }
                    other => read_json(other),
                }
            }
        }
        _ => (),
    }
}

fn rows(batches: &[RecordBatch]) -> Vec<Value> {
    let row = |batch: &RecordBatch, at| {
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns());
        let mut row = Value::Object(
            columns.filter_map(|(field, column)| Some((field.name().clone(), cell(column, at)?))).collect(),
        );
        read_json(&mut row);
        row
    };
    batches
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|at| row(batch, at)).collect::<Vec<_>>())
        .collect()
}

fn stream(members: &'static [Member], samples: &[Sample], coverage: Option<&str>, parquet: bool) -> Vec<u8> {
    let mut stream = if parquet {
        Stream::new(members, Memory::default(), |schema| {
            ParquetFile::new(schema, Memory::default(), Footers::new(Memory::default()))
        })
        .unwrap()
    } else {
        Stream::new(members, Memory::default(), ArrowStream::new).unwrap()
    };
    let mut out = Vec::new();
    for (tape, _) in samples {
        stream.push(tape, &mut out).unwrap();
    }
    stream.finish(coverage, &mut out).unwrap();
    out
}

fn read(bytes: Vec<u8>, parquet: bool) -> Vec<RecordBatch> {
    if parquet {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).unwrap().build();
        reader.unwrap().map(Result::unwrap).collect()
    } else {
        StreamReader::try_new(bytes.as_slice(), None).unwrap().map(Result::unwrap).collect()
    }
}

/// Both formats read back as JSON shows the records.
fn compare<T: Record>(samples: &[Sample]) {
    for parquet in [false, true] {
        let batches = read(stream(T::MEMBERS, samples, None, parquet), parquet);
        let mut want: Vec<Value> =
            samples.iter().map(|(_, record)| Value::Object(flat(T::MEMBERS, record))).collect();
        want.iter_mut().for_each(read_json);
        assert_eq!(rows(&batches), want, "{} parquet {parquet}", T::NAME);
    }
    let names: Vec<String> = columns::<T>().into_iter().map(|column| column.path).collect();
    let fields: Vec<String> = fields(T::MEMBERS).iter().map(|field| field.name().clone()).collect();
    assert_eq!(fields, names, "the columns are those of CSV");
}

#[test]
fn every_record_reads_back_as_json_shows_it() {
    let shown = Shown { headers: true, secrets: false };
    let (meta, tls_meta) = (samples::meta(), samples::tls_meta());
    let all = [samples::get(), samples::everything(), samples::nothing()];
    let transaction =
        |transaction| sample(&TransactionObject::new(&TransactionView::new(&tls_meta, transaction), shown));
    compare::<TransactionObject<'_>>(&all.iter().map(transaction).collect::<Vec<_>>());
    let connection = |connection| sample(&ConnectionObject::new(connection, None));
    compare::<ConnectionObject<'_>>(&[
        connection(&samples::connection()),
        connection(&samples::undecrypted()),
    ]);
    let mut frames = Vec::new();
    each_frame(|frame| {
        let payload = Payload::parse(&frame.header, frame.payload);
        frames.push(sample(&FrameObject::new(&meta, frame, payload.as_ref())));
    });
    compare::<FrameObject<'_>>(&frames);
    let endpoints = samples::endpoints();
    compare::<EndpointObject<'_>>(
        &endpoints.rows.iter().map(|endpoint| sample(&EndpointObject::new(endpoint))).collect::<Vec<_>>(),
    );
    compare::<MessageRecordObject<'_>>(&[sample(&MessageRecordObject::new(
        &meta,
        &samples::message_record(),
    ))]);
    compare::<FindingObject>(&[sample(&FindingObject::new(&meta, &samples::finding()))]);
    let pairs: Vec<_> = samples::pairs().iter().map(|pair| sample(&PairObject::new(pair))).collect();
    compare::<PairObject<'_>>(&pairs);
    let differences: Vec<_> =
        samples::differences().iter().map(|own| sample(&DiffObject::new(own))).collect();
    compare::<DiffObject<'_>>(&differences);
    compare::<TelemetryObject<'_>>(&[sample(&TelemetryObject::new(&samples::report()))]);
}

#[test]
fn hostile_text_reads_back_and_what_is_no_utf8_is_replaced() {
    let long = "x".repeat(64 << 10);
    let values = ["=1+1", "<script>alert(1)</script>", "\x1b[2J\0\u{202e}", "'; rm -rf ~ #", &long];
    let lines: Vec<(&str, &str)> = values.iter().map(|value| ("x", *value)).collect();
    let mut transaction = samples::get();
    transaction.request.headers = samples::fields(&lines);
    let meta = samples::meta();
    let view = TransactionView::new(&meta, &transaction);
    let record = TransactionObject::new(&view, Shown { headers: true, secrets: true });
    compare::<TransactionObject<'_>>(&[sample(&record)]);
}

#[test]
fn the_annotation_takes_the_place_of_the_flags_that_there_is_none() {
    use crate::base::verdict::{MissReason, Verdict};
    use crate::record::{Annotation, ExchangeRef};
    let (meta, transaction) = (samples::meta(), samples::get());
    let (mut tape, _) =
        sample(&TransactionObject::new(&TransactionView::new(&meta, &transaction), Shown::default()));
    tape.truncate(tape.len() - TAIL);
    let agent = Some(Verdict::Missed(MissReason::Padded));
    let retry_of = Some(ExchangeRef { connection: 3, stream: 5 });
    push_annotation(&mut tape, Annotation { agent, retry_of, retried_by: None });
    let rows = rows(&read(stream(TransactionObject::MEMBERS, &[(tape, Value::Null)], None, false), false));
    assert_eq!(rows[0]["h2.agent.seen"], json!(false));
    assert_eq!(rows[0]["h2.agent.reason"], json!("padded"));
    assert_eq!(rows[0]["h2.retry_of.stream"], json!(5));
    assert_eq!(rows[0].get("h2.retried_by.stream"), None);
}

#[test]
fn what_does_not_fit_is_null() {
    let mut transaction = samples::get();
    transaction.first.time = Timestamp::MAX;
    let meta = samples::meta();
    let (tape, _) =
        sample(&TransactionObject::new(&TransactionView::new(&meta, &transaction), Shown::default()));
    let rows = rows(&read(stream(TransactionObject::MEMBERS, &[(tape, Value::Null)], None, true), true));
    assert_eq!(rows[0].get("@timestamp"), None);
}

#[test]
fn a_file_says_what_it_is_and_how_complete() {
    let file = stream(FindingObject::MEMBERS, &[], Some("{\"complete\":true}"), true);
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
    let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let value = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    assert_eq!(value("h2lens.coverage").as_deref(), Some("{\"complete\":true}"));
    assert_eq!(value("h2lens.schema"), Some(VERSION.to_string()));
    assert_eq!(value("h2lens.version").as_deref(), Some(env!("CARGO_PKG_VERSION")));
    let schema = StreamReader::try_new(stream(FindingObject::MEMBERS, &[], None, false).as_slice(), None)
        .unwrap()
        .schema();
    assert_eq!(schema.metadata().get("h2lens.schema").cloned(), Some(VERSION.to_string()));
}

#[test]
fn row_groups_end_where_they_should() {
    let meta = samples::meta();
    let finding = sample(&FindingObject::new(&meta, &samples::finding()));
    let file = stream(FindingObject::MEMBERS, &vec![finding; 70_000], None, true);
    let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
    let groups: Vec<i64> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!(groups, [65_536, 4_464]);
}
