//! The files of the store's engine, read without it: to see what it would make of damaged ones, and
//! to save what it would drop.
//!
//! | file | job |
//! |---|---|
//! | `wal` | log files, record by record |
//! | `changes` | the changes in a record of a log |
//! | `logs` | what is wrong with all of them |
//! | `contents` | whether the table of contents is whole, which logs belong to it, and which tables |
//! | `closed` | how far the files went that a clean close has left |
//! | `tables` | by which session a table was written |
//! | `varint` | numbers of variable length |

pub(crate) mod changes;
pub(crate) mod closed;
pub(crate) mod contents;
pub(crate) mod logs;
pub(crate) mod tables;
mod varint;
pub(crate) mod wal;
