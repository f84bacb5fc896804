//! Attacks that are known, each with a bound on memory and time, and what the user is told of it.

mod caps;
mod clock;
mod exports;
mod files;
mod floods;
mod held;
mod http2;
mod lens;
mod measure;
mod memory;
pub(super) mod owners;
mod proportion;
mod sameness;
mod secrets;
mod tcp;
mod text;
mod wire;
