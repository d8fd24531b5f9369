//! The public interface on real directories, one behaviour in each file.

mod fifo;
#[cfg(unix)]
mod fork;
mod formats;
mod growth;
#[cfg(unix)]
mod kill;
mod layers;
mod lifetime;
mod model;
mod mpmc;
mod nonblocking;
#[cfg(target_os = "linux")]
mod resources;
mod support;
mod threads;
