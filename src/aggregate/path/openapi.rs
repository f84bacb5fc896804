//! The paths of an OpenAPI document: YAML or JSON, which is YAML too.

use super::pattern::{PatternError, Patterns};
use saphyr_parser::{Event, Parser};
use thiserror::Error;

/// Containers in one another; no OpenAPI document has so many.
const DEPTH: usize = 256;

/// A document without paths that can be read.
#[derive(Debug, Error)]
pub enum OpenApiError {
    /// Neither YAML nor JSON.
    #[error("neither YAML nor JSON: {0}")]
    Syntax(String),
    /// No mapping `paths` at the top.
    #[error("no OpenAPI document: it has no 'paths'")]
    NoPaths,
    /// A path that is none.
    #[error(transparent)]
    Path(#[from] PatternError),
}

/// A mapping or sequence that is open.
struct Container {
    /// Of a mapping: the key whose value comes next.
    key: Option<String>,
    is_mapping: bool,
    /// It is itself a key.
    is_key: bool,
}

/// What is read of a document.
#[derive(Default)]
struct Reader {
    open: Vec<Container>,
    paths: Option<Vec<String>>,
    /// What the servers' addresses, or `basePath`, put before the paths.
    bases: Vec<String>,
}

impl Patterns {
    /// Adds the paths of an OpenAPI document, in YAML or JSON, with and without what its servers put before them.
    /// Returns how many there are.
    pub fn add_openapi(&mut self, document: &str) -> Result<usize, OpenApiError> {
        let patterns = paths(document)?;
        self.add(patterns.iter().map(String::as_str))?;
        Ok(patterns.len())
    }
}

/// The paths, each as it stands and behind the path of each of the document's servers.
fn paths(document: &str) -> Result<Vec<String>, OpenApiError> {
    let mut reader = Reader::default();
    for event in Parser::new_from_str(document.trim_start_matches('\u{feff}')) {
        let (event, _) = event.map_err(|error| OpenApiError::Syntax(error.to_string()))?;
        match event {
            Event::Scalar(text, ..) => reader.scalar(&text),
            Event::Alias(_) => reader.scalar(""),
            Event::MappingStart(..) => reader.begin(true)?,
            Event::SequenceStart(..) => reader.begin(false)?,
            Event::MappingEnd | Event::SequenceEnd => reader.end(),
            _ => {}
        }
    }
    let paths = reader.paths.ok_or(OpenApiError::NoPaths)?;
    let mut all = paths.clone();
    for base in reader.bases {
        all.extend(paths.iter().map(|path| format!("{base}{path}")));
    }
    Ok(all)
}

impl Reader {
    fn scalar(&mut self, text: &str) {
        let place: Vec<_> = self.open.iter().map(|open| open.key.as_deref()).collect();
        match place.as_slice() {
            [Some("paths"), None] if text.starts_with('/') => {
                self.paths.get_or_insert_default().push(text.to_owned());
            }
            [Some("basePath")] | [Some("servers"), None, Some("url")] => self.bases.extend(base(text)),
            _ => {}
        }
        match self.open.last_mut() {
            Some(Container { is_mapping: true, key: key @ None, .. }) => *key = Some(text.to_owned()),
            Some(open) => open.key = None,
            None => {}
        }
    }

    fn begin(&mut self, is_mapping: bool) -> Result<(), OpenApiError> {
        if let [Container { key: Some(key), .. }] = self.open.as_slice()
            && key == "paths"
            && is_mapping
        {
            self.paths.get_or_insert_default();
        }
        let is_key = self.open.last().is_some_and(|open| open.is_mapping && open.key.is_none());
        self.open.push(Container { key: None, is_mapping, is_key });
        if self.open.len() > DEPTH {
            return Err(OpenApiError::Syntax("too deep".to_owned()));
        }
        Ok(())
    }

    fn end(&mut self) {
        let Some(closed) = self.open.pop() else { return };
        if let Some(open) = self.open.last_mut() {
            open.key = closed.is_key.then(String::new);
        }
    }
}

/// The path of a server's address, without the slash at its end; `None` where that is all.
fn base(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..))?,
        None => url,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    path.starts_with('/').then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_yaml() {
        let document = "openapi: 3.1.0\ninfo: {title: x, paths: {/no: 1}}\nservers:\n  - url: https://a.example/v1/\n  - url: /\n\
            paths:\n  /users/{id}:\n    get:\n      responses: {'200': {description: ok}}\n  '/files/{name}.json': &a\n    get: {}\n  /other: *a\n\
            components:\n  paths: {}\n";
        let expected = ["/users/{id}", "/files/{name}.json", "/other"];
        let with_base = expected.map(|path| format!("/v1{path}"));
        assert_eq!(paths(document).unwrap(), [expected.map(String::from), with_base].concat());
    }

    #[test]
    fn paths_of_json() {
        for space in [" ", "\n\t", "\r\n    "] {
            let document = r#"{"swagger":"2.0","basePath":"/api","paths":{"/pets/{petId}":{"get":{"x":[1,{"a":null}]}},"\/a\u002fb":{}},"x":{"/no":{}}}"#
                .replace(',', &format!(",{space}"))
                .replace(":{", &format!(":{space}{{"));
            let expected = ["/pets/{petId}", "/a/b", "/api/pets/{petId}", "/api/a/b"];
            assert_eq!(paths(&document).unwrap(), expected, "{space:?}");
        }
    }

    #[test]
    fn what_is_no_such_document_is_refused() {
        assert!(matches!(paths(""), Err(OpenApiError::NoPaths)));
        assert!(matches!(paths("a: 1"), Err(OpenApiError::NoPaths)));
        assert!(matches!(paths("[paths]"), Err(OpenApiError::NoPaths)));
        assert!(matches!(paths("{\"paths\": {"), Err(OpenApiError::Syntax(_))));
        assert!(paths(&"[".repeat(100_000)).is_err());
        assert!(paths("paths: {}").unwrap().is_empty());
    }
}
