//! What concerns the connection and no stream: SETTINGS, PING, GOAWAY (RFC 9113 sections 6.5, 6.7, 6.8).

use super::suspicion::Excuse;
use super::{ENABLE_CONNECT_PROTOCOL, Goaway, HEADER_TABLE_SIZE, Judge, MAX_FRAME_SIZE};
use crate::base::time::Moment;
use crate::http2::frame::{self, Flags, FrameView, Settings};
use crate::http2::{Anomaly, EventContext, SettingsChange, Side, error_code};

impl Judge {
    /// SETTINGS (section 6.5).
    pub(super) fn settings(&mut self, from: Side, frame: &FrameView<'_>) {
        let at = frame.at;
        let Some(settings) = Settings::parse(&frame.header, frame.payload) else { return };
        if settings.ack {
            return;
        }
        self.count(from, 0, Anomaly::SettingsFlood, at);
        for (id, value) in settings.iter() {
            let generous = match id {
                HEADER_TABLE_SIZE => value > 4096,
                MAX_FRAME_SIZE => value > 16_384,
                ENABLE_CONNECT_PROTOCOL => value == 1,
                _ => true,
            };
            self.suspicions.excuse(from, at, 1, |excuse| generous && excuse == Excuse::Announced(id));
            let connect_protocol = &mut self.sides[from].connect_protocol;
            if id == ENABLE_CONNECT_PROTOCOL && value == 0 && *connect_protocol {
                self.findings.add(from, 0, Anomaly::SettingsConnectProtocol, at);
            } else if id == ENABLE_CONNECT_PROTOCOL {
                *connect_protocol = value == 1;
            }
        }
    }

    /// SETTINGS, or their acknowledgment, have changed what is in force.
    pub(super) fn change_settings(&mut self, cx: &EventContext<'_>, change: &SettingsChange, at: Moment) {
        let (from, ledger) = (cx.from, cx.ledger);
        match *change {
            SettingsChange::Announced { before, early } => {
                self.swapped |= early;
                let now = ledger.latest_settings(from).initial_window_size;
                self.window_grew(cx, before.initial_window_size, now, at);
            }
            SettingsChange::Acknowledged { before } => {
                if let Some(goaway) = &mut self.sides[from.peer()].goaway {
                    goaway.waits_for_settings &= at.packet > goaway.at.packet;
                }
                let now = ledger.settings(from.peer()).initial_window_size;
                self.window_shrank(cx, before.initial_window_size, now, at);
            }
        }
    }

    /// PING (section 6.7).
    pub(super) fn ping(&mut self, from: Side, frame: &FrameView<'_>) {
        let payload = frame.payload.first_chunk().copied();
        if !frame.header.flags.has(Flags::ACK) {
            if let Some(goaway) = &mut self.sides[from].goaway {
                goaway.ping = goaway.ping.or(payload);
            }
            self.count(from, 0, Anomaly::PingFlood, frame.at);
        } else if let Some(goaway) = &mut self.sides[from.peer()].goaway {
            goaway.received |= goaway.ping.is_some() && goaway.ping == payload;
        }
    }

    /// GOAWAY (section 6.8).
    pub(super) fn goaway(&mut self, cx: &EventContext<'_>, frame: &FrameView<'_>) {
        let from = cx.from;
        let Some(frame::Goaway { last_stream, code, .. }) =
            frame::Goaway::parse(&frame.header, frame.payload)
        else {
            return;
        };
        if code != 0 {
            self.findings.add(from, 0, Anomaly::GoawayError, frame.at);
        }
        let waits_for_settings =
            code == error_code::SETTINGS_TIMEOUT && cx.ledger.unacknowledged_settings(from).is_some();
        match &mut self.sides[from].goaway {
            Some(before) => {
                before.waits_for_settings |= waits_for_settings;
                let increased = last_stream > before.last_stream;
                before.last_stream = before.last_stream.min(last_stream);
                if increased {
                    self.findings.add(from, 0, Anomaly::GoawayIncreased, frame.at);
                }
            }
            none => {
                *none = Some(Goaway {
                    last_stream,
                    at: frame.at,
                    waits_for_settings,
                    ping: None,
                    received: false,
                });
            }
        }
    }
}
