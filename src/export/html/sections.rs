//! The parts of the page: the first screen, then a section each.

use super::page::Page;
use crate::base::time::Timestamp;
use crate::export::table::{Size, Span};
use crate::record::endpoint::{Endpoint, Quantiles};
use crate::record::schema::telemetry::CoverageObject;
use crate::record::visit::{Member, Object};
use serde_json::Value;

/// Rows of the slowest calls.
const SLOWEST: usize = 20;
/// Endpoints, and causes of failures, of the first screen.
const FIRST: usize = 3;

impl Page<'_> {
    /// All that needs no script.
    pub(super) fn sections(&mut self) {
        self.markup.raw("<a class=\"skip\" href=\"#calls\">Skip to all calls</a>\n");
        self.first_screen();
        self.navigation();
        self.markup.raw("<main>\n");
        self.endpoints();
        self.failures();
        self.slowest();
        self.connections();
        self.findings();
        self.coverage();
        self.calls();
        self.markup
            .raw("</main>\n<aside id=\"detail\" data-h2lens=\"detail\" aria-label=\"One call\" tabindex=\"-1\" hidden></aside>\n")
            .raw("<div id=\"tip\" role=\"status\" hidden></div>\n")
            .raw("<footer>Made by h2lens ")
            .raw(env!("CARGO_PKG_VERSION"))
            .raw(" from a packet capture. All times are packet times, in UTC. The page asks for nothing from anywhere.</footer>\n");
    }

    fn first_screen(&mut self) {
        let names = self.inputs.join(", ");
        self.markup.raw("<header>\n<h1>HTTP/2 report</h1>\n<p class=\"what\">");
        if !names.is_empty() {
            self.markup.raw("<b>").text(names).raw("</b> · ");
        }
        match self.period.0 {
            Some((start, end)) => {
                let time = |nanos| text_of(&Timestamp::from_nanos(nanos).rfc3339()[..19]).replace('T', " ");
                self.markup
                    .text(time(start))
                    .raw(" UTC to ")
                    .text(time(end))
                    .raw(" UTC, ")
                    .text(Span(end.saturating_sub(start)));
            }
            None => {
                self.markup.raw("no calls");
            }
        }
        self.markup.raw("</p>\n<dl class=\"cards\">\n");
        let (seen, failed) = (self.seen, self.causes.calls());
        let duration = self.endpoints.total.duration;
        self.card("Calls", &grouped(seen), "", &self.shown_of());
        let share = if failed > 0 { share(failed, seen) } else { String::new() };
        self.card("Failed", &grouped(failed), if failed > 0 { "bad" } else { "good" }, &share);
        let [p50, p99] = match duration.quantiles {
            Some([p50, .., p99]) => [p50, p99].map(|nanos| Span(nanos).to_string()),
            None => [String::from("–"), String::from("–")],
        };
        self.card("Median", &p50, "", "half of the calls took no longer");
        self.card("99th percentile", &p99, "", &bounds(&duration));
        self.markup.raw("</dl>\n");
        self.completeness();
        self.markup.raw("<div class=\"two\">\n");
        self.worst();
        self.why();
        self.markup.raw("</div>\n</header>\n");
    }

    /// Where not all calls are held: how many are.
    fn shown_of(&self) -> String {
        let held = self.calls.len() as u64;
        if held == self.seen {
            String::new()
        } else {
            format!("{} of them are in this report", grouped(held))
        }
    }

    fn card(&mut self, name: &'static str, value: &str, class: &'static str, note: &str) {
        self.markup
            .raw("<div class=\"card ")
            .raw(class)
            .raw("\"><dt>")
            .raw(name)
            .raw("</dt><dd>")
            .text(value)
            .raw("</dd>");
        if !note.is_empty() {
            self.markup.raw("<dd class=\"note\">").text(note).raw("</dd>");
        }
        self.markup.raw("</div>\n");
    }

    fn completeness(&mut self) {
        let incomplete = self.report.coverage.transactions_incomplete;
        if self.report.coverage.complete {
            self.markup.raw("<p class=\"complete\">The capture is complete: nothing of an HTTP/2 connection is known to be missing.</p>\n");
            return;
        }
        self.markup.raw("<p class=\"incomplete\">The capture is not complete");
        let lost = [
            (incomplete, " calls are incomplete"),
            (self.report.coverage.gap_bytes, " bytes of HTTP/2 are missing"),
            (self.report.coverage.connections_tls_undecrypted, " TLS connections were not decrypted"),
            (self.report.coverage.connections_one_sided, " connections were seen from one side only"),
            (self.report.coverage.dropped_by_kernel, " packets were dropped"),
        ];
        let mut sign = ": ";
        for (count, what) in lost.into_iter().filter(|(count, _)| *count > 0) {
            self.markup.raw(sign).text(grouped(count)).raw(what);
            sign = ", ";
        }
        self.markup.raw(". <a href=\"#coverage\">Coverage</a> has all of it.</p>\n");
    }

    /// The endpoints that are slowest.
    fn worst(&mut self) {
        self.markup.raw("<section><h2>Slowest endpoints</h2>\n");
        let slowest = self.endpoints.slowest(FIRST);
        if slowest.is_empty() {
            self.markup.raw("<p>None.</p>");
        }
        self.markup.raw("<ol>\n");
        for endpoint in slowest {
            let p99 = endpoint.duration.quantiles.map_or(0, |[.., p99]| p99);
            self.markup
                .raw("<li><span class=\"name\">")
                .text(name_of(endpoint))
                .raw("</span> <b>")
                .text(Span(p99));
            self.markup
                .raw("</b> <span class=\"note\">99th percentile of ")
                .text(grouped(endpoint.calls))
                .raw(if endpoint.calls == 1 { " call" } else { " calls" });
            self.markup.raw("</span></li>\n");
        }
        self.markup.raw("</ol></section>\n");
    }

    /// The causes of most failures.
    fn why(&mut self) {
        self.markup.raw("<section><h2>Why calls failed</h2>\n");
        let causes = self.causes.sorted();
        if causes.is_empty() {
            self.markup.raw("<p>None failed.</p>");
        }
        self.markup.raw("<ol>\n");
        for (name, cause) in causes.iter().take(FIRST + 2) {
            self.markup
                .raw("<li><span class=\"name\">")
                .text(name)
                .raw("</span> <b>")
                .text(grouped(cause.calls));
            self.markup
                .raw("</b> <span class=\"note\">")
                .text(share(cause.calls, self.seen))
                .raw("</span></li>\n");
        }
        self.markup.raw("</ol></section>\n");
    }

    fn navigation(&mut self) {
        self.markup.raw("<nav aria-label=\"Parts of the report\">");
        for (link, name) in [
            ("#endpoints", "Endpoints"),
            ("#failures", "Failures"),
            ("#slowest", "Slowest"),
            ("#connections", "Connections"),
            ("#findings", "Findings"),
            ("#coverage", "Coverage"),
            ("#calls", "All calls"),
        ] {
            self.markup.raw("<a href=\"").raw(link).raw("\">").raw(name).raw("</a>");
        }
        self.markup.raw("</nav>\n");
    }

    /// A section's heading and the beginning of its table. A heading that begins with `#` is of numbers.
    fn table(&mut self, id: &'static str, title: &'static str, note: &str, headings: &[&'static str]) {
        self.markup.raw("<section id=\"").raw(id).raw("\">\n<h2>").raw(title).raw("</h2>\n");
        if !note.is_empty() {
            self.markup.raw("<p class=\"note\">").text(note).raw("</p>\n");
        }
        self.markup
            .raw("<div class=\"wide\"><table data-h2lens=\"")
            .raw(id)
            .raw("\" aria-label=\"")
            .raw(title);
        self.markup.raw("\">\n<thead><tr>");
        for heading in headings {
            let (number, name) = heading.strip_prefix('#').map_or((false, *heading), |name| (true, name));
            self.markup.raw(if number {
                "<th scope=\"col\" class=\"number\">"
            } else {
                "<th scope=\"col\">"
            });
            self.markup.raw(name).raw("</th>");
        }
        self.markup.raw("</tr></thead>\n<tbody>\n");
    }

    fn table_end(&mut self, rows: usize, none: &'static str) {
        self.markup.raw("</tbody></table></div>\n");
        if rows == 0 {
            self.markup.raw("<p>").raw(none).raw("</p>\n");
        }
        self.markup.raw("</section>\n");
    }

    /// A cell of text; what it is sorted by can be no number.
    fn cell(&mut self, text: &str) {
        self.markup.raw("<td data-value=\"=").text(text).raw("\">").text(text).raw("</td>");
    }

    /// A cell of a number, which is shown in another way than it is sorted by.
    fn number(&mut self, value: impl std::fmt::Display, shown: impl std::fmt::Display) {
        self.markup.raw("<td class=\"number\" data-value=\"").text(value).raw("\">").text(shown).raw("</td>");
    }

    fn count(&mut self, count: u64) {
        self.number(count, grouped(count));
    }

    fn span(&mut self, nanos: Option<u64>) {
        match nanos {
            Some(nanos) => self.number(nanos, Span(nanos)),
            None => self.number(0, "–"),
        }
    }

    fn endpoints(&mut self) {
        let headings = [
            "Method",
            "Endpoint",
            "Service",
            "#Calls",
            "#Failed",
            "#Median",
            "#95th",
            "#99th",
            "#Longest",
            "#Received",
        ];
        self.table("endpoints", "Endpoints", "Quantiles are exact to 1 %.", &headings);
        let endpoints = self.endpoints;
        for endpoint in &endpoints.rows {
            let Quantiles { quantiles, max, .. } = endpoint.duration;
            let [p50, _, p95, p99] = quantiles.map_or([None; 4], |all| all.map(Some));
            self.markup.raw("<tr>");
            self.cell(endpoint.method.as_deref().unwrap_or("–"));
            self.cell(&path_of(endpoint));
            self.cell(&service_of(endpoint));
            self.count(endpoint.calls);
            self.count(endpoint.failed);
            for nanos in [p50, p95, p99, max] {
                self.span(nanos);
            }
            self.number(endpoint.response_bytes, Size(endpoint.response_bytes));
            self.markup.raw("</tr>\n");
        }
        self.table_end(endpoints.rows.len(), "There are none.");
    }

    fn failures(&mut self) {
        let headings = ["Cause", "#Calls", "#Share", "Try again?", "First of them"];
        self.table("failures", "Failures by cause", "", &headings);
        let (causes, seen) = (self.causes, self.seen);
        let sorted = causes.sorted();
        for (name, cause) in &sorted {
            self.markup.raw("<tr>");
            self.cell(name);
            self.count(cause.calls);
            self.number(cause.calls, share(cause.calls, seen));
            self.cell(&advice(cause.calls, cause.safe));
            self.link(&record(&cause.first));
            self.markup.raw("</tr>\n");
        }
        if causes.others > 0 {
            self.markup.raw("<tr>");
            self.cell("other causes");
            self.count(causes.others);
            self.number(causes.others, share(causes.others, seen));
            self.markup.raw("<td></td><td></td></tr>\n");
        }
        self.table_end(sorted.len(), "No call failed.");
    }

    /// A cell that leads to a call.
    fn link(&mut self, call: &Value) {
        self.markup
            .raw("<td data-call=\"")
            .text(place_of(call))
            .raw("\">")
            .text(request_of(call))
            .raw("</td>");
    }

    fn slowest(&mut self) {
        let headings = ["Call", "Status", "#Duration", "#First byte after", "#Connection", "#Stream"];
        self.table("slowest", "Slowest calls", "", &headings);
        let mut slowest: Vec<_> = self.calls.iter().collect();
        let rows = SLOWEST.min(slowest.len());
        slowest.sort_by_key(|call| std::cmp::Reverse(call.duration()));
        for call in slowest.into_iter().take(rows) {
            let json = record(&call.json);
            self.markup.raw("<tr>");
            self.link(&json);
            self.cell(&outcome_of(&json));
            self.span(Some(call.duration()));
            self.span(nanos(&json, "/h2/timing/ttfb"));
            self.count(integer(&json, "/h2/connection/id"));
            self.count(integer(&json, "/h2/stream/id"));
            self.markup.raw("</tr>\n");
        }
        self.table_end(rows, "There are no calls.");
    }

    fn connections(&mut self) {
        let connections = self.connections;
        let note = match connections.seen.saturating_sub(connections.rows.len() as u64) {
            0 => String::new(),
            more => format!(
                "The first {}; there are {} more.",
                grouped(connections.rows.len() as u64),
                grouped(more)
            ),
        };
        let headings =
            ["#Connection", "Client", "Server", "Security", "#Calls", "#Duration", "#Handshakes", "End"];
        self.table("connections", "Connections", &note, &headings);
        for json in &connections.rows {
            let json = record(json);
            let id = integer(&json, "/h2/connection/id");
            self.markup.raw("<tr data-connection=\"").text(id).raw("\">");
            self.count(id);
            self.cell(&socket(&json, "client"));
            self.cell(&socket(&json, "server"));
            self.cell(&security(&json));
            self.count(integer(&json, "/h2/transactions"));
            self.span(nanos(&json, "/duration"));
            let handshakes =
                [nanos(&json, "/h2/timing/tcp_handshake"), nanos(&json, "/h2/timing/tls_handshake")];
            self.span(handshakes.into_iter().flatten().reduce(u64::saturating_add));
            self.cell(&ending(&json));
            self.markup.raw("</tr>\n");
        }
        self.markup.raw("</tbody></table></div>\n<div id=\"waterfall\" hidden></div>\n</section>\n");
    }

    fn findings(&mut self) {
        let headings = ["Finding", "Severity", "Rule", "Side", "#Connections", "#Times", "#First packet"];
        self.table("findings", "What a peer did wrong", "", &headings);
        let findings = self.findings;
        for (connections, times, json) in findings.rows() {
            self.markup.raw("<tr>");
            for at in ["/code", "/severity", "/rfc", "/from"] {
                self.cell(&text(json, at));
            }
            self.count(*connections);
            self.count(*times);
            self.count(integer(json, "/h2/packets/first"));
            self.markup.raw("</tr>\n");
        }
        let rows = findings.rows().count();
        self.table_end(rows, "Nothing was found.");
    }

    fn coverage(&mut self) {
        self.table("coverage", "Coverage", "", &["What", "#Count", "Meaning"]);
        let record = self.coverage_record();
        let mut rows = Vec::new();
        leaves(&record, CoverageObject::MEMBERS, "", "", &mut rows);
        for (name, meaning, value) in &rows {
            self.markup.raw("<tr><th scope=\"row\">").text(name).raw("</th><td class=\"number\">");
            self.markup.text(value).raw("</td><td>").text(meaning).raw("</td></tr>\n");
        }
        self.table_end(rows.len(), "");
    }

    fn calls(&mut self) {
        let (held, seen) = (self.calls.len() as u64, self.seen);
        self.markup.raw("<section id=\"calls\">\n<h2>All calls</h2>\n");
        if held < seen {
            self.markup
                .raw("<p>Of ")
                .text(grouped(seen))
                .raw(" calls this report holds the ")
                .text(grouped(held));
            self.markup.raw(" that matter most: the slowest, those that failed or are incomplete, and an even sample of the others.</p>\n");
        }
        self.markup
            .raw("<div class=\"bar\"><label for=\"filter\">Show where</label> <input id=\"filter\" data-h2lens=\"filter\" type=\"search\" ")
            .raw("spellcheck=\"false\" autocomplete=\"off\" placeholder=\"status &gt;= 500 and path ~ ^/v1/\" aria-describedby=\"problem\">")
            .raw(" <output data-h2lens=\"count\" for=\"filter\">")
            .text(held)
            .raw("</output> calls</div>\n<p id=\"problem\" role=\"alert\" hidden></p>\n")
            .raw("<noscript><p>The calls can be seen one by one where scripts may run.</p></noscript>\n")
            .raw("<div id=\"scroller\"><div id=\"height\"><table data-h2lens=\"calls\" aria-label=\"All calls\" aria-rowcount=\"")
            .text(held + 1)
            .raw("\">\n<thead><tr>");
        for (key, name) in [
            ("number", "At"),
            ("text", "Method"),
            ("text", "Host"),
            ("text", "Path"),
            ("number", "Status"),
            ("text", "Error"),
            ("number", "Duration"),
            ("number", "First byte"),
            ("number", "Connection"),
            ("number", "Stream"),
        ] {
            self.markup.raw("<th scope=\"col\" class=\"").raw(key).raw("\">").raw(name).raw("</th>");
        }
        self.markup.raw("</tr></thead>\n<tbody></tbody></table></div></div>\n</section>\n");
    }
}

fn record(json: &[u8]) -> Value {
    serde_json::from_slice(json).unwrap_or_default()
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text(json: &Value, at: &str) -> String {
    json.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn integer(json: &Value, at: &str) -> u64 {
    json.pointer(at).and_then(Value::as_u64).unwrap_or_default()
}

fn nanos(json: &Value, at: &str) -> Option<u64> {
    json.pointer(at).and_then(Value::as_f64).map(|seconds| (seconds * 1e9).round() as u64)
}

fn socket(json: &Value, side: &str) -> String {
    let address = text(json, &format!("/{side}/address"));
    let port = integer(json, &format!("/{side}/port"));
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// `GET https://host/path`, as far as it is known.
fn request_of(call: &Value) -> String {
    let method = text(call, "/http/request/method");
    let (host, path) = (text(call, "/h2/request/authority"), text(call, "/url/path"));
    let method = if method.is_empty() { "–" } else { &method };
    format!("{method} {path} {host}")
}

/// What the script finds a call by.
fn place_of(call: &Value) -> String {
    format!("{}/{}", integer(call, "/h2/connection/id"), integer(call, "/h2/stream/id"))
}

/// The status, and why it failed.
fn outcome_of(call: &Value) -> String {
    let status = integer(call, "/http/response/status_code");
    let error = text(call, "/error/type");
    match (status, error.as_str()) {
        (0, "") => "–".to_owned(),
        (0, error) => error.to_owned(),
        (status, "") => status.to_string(),
        (status, error) if error == status.to_string() => error.to_owned(),
        (status, error) => format!("{status} {error}"),
    }
}

fn security(json: &Value) -> String {
    let Some(tls) = json.get("tls") else { return "none".to_owned() };
    match (text(tls, "/not_decrypted"), text(tls, "/protocol/version")) {
        (why, _) if !why.is_empty() => format!("TLS, not decrypted: {why}"),
        (_, version) => format!("TLS {version}"),
    }
}

fn ending(json: &Value) -> String {
    let by = text(json, "/h2/end/by");
    let (how, cause) = (text(json, "/h2/end/how"), text(json, "/h2/end/cause"));
    if cause.is_empty() { format!("{how} by {by}") } else { format!("{how} by {by}: {cause}") }
}

fn path_of(endpoint: &Endpoint) -> String {
    match (endpoint.folded, &endpoint.rpc, &endpoint.template) {
        (Some(paths), ..) => format!("({} more)", grouped(paths)),
        (_, Some(rpc), _) => rpc.clone(),
        (_, _, Some(template)) => template.clone(),
        _ => "–".to_owned(),
    }
}

fn service_of(endpoint: &Endpoint) -> String {
    let server = || endpoint.server.map(|server| server.to_string());
    endpoint.authority.clone().or_else(server).unwrap_or_else(|| "–".to_owned())
}

fn name_of(endpoint: &Endpoint) -> String {
    format!("{} {} {}", endpoint.method.as_deref().unwrap_or("–"), path_of(endpoint), service_of(endpoint))
}

/// Whether calls that failed alike may be tried again (RFC 9113 section 8.7).
fn advice(calls: u64, safe: u64) -> String {
    match safe {
        0 => "Only what may be done twice: they may have been processed".to_owned(),
        all if all == calls => "Yes: the server has promised not to have processed them".to_owned(),
        some => format!("{} of them: the server has promised not to have processed those", grouped(some)),
    }
}

/// What incomplete calls may change of the quantile of 0.99.
fn bounds(duration: &Quantiles) -> String {
    match (duration.p99_at_least, duration.p99_at_most) {
        (Some(least), Some(most)) => {
            format!("incomplete calls leave open: {} to {}", Span(least), Span(most))
        }
        (Some(least), None) => format!("incomplete calls leave open: {} or more", Span(least)),
        _ => "one in a hundred took longer".to_owned(),
    }
}

/// With spaces between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() * 2);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// Of a hundred, with one decimal.
fn share(part: u64, all: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / all.max(1) as f64)
}

/// A coverage record's values: name, meaning, value.
fn leaves(
    value: &Value,
    members: &'static [Member],
    prefix: &str,
    doc: &'static str,
    into: &mut Vec<(String, &'static str, String)>,
) {
    let Value::Object(object) = value else {
        let shown = value.as_u64().map_or_else(|| value.to_string(), grouped);
        return into.push((prefix.to_owned(), doc, shown));
    };
    for (key, below) in object {
        let member = members.iter().find(|member| member.key == key);
        let (members, doc): (&'static [Member], _) = match member {
            Some(Member { r#type: crate::record::visit::Type::Object(members), doc, .. }) => (members, *doc),
            Some(member) => (&[], member.doc),
            None => (&[], doc),
        };
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        leaves(below, members, &name, doc, into);
    }
}
