//! What a header block on a stream is: its header section, an interim response or its trailer section (RFC 9113
//! section 8.1). In an undamaged capture the order of the blocks tells; after losses only what is certain counts.

/// What a header block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// The header section of the request or of the final response.
    Headers,
    /// The same, or else an interim response: what follows tells.
    MaybeInterim,
    /// An interim response.
    Interim,
    /// The trailer section.
    Trailers,
    /// It cannot be told which.
    Unclear,
    /// A second header section: nothing that RFC 9113 knows.
    Extra,
}

/// What a block's fields tell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// A pseudo-header field of its side is among them.
    pub(super) pseudo: bool,
    /// The first field is a regular one. Pseudo-header fields come first (section 8.3), so it is a trailer section.
    pub(super) regular_first: bool,
    /// The value of `:status`, where that is known.
    pub(super) status: Option<u16>,
    /// It is known, and no status code.
    pub(super) malformed: bool,
    /// The block ends the stream for its side, as trailer sections do and interim responses do not.
    pub(super) end_stream: bool,
}

/// What is known of the side's part of the stream when the block comes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    /// A header section has come.
    pub(super) headers: bool,
    /// That may have been an interim response's.
    pub(super) maybe_interim: bool,
    /// DATA has come.
    pub(super) data: bool,
    /// Nothing of the side on this stream can have been missed: its first block is its header section.
    pub(super) nothing_missed: bool,
    /// The header section has certainly gone by, though it was not seen.
    pub(super) headers_missed: bool,
}

/// What a client's block is.
pub(super) fn of_request(shape: Shape, before: Before) -> Section {
    match (before.headers, shape.pseudo) {
        (true, true) => Section::Extra,
        (true, false) => Section::Trailers,
        (false, true) => Section::Headers,
        (false, false) => without_pseudo(shape, before, Section::Headers),
    }
}

/// What a server's block is.
pub(super) fn of_response(shape: Shape, before: Before) -> Section {
    let headers = before.headers && !before.maybe_interim;
    match shape.status {
        Some(100..=199) if !shape.end_stream => Section::Interim,
        _ if headers && shape.pseudo => Section::Extra,
        _ if headers => Section::Trailers,
        Some(_) => Section::Headers,
        None if shape.pseudo && (shape.end_stream || shape.malformed) => Section::Headers,
        None if shape.pseudo => Section::MaybeInterim,
        None if before.headers && shape.end_stream && !shape.regular_first => Section::Unclear,
        None => without_pseudo(shape, before, Section::MaybeInterim),
    }
}

/// A block of which no pseudo-header field is known, before a header section: `open` is what it is if more follows.
fn without_pseudo(shape: Shape, before: Before, open: Section) -> Section {
    if shape.regular_first || before.data || before.headers_missed {
        Section::Trailers
    } else if !shape.end_stream {
        open
    } else if before.nothing_missed {
        Section::Headers
    } else {
        Section::Unclear
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNKNOWN: Shape =
        Shape { pseudo: false, regular_first: false, status: None, malformed: false, end_stream: false };
    const UNKNOWN_END: Shape = Shape { end_stream: true, ..UNKNOWN };
    const REGULAR_END: Shape = Shape { regular_first: true, ..UNKNOWN_END };
    const NOTHING: Before = Before {
        headers: false,
        maybe_interim: false,
        data: false,
        nothing_missed: false,
        headers_missed: false,
    };
    const INTACT: Before = Before { nothing_missed: true, ..NOTHING };
    const HEADERS: Before = Before { headers: true, ..NOTHING };

    fn status(code: u16, end_stream: bool) -> Shape {
        Shape { pseudo: true, status: Some(code), end_stream, ..UNKNOWN }
    }

    #[test]
    fn whole_messages() {
        let request = Shape { pseudo: true, ..UNKNOWN };
        assert_eq!(of_request(request, INTACT), Section::Headers);
        assert_eq!(of_request(REGULAR_END, HEADERS), Section::Trailers);
        assert_eq!(of_request(request, HEADERS), Section::Extra);
        assert_eq!(of_response(status(103, false), INTACT), Section::Interim);
        assert_eq!(of_response(status(200, false), INTACT), Section::Headers);
        assert_eq!(of_response(REGULAR_END, HEADERS), Section::Trailers);
        assert_eq!(of_response(status(200, false), HEADERS), Section::Extra);
    }

    #[test]
    fn requests_whose_fields_are_unknown() {
        assert_eq!(of_request(UNKNOWN, NOTHING), Section::Headers);
        assert_eq!(of_request(UNKNOWN_END, NOTHING), Section::Unclear);
        assert_eq!(of_request(UNKNOWN_END, INTACT), Section::Headers);
        assert_eq!(of_request(UNKNOWN_END, Before { data: true, ..NOTHING }), Section::Trailers);
        assert_eq!(of_request(UNKNOWN_END, Before { headers_missed: true, ..NOTHING }), Section::Trailers);
        assert_eq!(of_request(REGULAR_END, NOTHING), Section::Trailers);
    }

    #[test]
    fn responses_whose_status_is_unknown() {
        let named = Shape { pseudo: true, ..UNKNOWN };
        let maybe = Before { maybe_interim: true, ..HEADERS };
        assert_eq!(of_response(UNKNOWN, INTACT), Section::MaybeInterim);
        assert_eq!(of_response(named, INTACT), Section::MaybeInterim);
        assert_eq!(of_response(UNKNOWN_END, INTACT), Section::Headers);
        assert_eq!(of_response(UNKNOWN_END, NOTHING), Section::Unclear);
        assert_eq!(of_response(status(200, false), maybe), Section::Headers);
        assert_eq!(of_response(UNKNOWN, maybe), Section::MaybeInterim);
        assert_eq!(of_response(UNKNOWN_END, maybe), Section::Unclear);
        assert_eq!(of_response(REGULAR_END, maybe), Section::Trailers);
    }
}
