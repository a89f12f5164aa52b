//! A process that no call may reach.

use std::process::{Child, Command, Stdio};

/// A process that has nothing to do with any pidfile. Dropped, it must still be alive.
#[derive(Debug)]
pub(crate) struct Stranger(Child);

impl Stranger {
    pub(crate) fn new() -> Stranger {
        let child = Command::new("sleep")
            .arg("600")
            .stdout(Stdio::null())
            .spawn();
        Stranger(child.expect("sleep"))
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// A file that names it.
    pub(crate) fn record(&self) -> String {
        format!("{}\n", self.pid())
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        let ended = self.0.try_wait().expect("it is our child");
        let _ = self.0.kill();
        let _ = self.0.wait();
        if !std::thread::panicking() {
            assert_eq!(ended, None, "the stranger was harmed");
        }
    }
}
