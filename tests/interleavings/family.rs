//! The program `stepped`, which forks the processes of every run.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::support::{Stepped, progress};

/// A program that waits for the next run.
pub(super) struct Family {
    program: Child,
    stepped: Stepped,
}

impl Family {
    pub(super) fn start(path: &Path) -> Family {
        let program = Command::new(env!("CARGO_BIN_EXE_stepped"))
            .arg(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program");
        let stepped = Stepped::stop_with_its_forks(program.id());
        Family { program, stepped }
    }

    /// The processes of the next run, stopped before their first call; and the process that has
    /// forked them, if that is another one than the program.
    pub(super) fn fork(&mut self, line: &str, count: usize) -> (Vec<Stepped>, Option<Stepped>) {
        progress();
        let mut input = self.program.stdin.as_ref().expect("piped");
        writeln!(input, "{line}").expect("it reads its input");
        if !line.contains('/') {
            let children = (0..count).map(|_| self.stepped.next_fork()).collect();
            return (children, None);
        }
        let mut parent = self.stepped.next_fork();
        let children = (0..count).map(|_| parent.next_fork()).collect();
        parent.let_run();
        (children, Some(parent))
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        // Both fail if it has ended, and then there is nothing to do.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
