//! How full the maps came, which are there once for all connections.

use super::state::Agent;
use crate::base::limit_counters::Limit;
use crate::base::limits;
use crate::base::load::Load;

impl Agent {
    /// The kernel's maps, then user space's, then those of the model. In the same order for any packets.
    pub fn loads(&self) -> [Load; 11] {
        let map = self.params.max_requests;
        let share = |cap| self.params.memory.share(cap);
        let [keys, endpoints, sketches, memory] = self.users.loads();
        [
            Load::new(Limit::AgentInFlight, self.streams.most, map),
            Load::new(Limit::AgentIncompleteFrames, self.incomplete_most, map),
            Load::new(Limit::AgentDynamicTable, self.dynamic.most, map),
            Load::new(Limit::AgentDynamicCounter, self.counters_most, map),
            keys,
            endpoints,
            sketches,
            memory,
            Load::new(Limit::AgentConnections, self.connections.most, share(limits::AGENT_CONNECTIONS)),
            Load::new(Limit::AgentEmitted, self.ledger.most(), share(limits::AGENT_EMITTED)),
            Load::new(Limit::AgentTraces, self.traces.most(), share(limits::AGENT_TRACES)),
        ]
    }
}
