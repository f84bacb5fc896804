//! Telemetry records of parts → that of the whole: numbers are added, by the record's own definition.

use super::set::{End, MergeError};
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::telemetry_counters::UserTelemetry;
use crate::base::tls::NotDecrypted;
use crate::base::verdict::MissReason;
use crate::packet::PacketCounters;
use crate::record::schema::TelemetryObject;
use crate::record::visit::{Member, Object, Type};
use crate::record::{InFlight, Reuse};
use serde_json::value::RawValue;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A value of each part that has it, with the part's index.
type Values<'v> = Vec<(usize, &'v RawValue)>;

/// What the sum depends on beside the records.
#[derive(Debug)]
pub(super) struct Sum<'a> {
    ends: &'a [End],
    /// Caps that may have struck in one process.
    inexact: Vec<&'a str>,
    /// What the caps cost of what was added up or compared anew.
    limits: Vec<(Limit, u64)>,
}

impl<'a> Sum<'a> {
    pub(super) fn new(ends: &'a [End]) -> Self {
        Self { ends, inexact: inexact(ends), limits: Vec::new() }
    }

    /// So often a cap struck, whatever the parts say.
    pub(super) fn set(&mut self, limit: Limit, count: u64) {
        self.limits.push((limit, count));
    }

    /// Appends the record of all.
    pub(super) fn telemetry(&self, records: &[(usize, String)], out: &mut Vec<u8>) -> Result<(), MergeError> {
        fn value((part, text): &(usize, String)) -> Option<(usize, &RawValue)> {
            Some((*part, serde_json::from_str(text).ok()?))
        }
        let values = records.iter().map(value).collect::<Option<_>>().ok_or(MergeError::Telemetry)?;
        self.object("", TelemetryObject::MEMBERS, &values, out).ok_or(MergeError::Telemetry)?;
        out.push(b'\n');
        Ok(())
    }

    fn value(&self, key: &str, r#type: &Type, values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
        match r#type {
            Type::Object(members) => self.object(key, members, values, out),
            Type::Map(_) => self.counts(key, values, out),
            Type::List(_) if key == "endpoints" => self.agent_endpoints(values, out),
            Type::List(_) if key == "exchanges" => oldest_exchanges(values, out),
            Type::Seconds if key == "oldest" => longest(values, out),
            Type::Integer => {
                let numbers = values.iter().map(|(_, value)| value.get().parse::<u64>().ok());
                let sum = numbers.sum::<Option<u64>>()?;
                out.extend_from_slice(sum.to_string().as_bytes());
                Some(())
            }
            Type::Bool => {
                let all = values.iter().all(|(_, value)| value.get() == "true");
                out.extend_from_slice(if all { b"true" } else { b"false" });
                Some(())
            }
            // What the capture as a whole is, and how it was looked at: the same in all.
            _ => {
                let (_, first) = values.first()?;
                out.extend_from_slice(first.get().as_bytes());
                values.iter().all(|(_, value)| value.get() == first.get()).then_some(())
            }
        }
    }

    fn object(&self, key: &str, members: &[Member], values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
        let objects = entries(values)?;
        let known = |key: &str| members.iter().any(|member| member.key == key);
        if !objects.iter().all(|(_, object)| object.keys().all(|key| known(key))) {
            return None;
        }
        let mut before = b'{';
        for member in members {
            let of_member: Values<'_> =
                objects.iter().filter_map(|(part, object)| Some((*part, *object.get(member.key)?))).collect();
            let is_root = key.is_empty();
            let tells = is_root && member.key == "inexact" && !self.inexact.is_empty();
            if is_root && member.key == "partition" || of_member.is_empty() && !tells {
                continue;
            }
            out.push(std::mem::replace(&mut before, b','));
            out.extend_from_slice(format!("\"{}\":", member.key).as_bytes());
            if tells {
                let names: Vec<_> = self.inexact.iter().map(|name| format!("\"{name}\"")).collect();
                out.extend_from_slice(format!("[{}]", names.join(",")).as_bytes());
            } else {
                self.value(member.key, &member.r#type, &of_member, out)?;
            }
        }
        if before == b'{' {
            out.push(b'{');
        }
        out.push(b'}');
        Some(())
    }

    /// Counts by name.
    fn counts(&self, key: &str, values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (name, value) in entries(values)?.into_iter().flat_map(|(_, object)| object) {
            let sum = sums.entry(name).or_default();
            *sum = sum.checked_add(value.get().parse().ok()?)?;
        }
        for (limit, count) in self.limits.iter().filter(|_| key == "limits") {
            sums.insert(limit.name().to_owned(), *count);
        }
        let names = order(key);
        let place = |name: &str| names.iter().position(|other| *other == name).unwrap_or(names.len());
        let mut sums: Vec<_> = sums.into_iter().filter(|(_, sum)| *sum > 0).collect();
        sums.sort_by(|(one, _), (other, _)| (place(one), one).cmp(&(place(other), other)));
        let text = |(name, sum): (String, u64)| Some(format!("{}:{sum}", serde_json::to_string(&name).ok()?));
        let texts: Option<Vec<_>> = sums.into_iter().map(text).collect();
        out.extend_from_slice(format!("{{{}}}", texts?.join(",")).as_bytes());
        Some(())
    }

    /// `agent.endpoints`: in the order in which they were seen. Each is of one connection, and so of one part.
    fn agent_endpoints(&self, values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
        let mut all = Vec::new();
        for (part, value) in values {
            let endpoints: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
            let seen = &self.ends.get(*part)?.seen;
            if seen.len() != endpoints.len() {
                return None;
            }
            all.extend(seen.iter().zip(endpoints));
        }
        // Equal ones are of one part, and in order.
        all.sort_by_key(|(seen, _)| *seen);
        all.truncate(limits::AGENT_ENDPOINTS);
        let texts: Vec<_> = all.into_iter().map(|(_, endpoint)| endpoint.get()).collect();
        out.extend_from_slice(format!("[{}]", texts.join(",")).as_bytes());
        Some(())
    }
}

/// `in_flight.oldest`: how long the oldest of all has taken.
fn longest(values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
    let times: Option<Vec<_>> = values.iter().map(|(_, value)| Some((nanos(value)?, value.get()))).collect();
    let (_, longest) = times?.into_iter().max()?;
    out.extend_from_slice(longest.as_bytes());
    Some(())
}

/// `in_flight.exchanges`: the oldest of all. Those of one time stand in the order of their connections.
fn oldest_exchanges(values: &Values<'_>, out: &mut Vec<u8>) -> Option<()> {
    let mut all = Vec::new();
    for (_, value) in values {
        for exchange in serde_json::from_str::<Vec<&RawValue>>(value.get()).ok()? {
            let members: BTreeMap<&str, &RawValue> = serde_json::from_str(exchange.get()).ok()?;
            let number = |name| members.get(name)?.get().parse::<u64>().ok();
            let duration = nanos(members.get("duration")?)?;
            all.push((Reverse(duration), number("connection")?, number("stream")?, exchange.get()));
        }
    }
    all.sort_unstable();
    all.truncate(InFlight::SHOWN);
    let texts: Vec<_> = all.into_iter().map(|(.., exchange)| exchange).collect();
    out.extend_from_slice(format!("[{}]", texts.join(",")).as_bytes());
    Some(())
}

/// A duration as it is shown, in seconds with up to nine decimals.
fn nanos(value: &RawValue) -> Option<u64> {
    let (seconds, decimals) = value.get().split_once('.')?;
    let seconds: u64 = seconds.parse().ok()?;
    let billionths: u64 = format!("{decimals:0<9}").parse().ok()?;
    seconds.checked_mul(1_000_000_000)?.checked_add(billionths).filter(|_| decimals.len() <= 9)
}

/// The members of each object.
fn entries<'v>(values: &Values<'v>) -> Option<Vec<(usize, BTreeMap<String, &'v RawValue>)>> {
    values.iter().map(|(part, value)| Some((*part, serde_json::from_str(value.get()).ok()?))).collect()
}

/// The names of a map in the order in which they are shown.
fn order(key: &str) -> Vec<&'static str> {
    match key {
        "limits" => Limit::ALL.iter().map(|limit| limit.name()).collect(),
        "skipped_packets" => PacketCounters::default().entries().iter().map(|(name, _)| *name).collect(),
        "connections" | "authorities" => Reuse::CLASSES.to_vec(),
        "not_decrypted" => NotDecrypted::NAMES.to_vec(),
        "missed" => MissReason::ALL.iter().map(|reason| reason.name()).collect(),
        "malformed_by_type" => UserTelemetry::default().malformed().iter().map(|(name, _)| *name).collect(),
        _ => Vec::new(),
    }
}

/// The names of what may have been too full in one process, although none of the parts came to its end.
fn inexact(ends: &[End]) -> Vec<&str> {
    let [first, _, ..] = ends else { return Vec::new() };
    let mut names: Vec<&str> = Vec::new();
    for (at, (name, _, cap)) in first.loads.iter().enumerate() {
        let wanted = ends.iter().filter_map(|end| end.loads.get(at)).map(|(_, most, _)| most);
        let wanted = wanted.fold(0_u64, |sum, most| sum.saturating_add(*most));
        if wanted > *cap && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}
