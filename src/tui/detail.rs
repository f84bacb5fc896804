//! One exchange in full: fields, contents, where its time went.

use super::call::{Call, shown};
use crate::export::{Span, step_line};
use crate::record::{Content, Fields, Message, REDACTED, Step, StepKind, Steps, TimePart, is_secret};

/// Its lines, the bad ones marked.
pub(super) fn lines(call: &Call, show_secrets: bool) -> Vec<(String, bool)> {
    let mut lines = Lines { lines: Vec::new(), show_secrets };
    let (view, transaction) = (call.view(), &call.transaction);
    lines.add(call.what());
    let (connection, stream) = (call.connection.id, transaction.stream);
    let began = transaction.first.time.rfc3339();
    lines.add(format!("stream {connection}:{stream}, {}", String::from_utf8_lossy(&began)));
    let ends = [call.connection.client, call.connection.server].map(|end| end.to_string());
    lines.add(format!("{} → {}", ends[0], ends[1]));
    if let Some(failure) = view.failure() {
        lines.bad(format!("failed: {}", shown(failure.name().as_bytes())));
    }
    let (end, code) = (&transaction.end, transaction.end.code);
    let code = code.map(|code| format!(" {}", crate::record::value::ErrorCode(code).name()));
    lines.add(format!("ended by {}: {}{}", end.by.name(), end.how.name(), code.unwrap_or_default()));
    lines.time(call);
    if let Some(steps) = &transaction.steps {
        lines.steps(steps);
    }
    let contents = transaction.contents.as_deref();
    lines.side(
        "request",
        &transaction.request,
        contents.and_then(|contents| contents.request.as_ref()?.content.as_ref()),
    );
    for interim in &transaction.interim {
        lines.head(format!("interim response: {}", interim.status));
    }
    lines.side(
        "response",
        &transaction.response,
        contents.and_then(|contents| contents.response.as_ref()?.content.as_ref()),
    );
    let messages = contents.map_or(&[][..], |contents| &contents.messages);
    if !messages.is_empty() {
        lines.head(format!("messages: {}", messages.len()));
    }
    for message in messages {
        let arrow = if message.from_client { '→' } else { '←' };
        let at = Span(u64::try_from(message.at.since(transaction.first.time).as_nanos()).unwrap_or(u64::MAX));
        lines.text(&format!("{at}  {arrow}  {}", message.shown().or(message.error).unwrap_or_default()));
    }
    lines.lines
}

struct Lines {
    lines: Vec<(String, bool)>,
    show_secrets: bool,
}

impl Lines {
    fn add(&mut self, text: String) {
        self.lines.push((text, false));
    }

    fn bad(&mut self, text: String) {
        self.lines.push((text, true));
    }

    fn head(&mut self, text: String) {
        self.add(String::new());
        self.add(text);
    }

    /// Text from the wire, on lines of its own.
    fn text(&mut self, text: &str) {
        for line in text.lines() {
            self.add(format!("  {}", shown(line.as_bytes())));
        }
    }

    fn time(&mut self, call: &Call) {
        self.head(format!("took {}", Span(call.nanos())));
        let Some(time) = &call.transaction.time else { return };
        for part in TimePart::ALL {
            let nanos = time.parts.get(part);
            if nanos > 0 {
                self.add(format!("  {:<18} {:>10}", part.name(), Span(nanos).to_string()));
            }
        }
    }

    /// The frames, as `--follow` shows them.
    fn steps(&mut self, steps: &Steps) {
        self.head("frames: time, packet, size, what they carry".to_owned());
        steps.first().iter().for_each(|step| self.step(step));
        if steps.left_out() > 0 {
            self.add(format!("{:>10}  {} more", "…", steps.left_out()));
        }
        steps.last().for_each(|step| self.step(step));
    }

    fn step(&mut self, step: &Step) {
        let is_loss = matches!(step.what, StepKind::Loss { .. });
        self.lines.push((shown(step_line(step).as_bytes()), is_loss));
    }

    fn side(&mut self, name: &str, message: &Message, content: Option<&Content>) {
        self.head(if message.seen {
            format!("{name}, {} bytes", message.body)
        } else {
            format!("{name}: not seen")
        });
        self.fields(&message.headers);
        match content {
            Some(Content::Text(text)) => self.text(text),
            Some(Content::Bytes(bytes)) => self.add(format!("  ({} bytes that are no text)", bytes.len())),
            None => (),
        }
        if !message.trailers.is_empty() {
            self.add("trailers".to_owned());
            self.fields(&message.trailers);
        }
    }

    fn fields(&mut self, fields: &Fields) {
        for field in fields.iter() {
            let name = field.name.map_or_else(|| "(unknown)".to_owned(), shown);
            let value = match field.value {
                Some(_) if !self.show_secrets && is_secret(field.name) => REDACTED.to_owned(),
                Some(value) => shown(value),
                None => "(unknown)".to_owned(),
            };
            self.add(format!("  {name}: {value}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::EXCHANGE_STEPS;
    use crate::base::time::Moment;
    use crate::record::samples::{everything, tls_meta};

    #[test]
    fn frames_are_those_of_follow() {
        let mut transaction = everything();
        let mut steps = Steps::default();
        for packet in 0..100 {
            let first = Moment { packet, ..Moment::default() };
            let what = StepKind::Loss { bytes: Some(70), cause: "tcp_gap" };
            steps.push(Step { first, what, ..Step::default() });
        }
        transaction.steps = Some(Box::new(steps));
        let lines = lines(&Call { connection: tls_meta(), transaction }, false);
        let told: Vec<_> =
            lines.iter().filter(|(line, bad)| *bad && line.contains("70 B of content")).collect();
        assert_eq!(told.len(), EXCHANGE_STEPS);
        let more = format!("…  {} more", 100 - EXCHANGE_STEPS);
        assert!(lines.iter().any(|(line, _)| line.trim() == more), "{lines:?}");
    }

    #[test]
    fn secrets_are_hidden_and_nothing_acts_on_a_terminal() {
        let call = Call { connection: tls_meta(), transaction: everything() };
        let text = |secrets| {
            let lines = lines(&call, secrets);
            lines.into_iter().map(|(line, _)| line).collect::<Vec<_>>().join("\n")
        };
        let (hidden, told) = (text(false), text(true));
        assert!(hidden.contains(REDACTED) && !hidden.contains("id=secret"), "{hidden}");
        assert!(told.contains("id=secret"), "{told}");
        assert!(!told.chars().any(|char| char.is_control() && char != '\n'));
    }
}
