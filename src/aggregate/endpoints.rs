//! The aggregate: from exchanges to the numbers of each path.

use super::facts::{Call, Counted, Exchange, Target};
use super::path::Templates;
use super::stats::Stats;
use crate::base::limit_counters::Limit;
use crate::base::load::Load;
use crate::record::Fields;
use foldhash::quality::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

/// Endpoints as they were spelled that are found without looking at their paths; tuning.
const RECENT: usize = 2048;
/// Octets of such a spelling.
const RECENT_OCTETS: usize = 256;

/// Adds up exchanges by service, method and path.
///
/// ```
/// # use h2lens::aggregate::{Aggregate, Exchange, Place, Span, Target, Templates};
/// let mut aggregate = Aggregate::new(Templates::default().into(), 8 << 20);
/// for id in 1..=100 {
///     aggregate.add(&Exchange {
///         authority: Some(b"users.example"),
///         server: ([10, 0, 0, 2], 8080).into(),
///         method: Some(b"GET"),
///         target: Target::Path(format!("/users/{id}").as_bytes()),
///         unplaced: false,
///         failure: None,
///         status: Some(200),
///         incomplete: false,
///         lossy: false,
///         reset: false,
///         start: 0,
///         duration: Span::exact(id * 1_000_000),
///         ttfb: None,
///         time: None,
///         request_bytes: 0,
///         response_bytes: 10,
///         place: Place::default(),
///     });
/// }
/// let rows = aggregate.rows();
/// assert_eq!(rows.rows[0].kind.to_string(), "/users/{int}");
/// assert_eq!(rows.rows[0].stats.calls, 100);
/// ```
#[derive(Clone, Debug)]
pub struct Aggregate {
    templates: Arc<Templates>,
    /// Bytes of memory that may be taken.
    budget: usize,
    /// Bytes of memory that are taken, about.
    pub(super) memory: usize,
    /// The most that were wanted.
    most: usize,
    pub(super) groups: Vec<Group>,
    group_numbers: HashMap<Group, u32, RandomState>,
    /// By what [`Leaf::write`] writes.
    pub(super) leaves: Leaves,
    pub(super) stats: Vec<Stats>,
    /// By the exchange's own spelling.
    recent: HashMap<Box<[u8]>, usize, RandomState>,
    pub(super) folded: Folded,
    /// Something of the traffic is missing: what was seen last of an exchange need not be its last.
    pub(super) is_lossy: bool,
    /// When the first exchange began and the last one ended, in nanoseconds since the epoch.
    pub(super) time: Option<(u64, u64)>,
    scratch: Vec<u8>,
}

/// The place of each leaf's numbers.
pub(super) type Leaves = HashMap<Box<[u8]>, usize, RandomState>;

/// What paths were folded into for want of memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    pub(super) stats: Stats,
    /// Paths that were folded: a path that comes again counts again.
    pub(super) paths: u64,
}

/// What the paths of one tree have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Group {
    pub(super) service: Service,
    pub(super) method: Option<Box<[u8]>>,
}

/// Who was called: the authority in small letters, or the server where there was none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Service {
    Authority(Box<[u8]>),
    Server(SocketAddr),
}

/// One path of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf<'a> {
    pub(super) group: u32,
    pub(super) what: What,
    /// Part of what would say where it belongs is not known.
    pub(super) unplaced: bool,
    pub(super) text: &'a [u8],
}

/// What a leaf's text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A path of which siblings may make a template.
    Path,
    /// A template of the user's.
    Named,
    /// A gRPC method.
    Rpc,
    /// A GraphQL operation: its path, and behind the octets that tell how long that is its name.
    Operation,
    /// There is none.
    None,
}

impl What {
    /// By their numbers.
    const ALL: [Self; 5] = [Self::Path, Self::Named, Self::Rpc, Self::Operation, Self::None];

    /// The one of that number.
    pub(super) fn of(number: u64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?).copied()
    }
}

impl<'a> Leaf<'a> {
    /// As a key of the map of leaves.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.group.to_le_bytes());
        out.push(u8::from(self.unplaced) << 3 | self.what as u8);
        out.extend_from_slice(self.text);
    }

    /// Of such a key.
    pub(super) fn read(key: &'a [u8]) -> Option<Self> {
        let (group, rest) = key.split_first_chunk()?;
        let (flags, text) = rest.split_first()?;
        Some(Self {
            group: u32::from_le_bytes(*group),
            what: What::of(u64::from(flags & 7))?,
            unplaced: flags >> 3 == 1,
            text,
        })
    }
}

impl Aggregate {
    /// An empty one, which takes so many bytes of memory at most.
    pub fn new(templates: Arc<Templates>, budget: usize) -> Self {
        Self {
            templates,
            budget,
            memory: 0,
            most: 0,
            groups: Vec::new(),
            group_numbers: HashMap::default(),
            leaves: HashMap::default(),
            stats: Vec::new(),
            recent: HashMap::default(),
            folded: Folded::default(),
            is_lossy: false,
            time: None,
            scratch: Vec::new(),
        }
    }

    /// Counts an exchange.
    pub fn add(&mut self, exchange: &Exchange<'_>) {
        let at = self.place(&exchange.call());
        let end = exchange.start.saturating_add(exchange.duration.shown.unwrap_or_default());
        self.time = joined(self.time, Some((exchange.start, end)));
        self.is_lossy |= exchange.lossy;
        if let Some(stats) = self.stats.get_mut(at) {
            let before = stats.memory();
            stats.add(exchange);
            self.memory = self.memory + stats.memory() - before;
        }
        self.stay_within_budget();
    }

    /// Counts an exchange that the kernel agent emitted with this latency, in nanoseconds. It makes no call of its own.
    pub fn add_agent(&mut self, call: &Call<'_>, nanos: u64) {
        self.with_stats(call, |stats| stats.add_agent(nanos));
    }

    /// Counts the names of the fields in the response to a call. It makes no call of its own.
    pub fn add_names(&mut self, call: &Call<'_>, fields: &Fields, is_whole: bool) {
        self.with_stats(call, |stats| stats.add_names(fields, is_whole));
    }

    /// Counts the calls that an endpoint's record tells of.
    pub fn add_counted(&mut self, call: &Call<'_>, counted: &Counted) {
        self.with_stats(call, |stats| stats.add_counted(call.server, counted));
    }

    /// Does something with the numbers of a call.
    fn with_stats(&mut self, call: &Call<'_>, act: impl FnOnce(&mut Stats)) {
        let at = self.place(call);
        if let Some(stats) = self.stats.get_mut(at) {
            let before = stats.memory();
            act(stats);
            self.memory = self.memory + stats.memory() - before;
        }
        self.stay_within_budget();
    }

    /// Notes that so many calls of a server, at the most, are missing wholly, and so many took less time than was seen: they
    /// may be any endpoint's.
    pub fn add_missed(&mut self, server: SocketAddr, most: u64, shorter: u64) {
        let call = Call { authority: None, server, method: None, target: Target::None, unplaced: true };
        self.is_lossy = true;
        self.with_stats(&call, |stats| stats.add_missed(server, most, shorter));
    }

    /// The place of the numbers of a call.
    fn place(&mut self, call: &Call<'_>) -> usize {
        let mut spelling = std::mem::take(&mut self.scratch);
        spell(call, &mut spelling);
        let at = match self.recent.get(spelling.as_slice()) {
            Some(&at) => at,
            None => self.look_up(call, &spelling),
        };
        self.scratch = spelling;
        at
    }

    /// Adds what another one counted. Both must have been made with the same templates.
    pub fn merge(&mut self, other: &Self) {
        let numbers: Vec<_> = other.groups.iter().map(|group| self.group(group)).collect();
        let mut key = Vec::new();
        for (theirs, &at) in &other.leaves {
            let Some(leaf) = Leaf::read(theirs) else { continue };
            let Some(&group) = numbers.get(leaf.group as usize) else { continue };
            key.clear();
            Leaf { group, ..leaf }.write(&mut key);
            let ours = self.leaf(&key);
            if let (Some(stats), Some(more)) = (self.stats.get_mut(ours), other.stats.get(at)) {
                let before = stats.memory();
                stats.merge(more);
                self.memory = self.memory + stats.memory() - before;
            }
        }
        self.folded.stats.merge(&other.folded.stats);
        self.folded.paths += other.folded.paths;
        self.time = joined(self.time, other.time);
        self.is_lossy |= other.is_lossy;
        self.stay_within_budget();
    }

    /// Paths that were folded into one row for want of memory, those that came again counted again.
    pub fn folded_paths(&self) -> u64 {
        self.folded.paths
    }

    /// How full its memory came.
    pub fn load(&self) -> Load {
        Load::new(Limit::EndpointPaths, self.most, self.budget)
    }

    pub(super) fn stay_within_budget(&mut self) {
        self.most = self.most.max(self.memory);
        if self.memory > self.budget {
            self.fold(self.budget / 2);
            self.recent.clear();
        }
    }

    /// Finds the leaf of an exchange that was not spelled so lately.
    fn look_up(&mut self, exchange: &Call<'_>, spelling: &[u8]) -> usize {
        let group = self.group(&Group::of(exchange));
        let mut text = Vec::new();
        let what = match exchange.target {
            Target::Path(path) if self.templates.push_name(path, &mut text) => What::Named,
            Target::Path(_) => What::Path,
            Target::Rpc(method) => {
                text.extend_from_slice(method);
                What::Rpc
            }
            Target::Operation(path, name) => {
                self.templates.push_name(path, &mut text);
                let len = text.len() as u32;
                text.extend_from_slice(name);
                text.extend_from_slice(&len.to_le_bytes());
                What::Operation
            }
            Target::None => What::None,
        };
        let mut key = Vec::with_capacity(text.len() + 5);
        Leaf { group, what, unplaced: exchange.unplaced, text: &text }.write(&mut key);
        let at = self.leaf(&key);
        if spelling.len() <= RECENT_OCTETS {
            if self.recent.len() >= RECENT {
                self.recent.clear();
            }
            self.recent.insert(spelling.into(), at);
        }
        at
    }

    /// The number of a group, made when it is not there yet.
    pub(super) fn group(&mut self, group: &Group) -> u32 {
        if let Some(&number) = self.group_numbers.get(group) {
            return number;
        }
        let number = self.groups.len() as u32;
        self.memory += 2 * group.memory();
        self.groups.push(group.clone());
        self.group_numbers.insert(group.clone(), number);
        number
    }

    /// The place of a leaf's numbers, made when it is not there yet.
    pub(super) fn leaf(&mut self, key: &[u8]) -> usize {
        if let Some(&at) = self.leaves.get(key) {
            return at;
        }
        let at = self.stats.len();
        let stats = Stats::default();
        self.memory += stats.memory() + leaf_memory(key);
        self.stats.push(stats);
        self.leaves.insert(key.into(), at);
        at
    }

    /// Gives services other names, which no other has.
    pub(super) fn rename(&mut self, names: &BTreeMap<Service, Service>) {
        for group in &mut self.groups {
            if let Some(name) = names.get(&group.service) {
                group.service = name.clone();
            }
        }
        self.group_numbers = self.groups.iter().cloned().zip(0..).collect();
        self.recent.clear();
    }

    /// Takes all groups, leaves and numbers out.
    pub(super) fn clear(&mut self) -> (Vec<Group>, Leaves, Vec<Stats>) {
        self.memory = 0;
        self.group_numbers.clear();
        self.recent.clear();
        (std::mem::take(&mut self.groups), std::mem::take(&mut self.leaves), std::mem::take(&mut self.stats))
    }
}

impl Group {
    fn of(exchange: &Call<'_>) -> Self {
        let service = match exchange.authority {
            Some(authority) => Service::Authority(authority.to_ascii_lowercase().into()),
            None => Service::Server(exchange.server),
        };
        Self { service, method: exchange.method.map(Into::into) }
    }

    fn memory(&self) -> usize {
        let service = match &self.service {
            Service::Authority(authority) => authority.len(),
            Service::Server(_) => 0,
        };
        size_of::<Self>() + service + self.method.as_ref().map_or(0, |method| method.len())
    }
}

/// The time from the earlier beginning to the later end.
pub(super) fn joined(one: Option<(u64, u64)>, two: Option<(u64, u64)>) -> Option<(u64, u64)> {
    one.into_iter().chain(two).reduce(|(from, to), (start, end)| (from.min(start), to.max(end)))
}

/// Bytes that the map takes for a leaf, about.
fn leaf_memory(key: &[u8]) -> usize {
    key.len() + 2 * size_of::<(Box<[u8]>, usize)>()
}

/// Path and name of an operation's text.
pub(super) fn operation(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (both, len) = text.split_last_chunk()?;
    both.split_at_checked(u32::from_le_bytes(*len) as usize)
}

/// What two exchanges of one leaf have in common, when their paths are spelled alike.
fn spell(exchange: &Call<'_>, out: &mut Vec<u8>) {
    fn part(part: Option<&[u8]>, out: &mut Vec<u8>) {
        out.extend_from_slice(&part.map_or(u32::MAX, |part| part.len() as u32).to_le_bytes());
        out.extend_from_slice(part.unwrap_or_default());
    }
    out.clear();
    part(exchange.authority, out);
    if exchange.authority.is_none() {
        match exchange.server {
            SocketAddr::V4(server) => out.extend_from_slice(&server.ip().octets()),
            SocketAddr::V6(server) => out.extend_from_slice(&server.ip().octets()),
        }
        out.extend_from_slice(&exchange.server.port().to_le_bytes());
        out.push(u8::from(exchange.server.is_ipv4()));
    }
    part(exchange.method, out);
    let (what, path, name) = match exchange.target {
        Target::Path(path) => (What::Path, path, None),
        Target::Rpc(method) => (What::Rpc, method, None),
        Target::Operation(path, name) => (What::Operation, path, Some(name)),
        Target::None => (What::None, [].as_slice(), None),
    };
    out.push(u8::from(exchange.unplaced) << 3 | what as u8);
    part(name, out);
    out.extend_from_slice(path);
}
