//! What the running program promises, shown on real processes and files. Every
//! test is named after its promise.

mod support;

// Holding.
mod acquire;
mod descriptors;
mod held;
mod stale;
mod status;

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
mod ends;
mod fork;
mod moved;
#[cfg(target_os = "linux")]
mod pid_namespace;
mod signals;
