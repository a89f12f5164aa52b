//! Only one of me runs here.

// Rooms that are not joined yet.
#![allow(dead_code, unused_imports)]

mod action;
mod cleanup;
mod descriptor;
mod directory;
mod error;
mod options;
mod ownership;
mod path;
mod process;
mod record;
mod sys;
mod target;
mod verdict;

pub use action::Action;
pub use error::{Error, Result};
pub use options::Options;
