//! Server-sent events (HTML section 9.2, `text/event-stream`).

/// An event, as it would be dispatched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The lines of `data`, joined.
    pub data: String,
    /// `event`: its type.
    pub kind: Option<String>,
    /// `id`.
    pub id: Option<String>,
    /// `retry`, milliseconds.
    pub retry: Option<u64>,
    /// Some of it is longer than what is kept.
    pub truncated: bool,
}

/// Finds the events in a body.
#[derive(Debug, Default)]
pub struct Events {
    limit: usize,
    line: Vec<u8>,
    event: Event,
    has_data: bool,
    /// The last octet was a CR, whose LF may follow.
    after_cr: bool,
    begun: bool,
    /// Something was lost, and no blank line has come since.
    astray: bool,
    long: bool,
}

impl Events {
    /// Events of up to `limit` bytes are kept whole.
    pub fn new(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The next bytes of the body.
    pub fn push(&mut self, mut bytes: &[u8], sink: &mut dyn FnMut(Event)) {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        while let Some(at) = memchr::memchr2(b'\r', b'\n', bytes) {
            let (line, rest) = bytes.split_at(at);
            self.extend(line);
            bytes = match rest {
                [b'\r', b'\n', rest @ ..] | [b'\n', rest @ ..] => rest,
                [b'\r', rest @ ..] => {
                    self.after_cr = rest.is_empty();
                    rest
                }
                _ => rest,
            };
            self.end_line(sink);
        }
        self.extend(bytes);
    }

    fn extend(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.line.len());
        self.line.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.long |= bytes.len() > room;
    }

    fn end_line(&mut self, sink: &mut dyn FnMut(Event)) {
        let line = std::mem::take(&mut self.line);
        let mut text = String::from_utf8_lossy(&line);
        if !std::mem::replace(&mut self.begun, true)
            && let Some(rest) = text.strip_prefix('\u{feff}')
        {
            text = rest.to_owned().into();
        }
        let long = std::mem::take(&mut self.long);
        if text.is_empty() && !long {
            let event = std::mem::take(&mut self.event);
            let has_data = std::mem::take(&mut self.has_data);
            if !std::mem::take(&mut self.astray) && has_data {
                sink(event);
            }
        } else if !self.astray {
            self.event.truncated |= long;
            self.field(&text);
        }
        self.line = line;
        self.line.clear();
    }

    fn field(&mut self, line: &str) {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                let separator = if self.has_data { "\n" } else { "" };
                self.has_data = true;
                if self.event.data.len() + separator.len() + value.len() > self.limit {
                    self.event.truncated = true;
                } else if !self.event.truncated || self.event.data.is_empty() {
                    self.event.data.push_str(separator);
                    self.event.data.push_str(value);
                }
            }
            "event" => self.event.kind = (!value.is_empty()).then(|| value.to_owned()),
            "id" if !value.contains('\0') => self.event.id = Some(value.to_owned()),
            "retry" if !value.is_empty() && value.bytes().all(|octet| octet.is_ascii_digit()) => {
                self.event.retry = value.parse().ok();
            }
            _ => {}
        }
    }

    /// Bytes that are not in the capture. What stands before the next blank line is not told.
    pub fn gap(&mut self) {
        (self.line, self.event, self.has_data) = (Vec::new(), Event::default(), false);
        (self.astray, self.after_cr, self.begun) = (true, false, true);
        // The rest of a line may look like a whole one, or like a blank one.
        self.long = true;
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        let event = &self.event;
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::capacity);
        self.line.capacity() + event.data.capacity() + optional(&event.kind) + optional(&event.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn events(body: &[u8], piece: usize) -> Vec<Event> {
        let (mut events, mut found) = (Events::new(1000), Vec::new());
        body.chunks(piece.max(1)).for_each(|piece| events.push(piece, &mut |event| found.push(event)));
        found
    }

    fn data(text: &str) -> Event {
        Event { data: text.to_owned(), ..Event::default() }
    }

    #[test]
    fn events_are_found_in_any_line_ending() {
        let body = "\u{feff}: hello\nid: 1\nevent: add\ndata: a\ndata:b\n\ndata\n\nretry: 30\ndata: c\n\nid: 9\ndata: never";
        let first =
            Event { data: "a\nb".into(), kind: Some("add".into()), id: Some("1".into()), ..Event::default() };
        let third = Event { retry: Some(30), ..data("c") };
        for ending in ["\n", "\r", "\r\n"] {
            let body = body.replace('\n', ending);
            for piece in [1, 2, 3, 5, body.len()] {
                let found = events(body.as_bytes(), piece);
                assert_eq!(found, [first.clone(), data(""), third.clone()], "{ending:?}, {piece}");
            }
        }
    }

    #[test]
    fn nothing_behind_a_hole_joins_what_is_before_it() {
        let (mut events, mut found) = (Events::new(1000), Vec::new());
        events.push(b"data: a\n\ndata: b", &mut |event| found.push(event));
        events.gap();
        events.push(b"\ndata: half\n\ndata: c\n\n", &mut |event| found.push(event));
        assert_eq!(found, [data("a"), data("c")]);
    }

    #[test]
    fn a_long_event_is_cut_and_says_so() {
        let (mut events, mut found) = (Events::new(10), Vec::new());
        for _ in 0..100 {
            events.push(b"data: 0123456789abcdef", &mut |event| found.push(event));
            assert!(events.memory() <= 64);
        }
        events.push(b"\n\ndata: x\n\n", &mut |event| found.push(event));
        assert!(
            matches!(found.as_slice(), [long, short] if long.truncated && *short == data("x")),
            "{found:?}"
        );
    }

    proptest! {
        #[test]
        fn a_body_cut_anywhere_gives_a_prefix(
            body in "(data|id|event|: c|retry)?(: ?[a-z0-9]{0,4})?(\n|\r|\r\n|\n\n|x){0,3}(data: [a-z]{1,3}(\n|\r\n|\r){1,2}){0,6}",
            cut in 0.0_f64..1.0,
            piece in 1_usize..9,
        ) {
            let whole = events(body.as_bytes(), body.len());
            prop_assert_eq!(&events(body.as_bytes(), piece), &whole);
            let cut = (body.len() as f64 * cut) as usize;
            prop_assert!(whole.starts_with(&events(&body.as_bytes()[..cut], piece)));
        }
    }
}
