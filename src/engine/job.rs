//! A batch of packets, decoded: what the workers get.

use crate::base::endpoint::Endpoint;
use crate::base::origin::InReach;
use crate::base::partition;
use crate::base::tcp::WindowScale;
use crate::base::time::{Moment, Timestamp};
use crate::base::tuning;
use crate::base::tuning::SHARDS;
use crate::capture::Batch;
use crate::packet::{Checksum, Decoder, Network, Segment, TcpFlags, offset_within};
use crate::tls::KeyStore;
use std::ops::Range;
use std::sync::Arc;

/// What is to be done with a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// Look at the segments.
    #[default]
    Analyze,
    /// Look at the segments, then give up what has waited for too long by the time of the job: live, when nothing
    /// comes.
    Tick,
    /// Look at the segments, then say what the shards add up to.
    Report,
    /// There are new TLS secrets: say what waits for such.
    LineUpWaiting,
    /// Of what waits, all whose first packet stands from the one on and before the other look for their secrets.
    Look {
        /// The one.
        from: u64,
        /// The other.
        before: u64,
    },
    /// The capture is over: say what is still to end.
    LineUp,
    /// Of what is still to end, all whose first packet stands before this one does, or says that it has more to tell.
    EndBefore(u64),
    /// The rest ends, and say what the shards add up to.
    Finish,
}

/// Packets and the segments in them.
#[derive(Debug, Default)]
pub struct Job {
    /// The packets.
    pub batch: Batch,
    /// What is to be done.
    pub task: Task,
    /// The last packet, or the time without one.
    pub now: Moment,
    /// TLS secrets known so far.
    pub keys: Option<Arc<KeyStore>>,
    /// See [`Batch::origins`].
    pub origins: Option<InReach>,
    /// When the first packet of all was captured.
    pub start: Timestamp,
    segments: Vec<SegmentHead>,
    /// Which segments are whose, by shard.
    shards: [Vec<u32>; SHARDS],
    /// When segments of other parts' connections came.
    foreign: Vec<Moment>,
    /// Payloads put together from fragments.
    reassembled: Vec<u8>,
}

/// A segment without its payload, and where that is.
#[derive(Clone, Debug)]
struct SegmentHead {
    at: Moment,
    /// See [`partition::slice`].
    slice: u8,
    src: Endpoint,
    dst: Endpoint,
    seq: u32,
    ack: u32,
    window: u16,
    window_scale: WindowScale,
    flags: TcpFlags,
    checksum: Checksum,
    network: Network,
    ip_id: Option<u16>,
    cut: u32,
    payload: Range<u32>,
    in_packet: bool,
}

impl Job {
    /// Decodes the batch's packets from the given one on, until `stop`; finds the segments and their shards.
    pub fn decode(&mut self, decoder: &mut Decoder, packets: Range<usize>) {
        let Batch { bytes, packets: heads, .. } = &self.batch;
        for head in heads.get(packets).unwrap_or_default() {
            let data = bytes.get(head.range.start as usize..head.range.end as usize).unwrap_or_default();
            let at = Moment { packet: head.number, time: head.time };
            self.now = Moment { packet: at.packet, time: self.now.time.max(at.time) };
            let Some(segment) = decoder.decode(at, head.link.0, head.original_len, data) else {
                if decoder.was_foreign() {
                    self.foreign.push(at);
                }
                continue;
            };
            let (start, in_packet) = if let Some(offset) = offset_within(data, segment.payload) {
                (head.range.start + offset as u32, true)
            } else {
                let start = self.reassembled.len() as u32;
                self.reassembled.extend_from_slice(segment.payload);
                (start, false)
            };
            let slice = partition::slice(segment.src, segment.dst);
            if let Some(list) = self.shards.get_mut(slice % SHARDS) {
                list.push(self.segments.len() as u32);
            }
            self.segments.push(SegmentHead {
                at,
                slice: slice as u8,
                src: segment.src,
                dst: segment.dst,
                seq: segment.seq,
                ack: segment.ack,
                window: segment.window,
                window_scale: segment.window_scale,
                flags: segment.flags,
                checksum: segment.checksum,
                network: segment.network,
                ip_id: segment.ip_id,
                cut: segment.cut,
                payload: start..start + segment.payload.len() as u32,
                in_packet,
            });
        }
    }

    /// All segments, in the order of the packets.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'_>> {
        self.segments.iter().map(|place| self.segment(place))
    }

    /// The segments of one shard, in the order of the packets, each with the lane of its connection: which slice of the
    /// shard it is in.
    pub fn of_shard(&self, shard: usize) -> impl Iterator<Item = (usize, Segment<'_>)> {
        let list = self.shards.get(shard).map_or(&[][..], Vec::as_slice);
        list.iter().filter_map(|&index| {
            let place = self.segments.get(index as usize)?;
            Some((usize::from(place.slice) / SHARDS, self.segment(place)))
        })
    }

    /// About how much work its workers have with it, in small segments: see [`tuning::WORTH_WAKING`]. Where `content` is looked
    /// at, decrypted or decoded, octets count, too.
    pub(super) fn weight(&self, content: bool) -> usize {
        if self.task != Task::Analyze {
            return tuning::WORTH_WAKING;
        }
        let content = content || self.keys.as_ref().is_some_and(|keys| !keys.is_empty());
        let content = if content { self.batch.bytes.len() } else { 0 };
        self.segments.len() + content / tuning::SEGMENT_OCTETS
    }

    /// When segments of other parts' connections came, in the order of the packets.
    pub fn foreign(&self) -> &[Moment] {
        &self.foreign
    }

    /// Empties the job and keeps its memory.
    pub fn clear(&mut self) {
        self.batch.clear();
        self.segments.clear();
        self.segments.shrink_to(tuning::LIST_KEPT / size_of::<SegmentHead>());
        self.shards.iter_mut().for_each(Vec::clear);
        self.foreign.clear();
        self.reassembled.clear();
        self.reassembled.shrink_to(tuning::TEXT_KEPT);
        (self.task, self.keys, self.origins) = (Task::Analyze, None, None);
    }

    fn segment(&self, place: &SegmentHead) -> Segment<'_> {
        let bytes = if place.in_packet { &self.batch.bytes } else { &self.reassembled };
        let payload = bytes.get(place.payload.start as usize..place.payload.end as usize).unwrap_or_default();
        Segment {
            at: place.at,
            src: place.src,
            dst: place.dst,
            seq: place.seq,
            ack: place.ack,
            window: place.window,
            window_scale: place.window_scale,
            flags: place.flags,
            checksum: place.checksum,
            network: place.network,
            ip_id: place.ip_id,
            payload,
            cut: place.cut,
        }
    }
}
