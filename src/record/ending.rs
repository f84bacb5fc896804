//! Why a connection ended, who is right, and what may be tried again.

use super::visit::words;
use crate::base::tls::Alert;
use std::time::Duration;

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndCause {
    /// GOAWAY with `NO_ERROR` (RFC 9113 section 6.8).
    GoawayGraceful,
    /// GOAWAY with an error.
    GoawayError,
    /// FIN while no exchange was under way.
    IdleClose,
    /// A TCP reset while no exchange was under way.
    Reset,
    /// A TCP reset while exchanges were under way.
    ResetInFlight,
    /// FIN while exchanges were under way.
    FinInFlight,
    /// A TLS alert.
    TlsAlert,
    /// A PING had no acknowledgment.
    KeepaliveTimeout,
    /// The capture ended first.
    CaptureEnd,
}

words! {
    EndCause {
        GoawayGraceful => "goaway_graceful",
        GoawayError => "goaway_error",
        IdleClose => "idle_close",
        Reset => "reset",
        ResetInFlight => "reset_in_flight",
        FinInFlight => "fin_in_flight",
        TlsAlert => "tls_alert",
        KeepaliveTimeout => "keepalive_timeout",
        CaptureEnd => "capture_end",
    }
}

/// A finding that justifies an error that a side named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The finding's code.
    pub code: &'static str,
    /// The packet where it was first seen.
    pub packet: u64,
}

/// How a connection ended, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Why, where HTTP/2 was found.
    pub cause: Option<EndCause>,
    /// The graceful GOAWAY was announced by one that lets all streams end (RFC 9113 section 6.8); `None` where that may be missing.
    pub two_step: Option<bool>,
    /// For so long nothing was sent before.
    pub idle: Option<Duration>,
    /// The TLS alert.
    pub alert: Option<Alert>,
    /// What justifies the error that a GOAWAY names; `None` where it names none, or that is not known.
    pub evidence: Option<Vec<Evidence>>,
}

impl Ending {
    /// A connection over TLS has ended with an alert: that is why, unless a GOAWAY names an error.
    pub fn take_alert(&mut self, alert: Alert) {
        self.alert = Some(alert);
        if self.cause != Some(EndCause::GoawayError) {
            (self.cause, self.idle) = (Some(EndCause::TlsAlert), None);
        }
    }
}

/// Whether an exchange that failed may be tried again without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The server has promised not to have processed it (RFC 9113 section 8.7).
    Safe,
    /// It may have been processed.
    Unknown,
}

words! {
    Retry {
        Safe => "safe",
        Unknown => "unknown",
    }
}
