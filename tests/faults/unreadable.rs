//! A file that cannot be read, because the disk fails.

use std::fs;

use nix::errno::Errno;
use nix::libc;

use super::scene::{DEAD, LEFTOVER};
use crate::support::tracer::{self, Call, Surroundings};
use crate::support::{Sandbox, Snapshot, needs};

struct Unreadable(Errno);

impl Surroundings for Unreadable {
    fn refuses(&self, call: &Call) -> Option<Errno> {
        (call.number == libc::SYS_pread64).then_some(self.0)
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_and_stays() {
    let errors = [Errno::EIO, Errno::ESTALE];
    let all = [
        ("acquire", "it.pid"),
        ("status", "it.pid"),
        ("adopt", LEFTOVER),
    ];
    for (errno, (operation, name)) in errors
        .into_iter()
        .flat_map(|errno| all.map(|it| (errno, it)))
    {
        let sandbox = Sandbox::new();
        let path = sandbox.file(name, DEAD);
        let before = Snapshot::of(&path);
        let run = tracer::run(operation, &sandbox.pidfile(), None, &mut Unreadable(errno));
        let Some(run) = run else {
            needs(false, "permission to trace a process");
            return;
        };
        let error = format!("error Io {}\n", errno as i32);
        assert_eq!(run.output, error, "{operation}");
        assert_eq!(Snapshot::of(&path), before, "{operation}");
        fs::remove_file(&path).unwrap();
        sandbox.assert_next_start_works();
    }
}
