//! Several sinks that listen to one connection: each event goes to all of them, in order.

use super::anomaly::Anomaly;
use super::block::{Block, BlockEnd, FrameSpot};
use super::event::{EventContext, EventSink, SettingsChange, UpgradeRequest};
use super::foreign::Foreign;
use super::frame::{FrameHeader, FrameView};
use super::hpack;
use super::ledger::WindowChange;
use super::side::Side;
use crate::base::time::Moment;
use crate::flow::GapCause;

macro_rules! hand_on {
    ($($event:ident($($name:ident: $type:ty),*);)*) => {
        impl<A: EventSink, B: EventSink> EventSink for (A, B) {
            fn wants_frames(&self) -> bool {
                self.0.wants_frames() || self.1.wants_frames()
            }
            #[inline]
            fn wanted_fields(&self) -> hpack::NameSet {
                self.0.wanted_fields().with(self.1.wanted_fields())
            }
            $(#[inline]
            fn $event(&mut self, $($name: $type),*) {
                self.0.$event($($name),*);
                self.1.$event($($name),*);
            })*
        }

        impl<A: EventSink> EventSink for Option<A> {
            fn wants_frames(&self) -> bool {
                self.as_ref().is_some_and(A::wants_frames)
            }
            #[inline]
            fn wanted_fields(&self) -> hpack::NameSet {
                self.as_ref().map(A::wanted_fields).unwrap_or_default()
            }
            $(#[inline]
            fn $event(&mut self, $($name: $type),*) {
                if let Some(sink) = self {
                    sink.$event($($name),*);
                }
            })*
        }

        impl<A: EventSink + ?Sized> EventSink for &mut A {
            fn wants_frames(&self) -> bool {
                (**self).wants_frames()
            }
            #[inline]
            fn wanted_fields(&self) -> hpack::NameSet {
                (**self).wanted_fields()
            }
            $(#[inline]
            fn $event(&mut self, $($name: $type),*) {
                (**self).$event($($name),*);
            })*
        }
    };
}

hand_on! {
    frame_header(cx: &EventContext<'_>, header: &FrameHeader, first: Moment);
    block_header(cx: &EventContext<'_>, header: &FrameHeader);
    frame(cx: &EventContext<'_>, frame: &FrameView<'_>);
    frame_cut(cx: &EventContext<'_>, header: &FrameHeader);
    frame_part(cx: &EventContext<'_>, header: &FrameHeader, first: bool);
    block_start(cx: &EventContext<'_>, block: &Block);
    field(field: &hpack::Field<'_>);
    pass_field();
    block_end(cx: &EventContext<'_>, block: &Block, end: &BlockEnd);
    whole_data(cx: &EventContext<'_>, frame: &FrameView<'_>, bytes: &[u8], spot: FrameSpot);
    data(cx: &EventContext<'_>, stream: u32, bytes: &[u8]);
    data_lost(cx: &EventContext<'_>, stream: u32, len: u64, cause: GapCause);
    data_end(cx: &EventContext<'_>, stream: u32, end_stream: bool, spot: FrameSpot);
    reset(cx: &EventContext<'_>, stream: u32, code: Option<u32>, spot: FrameSpot);
    ping(cx: &EventContext<'_>, ack: bool, opaque: [u8; 8]);
    window_changed(cx: &EventContext<'_>, change: WindowChange);
    goaway(cx: &EventContext<'_>, last_stream: u32, code: u32, debug: &[u8]);
    upgraded(cx: &EventContext<'_>, request: &UpgradeRequest<'_>);
    setting(from: Side, id: u16, value: u32);
    settings_changed(cx: &EventContext<'_>, change: &SettingsChange);
    begins(from: Side);
    lost(cx: &EventContext<'_>, cause: GapCause);
    skipped(cx: &EventContext<'_>, bytes: u64);
    foreign(cx: &EventContext<'_>, what: &Foreign);
    anomaly(cx: &EventContext<'_>, stream: u32, anomaly: Anomaly, at: Moment);
}
