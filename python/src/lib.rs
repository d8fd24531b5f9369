//! The Python face, and the only place that names PyO3.
//!
//! | file | job |
//! |---|---|
//! | `module` | what `rocksq._native` exports |
//! | `blocking/`, `nonblocking/` | the classes |
//! | `batch`, `iterators`, `stats`, `watch` | what their methods hand out |
//! | `maintenance` | reports on damaged files |
//! | `arguments`, `items` | from Python |
//! | `bytes` | to Python |
//! | `errors` | exceptions |
//! | `kept` | the Python classes that are named here |
//! | `call` | releasing the GIL, and noticing Ctrl-C |
//! | `logging/` | what the crate tells `tracing`, to Python's `logging` |
//! | `shared`, `exit`, `gate` | how long a queue stays open |
//! | `open_queues` | what is open, and where it was opened |
//! | `migration` | converting queues of rocksq 0.3.0 |
//!
//! The GIL is never held while a call waits for a lock, the disk or another thread. Every call
//! into the queues therefore goes through `call`, and every drop of one through `shared`.
//!
//! The comments on classes and methods are the docstrings that Python shows, so they keep to
//! Python's conventions. `make stubs` copies them into the stubs of `python/rocksq`.

mod arguments;
mod batch;
mod blocking;
mod bytes;
mod call;
mod errors;
mod exit;
mod gate;
mod items;
mod iterators;
mod kept;
mod logging;
mod maintenance;
mod migration;
mod module;
mod nonblocking;
mod open_queues;
mod shared;
mod stats;
mod watch;
