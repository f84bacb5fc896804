//! Markup in which values cannot be markup.

use crate::export::sanitize::visible;
use std::fmt::Display;

/// A page as it is written.
#[derive(Debug, Default)]
pub(super) struct Markup {
    out: Vec<u8>,
}

impl Markup {
    /// Markup of ours, which is known when the program is built.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.out.extend_from_slice(markup.as_bytes());
        self
    }

    /// A value, in an element or in the quotes of an attribute. What could hide in it or turn its direction is shown as an
    /// escape.
    pub(super) fn text(&mut self, value: impl Display) -> &mut Self {
        for char in visible(&value.to_string()).chars() {
            match char {
                '&' => self.out.extend_from_slice(b"&amp;"),
                '<' => self.out.extend_from_slice(b"&lt;"),
                '>' => self.out.extend_from_slice(b"&gt;"),
                '"' => self.out.extend_from_slice(b"&quot;"),
                '\'' => self.out.extend_from_slice(b"&#39;"),
                _ => self.out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self
    }

    /// JSON, in an element for data: there `<` alone could end it, and that stands in strings only.
    pub(super) fn json(&mut self, json: &[u8]) -> &mut Self {
        let mut rest = json;
        while let Some(at) = memchr::memchr(b'<', rest) {
            let (before, after) = rest.split_at(at);
            self.out.extend_from_slice(before);
            self.out.extend_from_slice(b"\\u003c");
            rest = after.get(1..).unwrap_or_default();
        }
        self.out.extend_from_slice(rest);
        self
    }

    /// What was written since the last time.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.out)
    }

    /// Bytes that were written since then.
    pub(super) const fn len(&self) -> usize {
        self.out.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_markup() {
        let mut markup = Markup::default();
        markup.raw("<td title=\"").text("\" onclick='x").raw("\">").text("</td><script>&\u{202e}\x1b");
        assert_eq!(
            String::from_utf8(markup.take()).unwrap(),
            "<td title=\"&quot; onclick=&#39;x\">&lt;/td&gt;&lt;script&gt;&amp;\\u{202e}\\x1b"
        );
        markup.json(br#"["</script><!--"]"#);
        assert_eq!(String::from_utf8(markup.take()).unwrap(), r#"["\u003c/script>\u003c!--"]"#);
    }
}
