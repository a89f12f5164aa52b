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
mod in_place;
mod limits;
mod permissions;
mod places;

// Ending.
