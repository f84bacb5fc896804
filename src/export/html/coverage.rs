//! How complete the capture is: each number, with its meaning.

use super::table::Heading::{Numbers, Words};
use super::table::table;
use super::value::{Grouped, Visible};
use super::wording::record;
use crate::export::json;
use crate::record::Report;
use crate::record::schema::TelemetryObject;
use crate::record::schema::telemetry::CoverageObject;
use crate::record::visit::{Member, Object, Type};
use maud::{Markup, html};
use serde_json::Value;

/// A number of the coverage.
struct Row {
    /// With dots between the keys.
    name: String,
    meaning: &'static str,
    value: String,
}

/// All of the coverage.
pub(super) fn coverage(report: &Report) -> Markup {
    let mut text = Vec::new();
    json::write(&mut text, &TelemetryObject::new(report).coverage);
    let mut rows = Vec::new();
    leaves(&record(&text), CoverageObject::MEMBERS, "", "", &mut rows);
    let headings = [Words("What"), Numbers("Count"), Words("Meaning")];
    html! {
        section #coverage {
            h2 { "Coverage" }
            (table("coverage", "Coverage", &headings, rows.iter().map(row)))
        }
    }
}

fn row(row: &Row) -> Markup {
    html! {
        tr {
            th scope="row" { (Visible(&row.name)) }
            td.number { (Visible(&row.value)) }
            td { (row.meaning) }
        }
    }
}

/// The values that are no objects. What has no meaning of its own has that of the object it stands in.
fn leaves(value: &Value, members: &'static [Member], name: &str, meaning: &'static str, into: &mut Vec<Row>) {
    let Value::Object(object) = value else {
        let value = value.as_u64().map_or_else(|| value.to_string(), |number| Grouped(number).to_string());
        return into.push(Row { name: name.to_owned(), meaning, value });
    };
    for (key, below) in object {
        let member = members.iter().find(|member| member.key == key);
        let meaning = member.map_or(meaning, |member| member.doc);
        let members = match member.map(|member| &member.r#type) {
            Some(Type::Object(members)) => members,
            _ => &[][..],
        };
        let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
        leaves(below, members, &name, meaning, into);
    }
}
