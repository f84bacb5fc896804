//! Real clients and servers in this process, their bytes written as a capture: the program must tell exactly what
//! they saw.

mod h2_streams;
mod hyper_calls;
mod over_tls;
mod proxy;
#[cfg(feature = "proto")]
mod tonic_calls;
