//! DNS messages (RFC 1035) as DNS over HTTPS carries them (RFC 8484), in the presentation of zone files.

use super::json::push_string;
use crate::base::tuning::BODY_DNS_NAMES;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The message as JSON: id, response code, questions and answers; `None` where it is none.
pub fn json(message: &[u8]) -> Option<String> {
    let mut reader = Reader { message, at: 0, labels: 0 };
    let id = reader.u16()?;
    let flags = reader.u16()?;
    let questions = reader.u16()?;
    let answers = reader.u16()?;
    reader.at += 4;
    let mut out = String::new();
    let _ = write!(out, "{{\"id\":{id},\"rcode\":");
    push_string(&mut out, &rcode(flags & 15));
    out.push_str(",\"questions\":[");
    for index in 0..questions {
        let (name, kind) = (reader.name()?, reader.u16()?);
        reader.u16()?;
        out.push_str(if index > 0 { ",{\"name\":" } else { "{\"name\":" });
        push_string(&mut out, &name);
        let _ = write!(out, ",\"type\":\"{}\"}}", type_name(kind));
    }
    out.push_str("],\"answers\":[");
    for index in 0..answers {
        out.push_str(if index > 0 { "," } else { "" });
        reader.answer(&mut out)?;
    }
    out.push_str("]}");
    Some(out)
}

fn rcode(code: u16) -> String {
    let names = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
    names.get(usize::from(code)).map_or_else(|| format!("RCODE{code}"), |name| (*name).to_owned())
}

fn type_name(kind: u16) -> String {
    let name = match kind {
        1 => "A",
        2 => "NS",
        5 => "CNAME",
        6 => "SOA",
        12 => "PTR",
        15 => "MX",
        16 => "TXT",
        28 => "AAAA",
        33 => "SRV",
        41 => "OPT",
        64 => "SVCB",
        65 => "HTTPS",
        255 => "ANY",
        257 => "CAA",
        other => return format!("TYPE{other}"),
    };
    name.to_owned()
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
    /// Labels read so far, all names together.
    labels: usize,
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let bytes = self.message.get(self.at..self.at.checked_add(count)?)?;
        self.at += count;
        Some(bytes)
    }

    fn u8(&mut self) -> Option<u8> {
        self.bytes(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        self.bytes(2)?.first_chunk().copied().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.bytes(4)?.first_chunk().copied().map(u32::from_be_bytes)
    }

    /// A domain name with its compression (RFC 1035 section 4.1.4). Pointers lead back only.
    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let (mut at, mut after) = (self.at, None);
        loop {
            let length = *self.message.get(at)?;
            self.labels += 1;
            if self.labels > BODY_DNS_NAMES || name.len() > 1024 {
                return None;
            }
            match length {
                0 => break,
                1..64 => {
                    push_label(&mut name, self.message.get(at + 1..at + 1 + usize::from(length))?);
                    at += 1 + usize::from(length);
                }
                192.. => {
                    let target = usize::from(length & 63) << 8 | usize::from(*self.message.get(at + 1)?);
                    after = after.or(Some(at + 2));
                    if target >= at {
                        return None;
                    }
                    at = target;
                }
                _ => return None,
            }
        }
        self.at = after.unwrap_or(at + 1);
        if name.is_empty() {
            name.push('.');
        }
        Some(name)
    }

    fn answer(&mut self, out: &mut String) -> Option<()> {
        let name = self.name()?;
        let kind = self.u16()?;
        self.u16()?;
        let ttl = self.u32()?;
        let length = usize::from(self.u16()?);
        let end = self.at.checked_add(length)?;
        self.message.get(self.at..end)?;
        let start = self.at;
        let data = self.data(kind, end).filter(|_| self.at == end).unwrap_or_else(|| {
            let bytes = self.message.get(start..end).unwrap_or_default();
            generic(bytes)
        });
        self.at = end;
        out.push_str("{\"name\":");
        push_string(out, &name);
        let _ = write!(out, ",\"type\":\"{}\",\"ttl\":{ttl},\"data\":", type_name(kind));
        push_string(out, &data);
        out.push('}');
        Some(())
    }

    fn data(&mut self, kind: u16, end: usize) -> Option<String> {
        Some(match kind {
            1 => Ipv4Addr::from(*self.bytes(4)?.first_chunk()?).to_string(),
            28 => Ipv6Addr::from(*self.bytes(16)?.first_chunk()?).to_string(),
            2 | 5 | 12 => self.name()?,
            6 => {
                let (primary, mailbox) = (self.name()?, self.name()?);
                let numbers = [self.u32()?, self.u32()?, self.u32()?, self.u32()?, self.u32()?];
                let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
                format!("{primary} {mailbox} {}", numbers.join(" "))
            }
            15 => format!("{} {}", self.u16()?, self.name()?),
            16 => self.strings(end)?,
            33 => format!("{} {} {} {}", self.u16()?, self.u16()?, self.u16()?, self.name()?),
            64 | 65 => self.service(end)?,
            257 => {
                let (flags, length) = (self.u8()?, self.u8()?);
                let tag = String::from_utf8_lossy(self.bytes(usize::from(length))?).into_owned();
                let value = self.bytes(end.checked_sub(self.at)?)?;
                format!("{flags} {tag} {}", quoted(value))
            }
            _ => return None,
        })
    }

    fn strings(&mut self, end: usize) -> Option<String> {
        let mut strings = Vec::new();
        while self.at < end {
            let length = usize::from(self.u8()?);
            strings.push(quoted(self.bytes(length)?));
        }
        Some(strings.join(" "))
    }

    /// SVCB and HTTPS (RFC 9460).
    fn service(&mut self, end: usize) -> Option<String> {
        let mut text = format!("{} {}", self.u16()?, self.name()?);
        while self.at < end {
            let (key, length) = (self.u16()?, usize::from(self.u16()?));
            let value = self.bytes(length)?;
            let _ = match key {
                1 => write!(text, " alpn=\"{}\"", protocols(value)?),
                2 if value.is_empty() => write!(text, " no-default-alpn"),
                3 => write!(text, " port=\"{}\"", u16::from_be_bytes(value.try_into().ok()?)),
                4 => write!(text, " ipv4hint=\"{}\"", addresses::<4, Ipv4Addr>(value)?),
                6 => write!(text, " ipv6hint=\"{}\"", addresses::<16, Ipv6Addr>(value)?),
                _ if value.is_empty() => write!(text, " key{key}"),
                _ => write!(text, " key{key}={}", quoted(value)),
            };
        }
        Some(text)
    }
}

fn protocols(value: &[u8]) -> Option<String> {
    let (mut names, mut rest) = (Vec::new(), value);
    while let Some((&length, after)) = rest.split_first() {
        let (name, after) = after.split_at_checked(usize::from(length))?;
        names.push(String::from_utf8_lossy(name).into_owned());
        rest = after;
    }
    Some(names.join(","))
}

fn addresses<const N: usize, A: From<[u8; N]> + ToString>(value: &[u8]) -> Option<String> {
    let (addresses, []) = value.as_chunks::<N>() else { return None };
    Some(addresses.iter().map(|octets| A::from(*octets).to_string()).collect::<Vec<_>>().join(","))
}

fn push_label(name: &mut String, label: &[u8]) {
    for &octet in label {
        match octet {
            b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                name.push('\\');
                name.push(char::from(octet));
            }
            b'!'..=b'~' => name.push(char::from(octet)),
            _ => drop(write!(name, "\\{octet:03}")),
        }
    }
    name.push('.');
}

/// A character string (RFC 1035 section 5.1).
fn quoted(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for &octet in bytes {
        match octet {
            b'"' | b'\\' => {
                text.push('\\');
                text.push(char::from(octet));
            }
            b' '..=b'~' => text.push(char::from(octet)),
            _ => drop(write!(text, "\\{octet:03}")),
        }
    }
    text.push('"');
    text
}

/// Data of an unknown type (RFC 3597 section 5).
fn generic(bytes: &[u8]) -> String {
    let mut text = format!("\\# {}", bytes.len());
    if !bytes.is_empty() {
        text.push(' ');
    }
    for octet in bytes {
        let _ = write!(text, "{octet:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A message with one question, for `a.example.`, and one answer of the type and data.
    fn message(kind: u16, data: &[u8]) -> Vec<u8> {
        let mut message = vec![0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        message.extend_from_slice(b"\x01a\x07example\x00");
        message.extend_from_slice(&[kind.to_be_bytes(), [0, 1]].concat());
        message.extend_from_slice(&[0xc0, 12]);
        message.extend_from_slice(&kind.to_be_bytes());
        message.extend_from_slice(&[0, 1, 0, 0, 1, 0]);
        message.extend_from_slice(&(data.len() as u16).to_be_bytes());
        message.extend_from_slice(data);
        message
    }

    fn data(kind: u16, bytes: &[u8]) -> serde_json::Value {
        let json = json(&message(kind, bytes)).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["answers"][0]["name"], "a.example.");
        value["answers"][0]["data"].take()
    }

    #[test]
    fn messages_are_read() {
        let json = json(&message(1, &[192, 0, 2, 7])).unwrap();
        let expected = "{\"id\":4660,\"rcode\":\"NOERROR\",\"questions\":[{\"name\":\"a.example.\",\"type\":\"A\"}],\
            \"answers\":[{\"name\":\"a.example.\",\"type\":\"A\",\"ttl\":256,\"data\":\"192.0.2.7\"}]}";
        assert_eq!(json, expected);
    }

    #[test]
    fn data_is_shown_as_in_zone_files() {
        assert_eq!(data(28, &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x46, 0]), "2001:db8::4600");
        assert_eq!(data(5, &[0xc0, 14]), "example.");
        assert_eq!(data(15, b"\x00\x0a\x04mail\xc0\x0e"), "10 mail.example.");
        assert_eq!(data(16, b"\x03a\"b\x02x6"), "\"a\\\"b\" \"x6\"");
        assert_eq!(data(65, b"\x00\x01\x00\x00\x01\x00\x06\x02h2\x02h3"), "1 . alpn=\"h2,h3\"");
        assert_eq!(data(33, b"\x00\x01\x00\x02\x00\x50\x00"), "1 2 80 .");
        assert_eq!(data(257, b"\x00\x05issueca.example"), "0 issue \"ca.example\"");
        assert_eq!(data(99, &[1, 2, 255]), "\\# 3 0102ff");
        assert_eq!(data(1, &[1, 2, 3]), "\\# 3 010203", "an address is four octets");
    }

    #[test]
    fn cap_body_dns_names() {
        // Each answer's name is a pointer to a name of many labels.
        let mut message = vec![0, 0, 0x80, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0];
        let names = message.len();
        message.extend_from_slice(&[b"\x01a".repeat(100), vec![0]].concat());
        message.truncate(names);
        message.extend_from_slice(&b"\x01a".repeat(100));
        message.extend_from_slice(&[0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
        for _ in 0..1000 {
            message.extend_from_slice(&[0xc0, names as u8, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
        }
        assert_eq!(json(&message), None, "more than {BODY_DNS_NAMES} labels");
    }

    #[test]
    fn pointers_in_a_circle_end() {
        let mut message = message(5, &[0xc0, 0x2b]);
        let at = message.len() - 2;
        message[at + 1] = at as u8;
        assert_eq!(json(&message).map(|json| json.contains("\\# 2")), Some(true));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut message = vec![0, 0, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0];
            message.extend_from_slice(&bytes);
            if let Some(json) = json(&message) {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
            }
        }
    }
}
