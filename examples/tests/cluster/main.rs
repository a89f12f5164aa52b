//! What `one_in_the_cluster` promises, on a real server.
//!
//! Each test has a server of its own, in a folder of its own, and takes its
//! evidence from that server: the rows that its triggers have written, and its
//! log. The machines of the cluster are processes with a runtime directory each;
//! where a network is cut they have a network each, too.
//!
//! ```text
//! cargo test -p pidfile-examples --test cluster -- --nocapture
//! CLUSTER_ROUNDS=20 cargo test -p pidfile-examples --test cluster -- --nocapture
//! ```
//!
//! The second command repeats each failure 20 times. How long a change of
//! leaders took is printed and never judged.

mod failures;
mod member;
mod network;
mod orderly;
mod pooler;
mod server;
mod system;
