//! The last pass over a packet's frames: streams end, and what is complete goes to user space (docs/agent.md, "Ends of
//! streams" and "User space").

use super::arena::NONE;
use super::frame;
use super::key::StreamKey;
use super::state::{Agent, Unit};
use super::statistics::FirstSeen;
use super::statkeeper::Transaction;
use super::user::{self, Method, PATH_BUFFER, Shown};

impl Agent {
    /// Applies every `RST_STREAM` and `END_STREAM` of the list, in order, whoever sent it.
    pub(super) fn eos_pass(&mut self, unit: &Unit<'_>) {
        // The stream of the last HEADERS: its end often follows in the same packet, and need not be looked up then.
        let mut last = NONE;
        for index in 0..self.frames.len() {
            let Some(&listed) = self.frames.get(index) else { return };
            if listed.stream != NONE {
                last = listed.stream;
            }
            let reset = listed.header.kind == frame::RST_STREAM;
            if !reset && !listed.header.ends_stream() {
                continue;
            }
            let key = StreamKey::new(unit.serial, listed.header.stream);
            let is_last = last != NONE && self.streams.at(last, key).is_some();
            let place = if is_last { Some(last) } else { self.streams.find(key) };
            // An end never makes a stream.
            let Some(place) = place else { continue };
            let Some(stream) = self.streams.get_mut(place) else { continue };
            stream.trace.packet = unit.packet;
            stream.trace.end(unit.side, reset);
            let request = stream.path.finalized && stream.method.finalized;
            // A reset of a stream that lacks something is no end to the agent, and not counted.
            if reset && !(request && stream.status.finalized) {
                self.delete(place);
                continue;
            }
            // Counted also when the stream is then thrown away.
            let counters = self.counters.get_mut(unit.tls);
            if reset {
                counters.rst += 1;
            } else {
                counters.eos += 1;
            }
            // The second end emits the stream, whoever sent the two.
            if stream.end_seen {
                // Two packets never have the same kernel time, but they can have the same time stamp; then the
                // agent's own consumer of coarse clocks (on Windows) adds a nanosecond, and so does this.
                stream.last_seen = unit.now.max(stream.started + 1);
                self.emit(unit, place);
            } else {
                stream.end_seen = true;
                if !request {
                    self.delete(place);
                }
            }
        }
    }

    /// Deletes a stream that is not emitted, and keeps its trace.
    pub(super) fn delete(&mut self, place: u32) {
        let Some(stream) = self.streams.remove(place) else { return };
        let mut trace = stream.trace;
        trace.request = stream.path.finalized && stream.method.finalized;
        trace.status = stream.status.finalized;
        self.traces.keep(stream.key, &trace);
    }

    /// Deletes a stream and hands it to user space.
    fn emit(&mut self, unit: &Unit<'_>, place: u32) {
        self.summary.emitted += 1;
        let Some(stream) = self.streams.get_mut(place) else { return };
        let status = user::status(stream.status);
        self.users.hit(status);
        let mut buffer = [0; PATH_BUFFER];
        // Without these it is incomplete to user space: it waits for another half, and is dropped at the next flush.
        let method =
            if status == 0 || !stream.path.finalized { None } else { Method::captured(&stream.method) };
        let Some(method) = method else {
            self.users.telemetry.incomplete += 1;
            return self.delete(place);
        };
        let Some(path) = user::path(&stream.path, &mut buffer) else {
            self.users.telemetry.malformed_empty_path += 1;
            return self.delete(place);
        };
        let Some(tuple) = self.connections.get(unit.place).map(|connection| connection.tuple) else { return };
        let path_hash = self.users.hash_path(path);
        let latency = user::latency(stream.last_seen - stream.started);
        let serial = unit.serial;
        let seen = FirstSeen { now: self.newest, packet: unit.packet };
        if !self.users.add(&Transaction { serial, tuple, seen, method, path, path_hash, status, latency }) {
            return self.delete(place);
        }
        let Some(stream) = self.streams.remove(place) else { return };
        let mut trace = stream.trace;
        trace.request = true;
        trace.status = true;
        if trace.judged {
            self.late += 1;
        } else {
            self.ledger.add(
                stream.key,
                Shown { method, path: path_hash, status, latency: latency as u64 },
                trace,
            );
        }
    }
}
