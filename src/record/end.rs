//! How a stream or a connection ended.

use super::visit::words;
use crate::http2::Side;

/// How a stream ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamEnd {
    /// Who ended it.
    pub by: EndBy,
    /// By what.
    pub how: EndHow,
    /// The error code, of RST_STREAM and GOAWAY only (RFC 9113 section 7).
    pub code: Option<u32>,
}

/// Who ended a stream or a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndBy {
    /// The client.
    Client,
    /// The server.
    Server,
    /// The TCP connection's end.
    Tcp,
    /// The capture's end, or h2lens itself (expiry, caps).
    #[default]
    Capture,
}

impl From<Side> for EndBy {
    fn from(side: Side) -> Self {
        match side {
            Side::Client => Self::Client,
            Side::Server => Self::Server,
        }
    }
}

/// By what a stream or a connection ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EndHow {
    /// END_STREAM from both sides.
    EndStream,
    /// RST_STREAM.
    RstStream,
    /// GOAWAY whose last stream is an earlier one.
    Goaway,
    /// FIN.
    Fin,
    /// TCP RST.
    Rst,
    /// Expired: idle for too long, or the oldest when a cap was reached.
    Idle,
    /// The capture ended.
    #[default]
    Eof,
}

words! {
    EndBy {
        Client => "client",
        Server => "server",
        Tcp => "tcp",
        Capture => "capture",
    }
}

words! {
    EndHow {
        EndStream => "end_stream",
        RstStream => "rst_stream",
        Goaway => "goaway",
        Fin => "fin",
        Rst => "rst",
        Idle => "idle",
        Eof => "eof",
    }
}
