//! What the running program promises, shown on real processes and files. Every
//! test is named after its promise.

mod support;

// Holding.
mod acquire;
mod descriptors;
mod held;
mod races;
mod stale;
mod status;
mod waiting;

// What is there, and whose it is.
mod alone;
mod bad_input;
mod bad_options;
mod environment;
#[cfg(target_os = "linux")]
mod fallback;
mod in_place;
mod limits;
mod permissions;
mod places;

// Ending.
mod cleanup;
mod daemons;
mod ends;
mod fork;
mod lost;
mod moved;
mod neighbours;
#[cfg(target_os = "linux")]
mod pid_namespace;
mod signals;
mod storms;
