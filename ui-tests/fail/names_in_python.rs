//! The arguments of Python's `pid`, one mistake each.

use pidfile::pidfile;

#[pidfile(
    pidname = "app",
    piddir = "/run",
    enforce_dotpid_postfix = False,
    force_tmpdir = True,
    lock_pidfile = True,
    allow_samepid = True,
    register_atexit = True,
    register_term_signal_handler = True,
)]
fn main() {}
