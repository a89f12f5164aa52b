//! The options, looked up: what to publish, where, and how it ends.

use std::ffi::CStr;

use nix::errno::Errno;

use crate::action::Action;
use crate::cleanup::{self, Policy, Publishing};
use crate::descriptor::Numbers;
use crate::directory;
use crate::error::Result;
use crate::options::Options;
use crate::ownership::Ownership;
use crate::path;
use crate::target::Target;

/// The properties of the file to publish, apart from its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    /// The process to record.
    pub(crate) pid: u32,
    pub(crate) ownership: Ownership,
    /// Whether the file is locked.
    pub(crate) lock: bool,
    pub(crate) at_exit: bool,
    pub(crate) signals: bool,
}

/// For whom a file is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// This process, whose end cleans up.
    Hold,
    /// A process that does not exist yet.
    Reserve,
}

/// What to publish, and where.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) terms: Terms,
    pub(crate) purpose: Purpose,
}

impl Plan {
    /// Looks up what the options and the environment mean now, and opens the place.
    pub(crate) fn new(options: &Options, purpose: Purpose) -> Result<Plan> {
        let pid = cleanup::enrol();
        directory::note_root();
        let ownership = Ownership::resolve(options)?;
        let target = Target::open_or_make(path::resolve(options)?)?;
        Ok(Plan {
            target,
            terms: Terms {
                pid,
                ownership,
                lock: options.lock,
                at_exit: options.at_exit,
                signals: options.signals,
            },
            purpose,
        })
    }

    /// Enters into the registry a file that will be removed at the end, under the name that it is
    /// about to get.
    pub(crate) fn arm(&self, numbers: Numbers, name: &CStr) -> Result<Publishing> {
        self.enter(numbers, name, false)
    }

    /// The same for a file that will be emptied instead.
    pub(crate) fn arm_in_place(&self, numbers: Numbers) -> Result<Publishing> {
        self.enter(numbers, &self.target.name, true)
    }

    fn enter(&self, numbers: Numbers, name: &CStr, in_place: bool) -> Result<Publishing> {
        let policy = Policy {
            at_exit: self.terms.at_exit,
            signals: self.terms.signals,
            in_place,
            reserved: self.purpose == Purpose::Reserve,
        };
        // Refused if the process is ending on another thread.
        cleanup::arm(numbers, name, policy)
            .map_err(|errno: Errno| self.target.cannot(Action::Publish, errno))
    }
}
