//! Pairs by an id that the request carries.

use super::clock::Clock;
use super::collect::Side;
use super::exchange::{Exchange, Id, IdKind};
use super::pairing::{PairedBy, Pairing, is_set};

/// Attempts at one call that are believed; with more the id is somebody's constant.
const ATTEMPTS: usize = 64;

impl Pairing<'_> {
    /// Pairs what carries the same id, which must be unique at the client's place. `clock`: what is known of it.
    pub(super) fn by_ids(&mut self, clock: Option<&Clock>) {
        let client = self.client;
        for ids in client.ids.chunk_by(|a, b| (a.kind, a.value) == (b.kind, b.value)) {
            let &[Id { kind, value, exchange }] = ids else { continue };
            if is_set(&self.client_paired, exchange) {
                continue;
            }
            let all = with_id(self.server, kind, value);
            let servers = match kind {
                // A trace is in all that one call leads to: only one call of this name is the same.
                IdKind::Trace | IdKind::B3Trace if all.len() > 1 => continue,
                _ => self.attempts_at(exchange, all, clock),
            };
            if !servers.is_empty() {
                self.add(exchange, &servers, PairedBy::Id(kind));
            }
        }
    }

    /// Those of the server's exchanges with an id that may be attempts at this call, in order of their start.
    fn attempts_at(&self, client: u32, all: &[Id], clock: Option<&Clock>) -> Vec<u32> {
        let Some(call) = self.client.exchanges.get(client as usize) else { return Vec::new() };
        let free = |id: &&Id| !is_set(&self.server_paired, id.exchange);
        let of = |id: &Id| Some((id.exchange, self.server.exchanges.get(id.exchange as usize)?));
        let mut found: Vec<(u32, &Exchange)> =
            all.iter().take(ATTEMPTS + 1).filter(free).filter_map(of).collect();
        if all.len() > ATTEMPTS {
            return Vec::new();
        }
        found.retain(|(_, server)| clock.is_none_or(|clock| begins_within(call, server, clock)));
        // What the call led to carries its id, too.
        if found.iter().any(|(_, server)| self.same_name(call, server)) {
            found.retain(|(_, server)| self.same_name(call, server));
        } else if found.iter().any(|(_, server)| !self.alike(server, found.first().map(|(_, first)| *first)))
        {
            return Vec::new();
        }
        found.sort_by_key(|(place, server)| (server.start, *place));
        found.into_iter().map(|(place, _)| place).collect()
    }

    /// The two have the same method and path.
    fn same_name(&self, client: &Exchange, server: &Exchange) -> bool {
        let (ours, theirs) = (self.client.calls.get(client.call), self.server.calls.get(server.call));
        ours.zip(theirs)
            .is_some_and(|(ours, theirs)| ours.method == theirs.method && ours.path == theirs.path)
    }

    /// The same of two of the server's.
    fn alike(&self, server: &Exchange, other: Option<&Exchange>) -> bool {
        let name = |exchange: &Exchange| {
            let call = self.server.calls.get(exchange.call)?;
            Some((&call.method, &call.path))
        };
        other.is_some_and(|other| name(server) == name(other))
    }
}

/// The server's exchange begins while the client's is under way.
fn begins_within(client: &Exchange, server: &Exchange, clock: &Clock) -> bool {
    let (start, uncertainty) = clock.to_client(server.start);
    start.saturating_add(uncertainty) >= client.start && start <= client.end.saturating_add(uncertainty)
}

/// Those of a side with this id.
fn with_id(side: &Side, kind: IdKind, value: u64) -> &[Id] {
    let from = side.ids.partition_point(|id| (id.kind, id.value) < (kind, value));
    let rest = side.ids.get(from..).unwrap_or_default();
    let len = rest.iter().take_while(|id| (id.kind, id.value) == (kind, value)).count();
    rest.get(..len).unwrap_or_default()
}
