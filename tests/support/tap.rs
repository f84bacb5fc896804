//! A wire between a client and a server in this process, with a recorder on it.

use super::conversation::{Event, Side};
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// What the ends did, in the order of doing it.
pub(crate) type Tape = Arc<Mutex<Vec<Event>>>;

/// One end of the wire.
#[derive(Debug)]
pub(crate) struct Tap {
    stream: DuplexStream,
    side: Side,
    tape: Tape,
    closed: bool,
}

/// Client's end, server's end, and the tape. The wire holds so many bytes in each direction.
pub(crate) fn wire(capacity: usize) -> (Tap, Tap, Tape) {
    let (client, server) = tokio::io::duplex(capacity);
    let tape = Tape::default();
    let tap = |stream, side| Tap { stream, side, tape: Arc::clone(&tape), closed: false };
    (tap(client, Side::Client), tap(server, Side::Server), tape)
}

/// Takes the recording.
pub(crate) fn recording(tape: &Tape) -> Vec<Event> {
    std::mem::take(&mut tape.lock().unwrap())
}

impl Tap {
    fn close(&mut self) {
        if !std::mem::replace(&mut self.closed, true) {
            self.tape.lock().unwrap().push(Event::Closed(self.side));
        }
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.close();
    }
}

impl AsyncRead for Tap {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Tap {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = result {
            let event = Event::Wrote(self.side, bytes[..written].to_vec());
            self.tape.lock().unwrap().push(event);
        }
        result
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        if result.is_ready() {
            self.close();
        }
        result
    }
}
