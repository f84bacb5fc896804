//! Is it text? Contents as UTF-8, by their charset.

use super::media_type::MediaType;
use encoding_rs::{DecoderResult, Encoding};

/// The text that the bytes are in the charset of their media type, or in UTF-8 where it names none; `None` where they
/// are none. Of a `cut` beginning, a last character that is not whole is left out.
pub fn text(bytes: &[u8], media_type: &MediaType, cut: bool) -> Option<String> {
    let named = media_type.charset.as_deref().and_then(|name| Encoding::for_label(name.as_bytes()));
    if let Some(encoding) = named.filter(|encoding| *encoding != encoding_rs::UTF_8) {
        return decode(bytes, encoding, cut);
    }
    if let Some(text) = utf8(bytes, cut) {
        // Binary formats that happen to be ASCII have NULs; texts hardly ever do.
        let textual = named.is_some() || !text.contains('\0');
        return textual.then(|| text.to_owned());
    }
    // A byte order mark tells what no parameter does. That of UTF-32, which is not read, begins with that of UTF-16.
    if bytes.starts_with(b"\xff\xfe\0\0") {
        return None;
    }
    let (encoding, _) = Encoding::for_bom(bytes)?;
    decode(bytes, encoding, cut)
}

fn utf8(bytes: &[u8], cut: bool) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

fn decode(bytes: &[u8], encoding: &'static Encoding, cut: bool) -> Option<String> {
    let mut decoder = encoding.new_decoder();
    let mut text = String::new();
    text.try_reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?).ok()?;
    let (result, _) = decoder.decode_to_string_without_replacement(bytes, &mut text, !cut);
    matches!(result, DecoderResult::InputEmpty).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], content_type: &str) -> Option<String> {
        text(bytes, &MediaType::parse(content_type.as_bytes()), false)
    }

    #[test]
    fn charsets_are_respected() {
        assert_eq!(read(b"caf\xe9", "text/plain; charset=ISO-8859-1").as_deref(), Some("café"));
        assert_eq!(read(b"\x80 5", "text/html;charset=windows-1252").as_deref(), Some("€ 5"));
        assert_eq!(read(b"\xfe\xff\0a\0b", "text/plain; charset=utf-16").as_deref(), Some("ab"));
        assert_eq!(read(b"a\0b\0", "text/plain; charset=UTF-16LE").as_deref(), Some("ab"));
        assert_eq!(read(b"\xff\xfea\0", "text/plain").as_deref(), Some("a"));
        assert_eq!(read(b"\x93\xfa", "text/plain; charset=Shift_JIS").as_deref(), Some("日"));
        assert_eq!(read("ü".as_bytes(), "text/plain; charset=x-unheard").as_deref(), Some("ü"));
        assert_eq!(read("ü".as_bytes(), "").as_deref(), Some("ü"));
    }

    #[test]
    fn what_is_no_text_is_none() {
        assert_eq!(read(b"caf\xe9", "text/plain; charset=utf-8"), None);
        assert_eq!(read(b"\x89PNG\r\n", "image/png"), None);
        assert_eq!(read(b"a\0b", "application/octet-stream"), None);
        assert_eq!(read(b"a\0", "text/plain; charset=utf-16be"), Some("愀".to_owned()));
        assert_eq!(read(b"\xff\xfe\0\0a\0\0\0", "text/plain; charset=utf-32"), None);
    }

    #[test]
    fn a_cut_beginning_ends_with_a_whole_character() {
        let cut = |bytes: &[u8], kind: &str| text(bytes, &MediaType::parse(kind.as_bytes()), true);
        assert_eq!(cut(&"aü".as_bytes()[..2], "text/plain").as_deref(), Some("a"));
        assert_eq!(cut(b"a\0b", "text/plain; charset=utf-16le").as_deref(), Some("a"));
        assert_eq!(cut(b"a\xffb", "text/plain"), None);
    }
}
