//! `pgrep` and `pkill` of procps, with `--logpidfile`: the named process counts only while the file is
//! locked. They take a lock for an instant, and hold nothing.

use std::path::Path;

use nix::sys::signal::Signal::SIGTERM;
use pidfile::Status;

use super::{answer, left_behind};
use crate::support::{Sandbox, Script, Stranger, has_program};

fn tool(name: &str, path: &Path) -> Script {
    let script = Script::of(name).steps("--logpidfile --pidfile");
    script.argument(path)
}

#[test]
fn pgrep_finds_the_holder_and_no_process_afterwards() {
    let sandbox = Sandbox::new();
    if !has_program("pgrep") {
        return;
    }
    let path = sandbox.pidfile();
    let pgrep = || answer(tool("pgrep", &path));
    let mut held = sandbox.hold();
    assert_eq!(pgrep(), (Some(0), held.pid().to_string()));
    held.tell();
    held.expect_exit(0);
    assert_eq!(pgrep(), (Some(1), String::new()));
    left_behind(&sandbox);
    assert_eq!(pgrep(), (Some(1), String::new()));
    let stranger = Stranger::new();
    sandbox.file("it.pid", stranger.record());
    assert_eq!(pgrep(), (Some(1), String::new()));
    sandbox.assert_next_start_works();
}

#[test]
fn pkill_stops_the_holder_and_spares_the_process_that_a_stale_file_names() {
    let sandbox = Sandbox::new();
    if !has_program("pkill") {
        return;
    }
    let path = sandbox.pidfile();
    let mut held = sandbox.hold();
    assert_eq!(answer(tool("pkill", &path)).0, Some(0));
    held.expect_death_by(SIGTERM);
    sandbox.assert_names([]);

    let stranger = Stranger::new();
    sandbox.file("it.pid", stranger.record());
    assert_eq!(answer(tool("pkill", &path)).0, Some(1));
    let pid = Some(stranger.pid());
    assert_eq!(pidfile::status(&path).unwrap(), Status::Stale { pid });
}
