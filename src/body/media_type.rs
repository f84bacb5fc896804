//! A media type as `content-type` names it (RFC 9110 section 8.3).

/// Type, subtype and the parameters that say how to read the content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype` in lower case; empty where none was given.
    pub essence: String,
    /// The `charset` parameter.
    pub charset: Option<String>,
    /// The `boundary` parameter of a multipart type (RFC 2046 section 5.1.1).
    pub boundary: Option<String>,
}

impl MediaType {
    /// Reads a field value. What is malformed is left out.
    pub fn parse(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value);
        let (essence, mut rest) = text.split_once(';').unwrap_or((&text, ""));
        let mut read = Self { essence: essence.trim().to_ascii_lowercase(), ..Self::default() };
        while let Some((name, after)) = rest.split_once('=') {
            let (value, after) = parameter_value(after);
            match name.trim().trim_start_matches(';').trim().to_ascii_lowercase().as_str() {
                "charset" => read.charset = Some(value),
                "boundary" => read.boundary = Some(value),
                _ => {}
            }
            rest = after.split_once(';').map_or("", |(_, next)| next);
        }
        read
    }

    /// The subtype, without a structured syntax suffix.
    fn subtype(&self) -> &str {
        self.essence.split_once('/').map_or("", |(_, subtype)| subtype)
    }

    /// The content is one JSON text (RFC 8259, RFC 6839 section 3.1).
    pub fn is_json(&self) -> bool {
        matches!(self.subtype(), "json" | "x-json" | "manifest+json") || self.subtype().ends_with("+json")
    }

    /// A form as a browser sends it.
    pub fn is_form(&self) -> bool {
        self.essence == "application/x-www-form-urlencoded"
    }

    /// The extension that a file of this type is given.
    pub fn extension(&self) -> &'static str {
        match self.essence.as_str() {
            "text/html" | "application/xhtml+xml" => "html",
            "text/css" => "css",
            "text/csv" => "csv",
            "text/javascript" | "application/javascript" => "js",
            "application/x-ndjson" | "application/jsonl" | "application/json-lines" => "ndjson",
            "application/pdf" => "pdf",
            "application/zip" => "zip",
            "application/gzip" => "gz",
            "application/wasm" => "wasm",
            "image/png" => "png",
            "image/jpeg" => "jpg",
            "image/gif" => "gif",
            "image/webp" => "webp",
            "image/avif" => "avif",
            "image/svg+xml" => "svg",
            _ if self.is_json() => "json",
            _ if self.subtype() == "xml" || self.subtype().ends_with("+xml") => "xml",
            _ if self.essence.starts_with("text/") => "txt",
            _ => "bin",
        }
    }
}

/// A parameter's value, quoted or not, and what follows it.
fn parameter_value(text: &str) -> (String, &str) {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return (value.trim().to_owned(), rest);
    };
    let (mut value, mut escaped) = (String::new(), false);
    for (at, character) in quoted.char_indices() {
        match character {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, quoted.get(at + 1..).unwrap_or("")),
            _ => {
                value.push(character);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_quoted_or_not() {
        let read = MediaType::parse(b"Text/Plain; Charset=\"UTF-8\"; x=y");
        assert_eq!((read.essence.as_str(), read.charset.as_deref()), ("text/plain", Some("UTF-8")));
        let read = MediaType::parse(
            b"multipart/mixed; a=\"x;boundary=no\"; boundary=\"a\\\"b; c\";charset = latin1 ",
        );
        assert_eq!((read.boundary.as_deref(), read.charset.as_deref()), (Some("a\"b; c"), Some("latin1")));
        assert_eq!(MediaType::parse(b"").essence, "");
        assert_eq!(MediaType::parse(b"a/b; boundary=\"open").boundary.as_deref(), Some("open"));
    }

    #[test]
    fn json_is_known_by_its_suffix() {
        for json in ["application/json", "application/problem+json; x=1", "APPLICATION/JSON"] {
            assert!(MediaType::parse(json.as_bytes()).is_json(), "{json}");
        }
        assert!(!MediaType::parse(b"application/json-seq").is_json());
        assert_eq!(MediaType::parse(b"image/svg+xml").extension(), "svg");
        assert_eq!(MediaType::parse(b"application/vnd.api+json").extension(), "json");
    }
}
