//! Damaged files: nothing wrong is ever delivered, what is lost is told, and what is intact can be
//! saved.

mod aimed;
mod anywhere;
mod backups;
mod closed;
mod corpus;
mod cramped;
mod directory;
mod history;
mod image;
mod judge;
mod logs;
mod repairs;
mod small_files;
