//! WebSocket (RFC 6455) as it runs over an HTTP/2 stream (RFC 8441), with permessage-deflate (RFC 7692).

use super::credit::Credit;
use super::inflate::{Inflate, Wrapper};
use crate::base::limits::BODY_EXPANSION;

/// Bytes that are inflated at once.
const PIECE: usize = 8 << 10;

/// What a message is (RFC 6455 section 11.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opcode {
    /// Text.
    Text,
    /// Bytes.
    Binary,
    /// The end.
    Close,
    /// Are you there?
    Ping,
    /// Yes.
    Pong,
    /// None that is defined.
    Other(u8),
}

impl Opcode {
    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Binary => "binary",
            Self::Close => "close",
            Self::Ping => "ping",
            Self::Pong => "pong",
            Self::Other(_) => "other",
        }
    }

    const fn of(number: u8) -> Self {
        match number {
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            other => Self::Other(other),
        }
    }
}

/// Why a message's content is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is longer than what is kept.
    TooLong,
    /// All that is decoded is more than what was sent pays for.
    Expansion,
    /// Some of it is not in the capture.
    Lost,
    /// It is compressed with what earlier messages held, of which something was missed.
    Context,
    /// It does not decompress.
    Damaged,
    /// It is changed by an extension that is not known to have been agreed on.
    Unknown,
}

/// A message, put together from its fragments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its kind.
    pub opcode: Opcode,
    /// Octets on the wire, without headers.
    pub wire_size: u64,
    /// Frames that it came in.
    pub fragments: u32,
    /// Compressed with permessage-deflate.
    pub compressed: bool,
    /// The content.
    pub content: Result<&'a [u8], Missing>,
}

/// Reads one direction.
pub struct WebSocket {
    limit: usize,
    header: [u8; 14],
    have: usize,
    frame: Frame,
    state: FrameState,
    message: Assembly,
    control: Assembly,
    inflate: Option<Compression>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Frame {
    fin: bool,
    opcode: u8,
    left: u64,
    mask: Option<[u8; 4]>,
    at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameState {
    Header,
    Payload,
    /// Where the next frame begins is not known.
    Astray,
}

/// A message in the making.
#[derive(Debug, Default)]
struct Assembly {
    opcode: Option<u8>,
    compressed: bool,
    wire_size: u64,
    fragments: u32,
    content: Vec<u8>,
    missing: Option<Missing>,
}

/// permessage-deflate of this direction.
struct Compression {
    inflate: Inflate,
    /// The window is carried from message to message.
    takeover: bool,
    /// What the window holds is not known.
    broken: bool,
    /// Bytes that went in, and that came out.
    read: u64,
    written: u64,
}

impl WebSocket {
    /// Messages of up to `limit` bytes are kept. `deflate`: what was agreed on for this direction, and whether the window
    /// is carried over from message to message.
    pub fn new(limit: usize, deflate: Option<bool>) -> Self {
        let inflate = deflate.map(|takeover| Compression {
            inflate: Inflate::new(Wrapper::Raw),
            takeover,
            broken: false,
            read: 0,
            written: 0,
        });
        Self {
            limit,
            header: [0; 14],
            have: 0,
            frame: Frame::default(),
            state: FrameState::Header,
            message: Assembly::default(),
            control: Assembly::default(),
            inflate,
        }
    }

    /// The next bytes.
    pub fn push(&mut self, mut bytes: &[u8], credit: &Credit, sink: &mut dyn FnMut(Message<'_>)) {
        while !bytes.is_empty() {
            match self.state {
                FrameState::Astray => return,
                FrameState::Header => {
                    let Some((&octet, rest)) = bytes.split_first() else { return };
                    bytes = rest;
                    if let Some(place) = self.header.get_mut(self.have) {
                        *place = octet;
                    }
                    self.have += 1;
                    if self.begin() && self.frame.left == 0 {
                        self.end_frame(credit, sink);
                    }
                }
                FrameState::Payload => {
                    let left = usize::try_from(self.frame.left).unwrap_or(usize::MAX);
                    let (now, rest) = bytes.split_at(bytes.len().min(left));
                    bytes = rest;
                    self.frame.left -= now.len() as u64;
                    self.payload(now, credit);
                    if self.frame.left == 0 {
                        self.end_frame(credit, sink);
                    }
                }
            }
        }
    }

    /// Reads the header when it is whole (RFC 6455 section 5.2).
    fn begin(&mut self) -> bool {
        let [first, second, rest @ ..] = self.header;
        let extended = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let masked = second & 0x80 != 0;
        if self.have < 2 + extended + if masked { 4 } else { 0 } {
            return false;
        }
        let (length, rest) = rest.split_at(extended);
        let length = if extended == 0 {
            u64::from(second & 0x7f)
        } else {
            length.iter().fold(0, |length, octet| length << 8 | u64::from(*octet))
        };
        let mask = if masked { rest.first_chunk().copied() } else { None };
        self.frame = Frame { fin: first & 0x80 != 0, opcode: first & 0x0f, left: length, mask, at: 0 };
        (self.have, self.state) = (0, FrameState::Payload);
        let compressed = first & 0x40 != 0;
        let unknown = (compressed && self.inflate.is_none()).then_some(Missing::Unknown);
        // RSV2 and RSV3, a control frame in fragments or of more than 125 octets: this is no frame.
        let control = self.frame.opcode & 8 != 0;
        if first & 0x30 != 0 || length >> 63 != 0 || (control && (length > 125 || !self.frame.fin)) {
            self.state = FrameState::Astray;
            return false;
        }
        let opcode = self.frame.opcode;
        let assembly = self.assembly();
        if opcode != 0 {
            *assembly =
                Assembly { opcode: Some(opcode), compressed, missing: unknown, ..Assembly::default() };
        }
        assembly.fragments = assembly.fragments.saturating_add(1);
        assembly.wire_size = assembly.wire_size.saturating_add(length);
        true
    }

    fn assembly(&mut self) -> &mut Assembly {
        if self.frame.opcode & 8 == 0 { &mut self.message } else { &mut self.control }
    }

    fn payload(&mut self, bytes: &[u8], credit: &Credit) {
        let Some(mask) = self.frame.mask else { return self.content(bytes, credit) };
        let mut plain = [0; 1024];
        for piece in bytes.chunks(plain.len()) {
            let at = self.frame.at;
            let mask = mask.iter().cycle().skip(at & 3);
            plain.iter_mut().zip(piece).zip(mask).for_each(|((to, octet), mask)| *to = octet ^ mask);
            self.frame.at = at.wrapping_add(piece.len());
            self.content(plain.get(..piece.len()).unwrap_or_default(), credit);
        }
    }

    fn content(&mut self, bytes: &[u8], credit: &Credit) {
        let limit = self.limit;
        let compressed = self.assembly().compressed;
        if !compressed {
            self.assembly().extend(bytes, limit);
            return;
        }
        if let Some(compression) = &mut self.inflate {
            let assembly = if self.frame.opcode & 8 == 0 { &mut self.message } else { &mut self.control };
            compression.inflate(bytes, assembly, limit, credit);
        }
    }

    fn end_frame(&mut self, credit: &Credit, sink: &mut dyn FnMut(Message<'_>)) {
        self.state = FrameState::Header;
        if !self.frame.fin {
            return;
        }
        let limit = self.limit;
        let control = self.frame.opcode & 8 != 0;
        let mut assembly = std::mem::take(self.assembly());
        if assembly.compressed
            && !control
            && let Some(compression) = &mut self.inflate
        {
            compression.end(&mut assembly, limit, credit);
        }
        // A continuation whose beginning was lost has no opcode.
        let Some(opcode) = assembly.opcode else { return };
        let content = assembly.missing.map_or(Ok(assembly.content.as_slice()), Err);
        sink(Message {
            opcode: Opcode::of(opcode),
            wire_size: assembly.wire_size,
            fragments: assembly.fragments,
            compressed: assembly.compressed,
            content,
        });
    }

    /// Bytes that are not in the capture; `None`: nobody knows how many.
    pub fn gap(&mut self, length: Option<u64>, credit: &Credit, sink: &mut dyn FnMut(Message<'_>)) {
        match length {
            Some(0) => {}
            Some(length) if self.state == FrameState::Payload && length <= self.frame.left => {
                self.frame.left -= length;
                self.frame.at = self.frame.at.wrapping_add(length as usize);
                let assembly = self.assembly();
                assembly.lose(Missing::Lost);
                let compressed = assembly.compressed;
                if let Some(compression) = self.inflate.as_mut().filter(|_| compressed) {
                    compression.broken = true;
                }
                if self.frame.left == 0 {
                    self.end_frame(credit, sink);
                }
            }
            _ => {
                self.state = FrameState::Astray;
                (self.message, self.control) = (Assembly::default(), Assembly::default());
            }
        }
    }

    /// The stream may end here: no frame has begun.
    pub fn at_end(&self) -> bool {
        self.state == FrameState::Header && self.have == 0 && self.message.opcode.is_none()
    }

    /// Bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        let inflate = if self.inflate.is_some() { Inflate::MEMORY } else { 0 };
        inflate + self.message.content.capacity() + self.control.content.capacity()
    }
}

impl Assembly {
    fn extend(&mut self, bytes: &[u8], limit: usize) {
        if self.missing.is_none() && self.content.len() + bytes.len() > limit {
            self.lose(Missing::TooLong);
        }
        if self.missing.is_none() {
            self.content.extend_from_slice(bytes);
        }
    }

    fn lose(&mut self, missing: Missing) {
        self.missing = self.missing.or(Some(missing));
        self.content = Vec::new();
    }
}

impl Compression {
    fn inflate(&mut self, mut bytes: &[u8], assembly: &mut Assembly, limit: usize, credit: &Credit) {
        self.read += bytes.len() as u64;
        if self.broken {
            assembly.lose(Missing::Context);
            return;
        }
        let mut out = [0; PIECE];
        // What one input byte may cost is bounded by the format: 1,032 bytes.
        loop {
            let (progress, damage) = self.inflate.step(bytes, &mut out);
            bytes = bytes.get(progress.read..).unwrap_or_default();
            self.written += progress.written as u64;
            if !credit.decode(progress.written as u64, self.written <= BODY_EXPANSION * self.read) {
                assembly.lose(Missing::Expansion);
                self.broken = true;
                return;
            }
            assembly.extend(out.get(..progress.written).unwrap_or_default(), limit);
            // A final block within a message ends its deflate stream; RFC 7692 section 7.2.3.4 allows it.
            if self.inflate.at_end() {
                self.inflate.reset();
                if bytes.is_empty() || progress.read == 0 {
                    return;
                }
                continue;
            }
            if damage.is_some() {
                assembly.lose(Missing::Damaged);
                self.broken = true;
                return;
            }
            let stuck = progress.read == 0 && progress.written == 0;
            if stuck || (bytes.is_empty() && progress.written < out.len()) {
                return;
            }
        }
    }

    /// The message is over: the empty block that its sender left out (RFC 7692 section 7.2.2).
    fn end(&mut self, assembly: &mut Assembly, limit: usize, credit: &Credit) {
        self.inflate(&[0, 0, 0xff, 0xff], assembly, limit, credit);
        if !self.takeover {
            self.inflate.reset();
            self.broken = false;
        }
    }
}

#[cfg(test)]
mod tests;
