//! What `--generate schema` and `--generate duckdb` print: the records' types, from their one definition.

use crate::record::schema::{
    ConnectionObject, DiffObject, EndpointObject, FindingObject, FrameObject, JoinObject,
    MessageRecordObject, PairObject, StepObject, TelemetryObject, TransactionObject,
};
use crate::record::visit::{Member, Record, Type};
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// A kind of record: its name, what `--show` calls it, and its members.
type Kind = (&'static str, &'static str, &'static [Member]);

const fn kind<T: Record>() -> Kind {
    (T::NAME, T::PLURAL, T::MEMBERS)
}

/// All kinds of records, in the order of `--show`; those of `--follow` stand before telemetry, those of subcommands come last.
const KINDS: [Kind; 11] = [
    kind::<TransactionObject<'_>>(),
    kind::<EndpointObject<'_>>(),
    kind::<ConnectionObject<'_>>(),
    kind::<FrameObject<'_>>(),
    kind::<MessageRecordObject<'_>>(),
    kind::<FindingObject<'_>>(),
    kind::<StepObject<'_>>(),
    kind::<TelemetryObject<'_>>(),
    kind::<PairObject<'_>>(),
    kind::<JoinObject<'_>>(),
    kind::<DiffObject<'_>>(),
];

/// A JSON Schema (2020-12) of any record.
pub fn json_schema() -> String {
    let records = KINDS.map(|(name, _, members)| {
        let mut schema = object(members);
        if let Some(record) = schema.pointer_mut("/properties/record") {
            *record = json!({"const": name, "description": "The kind of record."});
        }
        schema
    });
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "h2lens records",
        "description": "One line of the output of h2lens -o ndjson.",
        "oneOf": records,
    });
    format!("{schema:#}\n")
}

fn object(members: &[Member]) -> Value {
    let properties: Map<String, Value> =
        members.iter().map(|member| (member.key.to_owned(), property(member))).collect();
    let required: Vec<&str> =
        members.iter().filter(|member| !member.optional).map(|member| member.key).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn property(member: &Member) -> Value {
    let mut schema = values(&member.r#type);
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), member.doc.into());
    }
    schema
}

/// The schema of values of a type.
fn values(r#type: &Type) -> Value {
    match r#type {
        Type::Bool => json!({"type": "boolean"}),
        Type::Integer => json!({"type": "integer", "minimum": 0}),
        Type::Float => json!({"type": "number"}),
        Type::Seconds => json!({"type": "number", "minimum": 0, "x-unit": "s"}),
        Type::Difference => json!({"type": "number", "x-unit": "s"}),
        Type::Json => json!({}),
        Type::Decimal => json!({"type": "number", "minimum": 0}),
        Type::Time => json!({"type": "string", "format": "date-time"}),
        Type::Address | Type::Text | Type::Word([]) => json!({"type": "string"}),
        Type::Word(words) => json!({"type": "string", "enum": words}),
        Type::List(element) => json!({"type": "array", "items": values(element)}),
        // A type of its own is what has columns of its own: the values of such a map are JSON there.
        Type::Map(value @ Type::Object(_)) => {
            json!({"allOf": [{"type": "object", "additionalProperties": values(value)}]})
        }
        Type::Map(value) => json!({"type": "object", "additionalProperties": values(value)}),
        Type::Object(members) => object(members),
    }
}

/// Views for `DuckDB` over a file of NDJSON that the variable `h2lens` names.
pub fn duckdb() -> String {
    let mut sql = String::from(
        "-- Views over records of h2lens. In DuckDB:\n\
         --   SET VARIABLE h2lens = 'records.ndjson';\n\
         --   .read h2lens.sql\n\
         --   SELECT http.response.status_code, count(*) FROM transactions GROUP BY ALL;\n\n",
    );
    for (name, plural, members) in KINDS {
        view(&mut sql, name, plural, members);
    }
    sql.push_str(QUESTIONS);
    sql
}

// Writing to a string cannot fail: the results of `write!` are dropped.

/// The view of one kind of record. Its columns are the record's members; times keep their nanoseconds.
fn view(sql: &mut String, name: &str, plural: &str, members: &[Member]) {
    let shown: Vec<String> = members
        .iter()
        .filter(|member| member.key != "record")
        .map(|member| match member.r#type {
            // As text, since a time would lose its nanoseconds while JSON is read.
            Type::Time => format!("CAST(rtrim({0}, 'Z') AS TIMESTAMP_NS) AS {0}", identifier(member.key)),
            // Of other kinds of records the same name is an object: what it is is looked at behind the choice.
            Type::List(_) => {
                format!("from_json({0}, '{1}') AS {0}", identifier(member.key), structure(&member.r#type))
            }
            _ => identifier(member.key),
        })
        .collect();
    let _ = writeln!(sql, "CREATE OR REPLACE VIEW {plural} AS");
    let _ = writeln!(sql, "SELECT {}", shown.join(", "));
    let _ = writeln!(sql, "FROM read_json(getvariable('h2lens'), format = 'newline_delimited',");
    let _ = writeln!(sql, "  maximum_object_size = 1073741824,");
    let _ = writeln!(sql, "  columns = {{");
    for (at, member) in members.iter().enumerate() {
        let comma = if at + 1 == members.len() { "" } else { "," };
        let column = match &member.r#type {
            Type::List(_) => "JSON".to_owned(),
            other => column(other).replace('\'', "''"),
        };
        let _ = writeln!(sql, "    {}: '{column}'{comma}", identifier(member.key));
    }
    let _ = writeln!(sql, "  }})\nWHERE record = '{name}';\n");
}

/// `DuckDB`'s name of a type, where the JSON is read.
fn column(r#type: &Type) -> String {
    match r#type {
        Type::Bool => "BOOLEAN".to_owned(),
        Type::Integer => "BIGINT".to_owned(),
        Type::Float | Type::Seconds | Type::Difference | Type::Decimal => "DOUBLE".to_owned(),
        Type::Json => "JSON".to_owned(),
        Type::Time | Type::Address | Type::Text | Type::Word(_) => "VARCHAR".to_owned(),
        Type::List(element) => format!("{}[]", column(element)),
        Type::Map(value) => format!("MAP(VARCHAR, {})", column(value)),
        Type::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| format!("{} {}", identifier(member.key), column(&member.r#type)))
                .collect();
            format!("STRUCT({})", members.join(", "))
        }
    }
}

/// The same as `from_json` wants it: JSON of the same shape.
fn structure(r#type: &Type) -> String {
    match r#type {
        Type::List(element) => format!("[{}]", structure(element)),
        Type::Object(members) => {
            let members: Vec<String> = members
                .iter()
                .map(|member| format!("\"{}\":{}", member.key, structure(&member.r#type)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
        other => format!("\"{}\"", column(other)),
    }
}

/// A name in quotes: some are words of SQL.
fn identifier(name: &str) -> String {
    format!("\"{name}\"")
}

/// Views for the usual questions.
const QUESTIONS: &str = "\
-- Calls that failed, the latest first.
CREATE OR REPLACE VIEW failures AS
SELECT \"@timestamp\", \"error\".\"type\" AS error, http.request.\"method\" AS \"method\",
  h2.request.authority AS authority, url.path AS path, http.response.status_code AS status, duration,
  h2.\"connection\".id AS \"connection\", h2.stream.id AS stream
FROM transactions
WHERE \"error\" IS NOT NULL
ORDER BY \"@timestamp\" DESC;

-- The slowest calls first.
CREATE OR REPLACE VIEW slowest AS
SELECT duration, h2.timing.ttfb AS ttfb, http.request.\"method\" AS \"method\", h2.request.authority AS authority,
  url.path AS path, http.response.status_code AS status, h2.\"connection\".id AS \"connection\", h2.stream.id AS stream
FROM transactions
ORDER BY duration DESC;

-- Calls, failures and times by server, method and path.
CREATE OR REPLACE VIEW by_path AS
SELECT h2.request.authority AS authority, http.request.\"method\" AS \"method\", url.path AS path, count(*) AS calls,
  count(\"error\") AS failed, quantile_cont(duration, 0.5) AS p50, quantile_cont(duration, 0.99) AS p99
FROM transactions
GROUP BY ALL
ORDER BY calls DESC;

-- Exchanges that are not complete, by what is missing.
CREATE OR REPLACE VIEW incomplete AS
SELECT reason, count(*) AS calls
FROM (SELECT unnest(h2.partial_reason) AS reason FROM transactions)
GROUP BY ALL
ORDER BY calls DESC;
";
