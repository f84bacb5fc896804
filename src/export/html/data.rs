//! What the script reads: the calls with their frames, and the names of their values.

use super::held::HeldCall;
use super::waiting::Period;
use crate::base::time::Timestamp;
use crate::record::schema::TransactionObject;
use crate::record::visit::{Member, Object, Type};
use maud::{Markup, Render, html};
use serde_json::{Map, Value, json};

/// Calls in one element for data: the script reads one only when it shows a call of it.
pub(super) const CHUNK: usize = 500;

/// JSON, in an element for data, where references to characters mean nothing. `<` alone could end it; that stands in
/// strings only, and has another spelling there.
struct Json<'j>(&'j [u8]);

impl Render for Json<'_> {
    fn render_to(&self, out: &mut String) {
        let text = String::from_utf8_lossy(self.0);
        for (at, piece) in text.split('<').enumerate() {
            out.push_str(if at > 0 { "\\u003c" } else { "" });
            out.push_str(piece);
        }
    }
}

/// The records of these calls, and their frames.
pub(super) fn calls(calls: &[HeldCall]) -> Markup {
    html! {
        script.calls-data type="application/json" {
            "[" @for (at, call) in calls.iter().enumerate() { @if at > 0 { ",\n" } (Json(&call.json)) } "]"
        }
        "\n"
        script.steps-data type="application/json" {
            "["
            @for (at, HeldCall { steps, .. }) in calls.iter().enumerate() {
                @if at > 0 { "," }
                @if steps.is_empty() { "null" } @else { (Json(steps)) }
            }
            "]"
        }
        "\n"
    }
}

/// What the script needs beside the calls.
pub(super) fn about(held: usize, period: Period) -> Markup {
    let start = period.0.map(|(start, _)| Timestamp::from_nanos(start).rfc3339());
    let mut fields = Map::new();
    add_fields(TransactionObject::MEMBERS, "", &mut fields);
    let about = json!({
        "held": held,
        "chunk": CHUNK,
        "start": start.map(|start| String::from_utf8_lossy(&start).into_owned()),
        "fields": fields,
    });
    html! { script #meta type="application/json" { (Json(about.to_string().as_bytes())) } }
}

/// A type's name for the filter, of each member below these.
fn add_fields(members: &'static [Member], prefix: &str, into: &mut Map<String, Value>) {
    for member in members {
        let path = format!("{prefix}{}", member.key);
        into.insert(path.clone(), type_name(&member.r#type));
        if let Type::Object(below) = member.r#type {
            add_fields(below, &format!("{path}."), into);
        }
    }
}

fn type_name(r#type: &Type) -> Value {
    match r#type {
        Type::Bool => "bool".into(),
        Type::Integer => "integer".into(),
        Type::Float | Type::Decimal => "number".into(),
        Type::Seconds | Type::Difference => "seconds".into(),
        Type::Time => "time".into(),
        Type::Address => "address".into(),
        Type::Text | Type::Word([]) => "text".into(),
        Type::Word(words) => json!(words),
        Type::Json | Type::Map(_) => "members".into(),
        Type::Object(_) => "object".into(),
        Type::List(element) => match element {
            Type::Object(_) => "objects".into(),
            other => json!({ "list": type_name(other) }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_cannot_end_their_element() {
        let shown = |json: &str| Json(json.as_bytes()).render().into_string();
        assert_eq!(shown(r#"["</script><!--"]"#), r#"["\u003c/script>\u003c!--"]"#);
        assert_eq!([shown("<<"), shown("")], ["\\u003c\\u003c", ""]);
    }
}
