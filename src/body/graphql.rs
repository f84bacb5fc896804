//! GraphQL over HTTP: which operation is called.

use super::form;
use super::json::{Checker, Token, Tokens, unescape};

/// An operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// Its name, where it has one.
    pub name: Option<String>,
    /// `query`, `mutation` or `subscription`, where the document is there.
    pub kind: Option<&'static str>,
}

impl Operation {
    /// From a JSON body: `query`, `operationName`, or a persisted query. A batch of several names none.
    pub fn from_json(text: &str) -> Option<Self> {
        let (mut query, mut name, mut persisted) = (None, None, false);
        let mut checker = Checker::default();
        let mut member = String::new();
        for token in Tokens::new(text) {
            let named = checker.depth() == 1 && checker.at_name();
            let depth = checker.depth();
            checker.next(token)?;
            match token {
                Token::String(token) if named => member = unescape(token),
                Token::String(token) if depth == 1 && member == "query" => query = Some(unescape(token)),
                Token::String(token) if depth == 1 && member == "operationName" => {
                    name = Some(unescape(token));
                }
                Token::String("\"persistedQuery\"") if depth == 2 && member == "extensions" => {
                    persisted = true;
                }
                Token::Mark(b'[') if depth == 0 => return None,
                _ => {}
            }
        }
        Self::of(query.as_deref(), name, persisted)
    }

    /// From a query string.
    pub fn from_query(text: &str) -> Option<Self> {
        let (mut query, mut name, mut persisted) = (None, None, false);
        for (key, value) in form::pairs(text) {
            match key.as_str() {
                "query" => query = Some(value),
                "operationName" => name = Some(value),
                "extensions" => persisted = value.contains("\"persistedQuery\""),
                _ => {}
            }
        }
        Self::of(query.as_deref(), name, persisted)
    }

    /// From a document alone (`application/graphql`).
    pub fn from_document(text: &str) -> Option<Self> {
        Self::of(Some(text), None, false)
    }

    fn of(query: Option<&str>, name: Option<String>, persisted: bool) -> Option<Self> {
        let name = name.filter(|name| !name.is_empty());
        let Some(query) = query else { return persisted.then_some(Self { name, kind: None }) };
        let operations = operations(query)?;
        let called = match &name {
            Some(_) => operations.iter().find(|operation| operation.name == name),
            // Without a name there must be only one.
            None if operations.len() == 1 => operations.first(),
            None => None,
        };
        Some(called.cloned().unwrap_or(Self { name, kind: None }))
    }
}

/// The operations of a document (GraphQL section 2.3); `None` where it is none.
fn operations(document: &str) -> Option<Vec<Operation>> {
    let mut found: Vec<Operation> = Vec::new();
    let mut depth = 0_usize;
    let mut rest = document;
    // The definition that is being read, until its selection begins.
    let mut definition: Option<Operation> = None;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '#' => length = rest.find('\n').unwrap_or(rest.len()),
            '"' => length = string_length(rest),
            '{' => {
                if depth == 0 {
                    found.push(definition.take().unwrap_or(Operation { name: None, kind: Some("query") }));
                }
                depth += 1;
            }
            '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.checked_sub(1)?,
            character if character.is_ascii_alphabetic() || character == '_' => {
                length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                if depth == 0 {
                    read_word(rest.get(..length)?, &mut definition)?;
                }
            }
            _ => {}
        }
        rest = rest.get(length..)?;
    }
    // Fragments are among them, with a name that no operation has.
    found.retain(|operation| operation.kind.is_some());
    (!found.is_empty()).then_some(found)
}

fn read_word(word: &str, definition: &mut Option<Operation>) -> Option<()> {
    match definition {
        None => {
            let kind = match word {
                "query" => Some("query"),
                "mutation" => Some("mutation"),
                "subscription" => Some("subscription"),
                "fragment" => None,
                _ => return None,
            };
            *definition = Some(Operation { name: None, kind });
        }
        Some(operation) if operation.name.is_none() => operation.name = Some(word.to_owned()),
        Some(_) => {}
    }
    Some(())
}

fn string_length(text: &str) -> usize {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        return block.find("\"\"\"").map_or(text.len(), |end| end + 6);
    }
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at + 1,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<(Option<String>, Option<&'static str>)> {
        Operation::from_json(text).map(|operation| (operation.name, operation.kind))
    }

    #[test]
    fn operations_are_named() {
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(
            read(r#"{"query": "query GetJigsaw($id: ID!) {\n jigsaw(id: $id) { name } }"}"#),
            Some((name("GetJigsaw"), Some("query")))
        );
        assert_eq!(read(r#"{"query": "mutation { drop }"}"#), Some((None, Some("mutation"))));
        assert_eq!(
            read(r#"{"query": "{ a }", "variables": {"query": "mutation { x }"}}"#),
            Some((None, Some("query")))
        );
        assert_eq!(
            read(
                r#"{"operationName": "B", "query": "query A { a } subscription B @x(y: \"}\") { b } fragment F on T { f }"}"#
            ),
            Some((name("B"), Some("subscription")))
        );
        assert_eq!(
            read(r#"{"operationName":"P","extensions":{"persistedQuery":{"version":1}}}"#),
            Some((name("P"), None))
        );
        assert_eq!(read(r#"{"query": "query A { a } query B { b }"}"#), Some((None, None)));
    }

    #[test]
    fn what_is_no_operation_is_none() {
        for other in [
            r#"[{"query": "{a}"}]"#,
            r#"{"query": "shoes"}"#,
            r#"{"a": 1}"#,
            "x",
            r#"{"query": 1}"#,
            r#"{"query":"}{"}"#,
        ] {
            assert_eq!(read(other), None, "{other}");
        }
        let get = Operation::from_query("query=%7Bjigsaw%7D&x=1");
        assert_eq!(get, Some(Operation { name: None, kind: Some("query") }));
        assert_eq!(
            Operation::from_document("# { \n query Q { a(b: \"\"\"}\"\"\") }")
                .and_then(|o| o.name)
                .as_deref(),
            Some("Q")
        );
    }

    proptest! {
        #[test]
        fn any_document_is_survived(document in "(query|mutation|[{}()\"#\\\\ \n]|é|fragment){0,40}") {
            drop(Operation::from_document(&document));
        }
    }
}
