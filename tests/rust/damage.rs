//! Damaged files: nothing wrong is ever delivered, what is lost is told, and what is intact can be
//! saved.

mod anywhere;
mod backups;
mod corpus;
mod history;
mod image;
mod logs;
mod repairs;
