//! Only one of me runs here.

// Rooms that are not joined yet.
#![allow(dead_code, unused_imports)]

mod acquire;
mod action;
mod adopt;
mod cleanup;
mod descriptor;
mod directory;
mod draft;
mod error;
mod guard;
mod hold;
mod in_place;
mod lock;
mod log;
mod look;
mod options;
mod ownership;
mod path;
mod process;
mod publish;
mod record;
mod reservation;
mod status;
mod sys;
mod target;
mod verdict;
mod wait;

pub use action::Action;
pub use error::{Error, Result};
pub use options::Options;
