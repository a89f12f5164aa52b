//! A process of a run: where it stands, and what it has seen and reported.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::calls::Touched;
use super::world::{Content, Lock, Member};
use crate::support::Stepped;

/// Where a process stands.
#[derive(Clone, Debug)]
pub(super) enum At {
    Call(Touched),
    /// Until every other process has taken a step, so that no retry is in vain; see [`Run::ready`](super::run::Run).
    Sleep,
    /// It holds, and waits for the others.
    Hold,
    Ended,
    Killed,
}

/// A process of the scenario.
pub(super) struct Actor {
    pub(super) stepped: Option<Stepped>,
    pub(super) at: At,
    /// Every call so far, with what it met and how it ended.
    pub(super) history: u64,
    attempt: Attempt,
    pub(super) reports: Vec<String>,
    /// What could be seen of the file from its first step to its answer.
    pub(super) seen: BTreeSet<Moment>,
    /// While it sleeps: the processes that were awake then and have taken no step since.
    pub(super) rests_for: BTreeSet<Member>,
    /// Whether its last step was to read the list of all locks.
    pub(super) has_read_locks: bool,
}

impl Actor {
    pub(super) fn new(stepped: Stepped) -> Actor {
        Actor {
            stepped: Some(stepped),
            at: At::Sleep,
            history: 0,
            attempt: Attempt::Ahead,
            reports: Vec::new(),
            seen: BTreeSet::new(),
            rests_for: BTreeSet::new(),
            has_read_locks: false,
        }
    }

    /// It takes its next step.
    pub(super) fn begin(&mut self, now: &Moment) {
        if self.attempt == Attempt::Ahead {
            self.attempt = Attempt::Begun;
            self.see(now);
        }
    }

    /// It might see this, until it has its answer.
    pub(super) fn see(&mut self, now: &Moment) {
        if self.attempt == Attempt::Begun {
            self.seen.insert(now.clone());
            if self.answer().is_some() {
                self.attempt = Attempt::Answered;
            }
        }
    }

    /// Adds to its history.
    pub(super) fn remember(&mut self, what: &impl Hash) {
        let mut hasher = DefaultHasher::new();
        (self.history, what).hash(&mut hasher);
        self.history = hasher.finish();
    }

    pub(super) fn has_reported(&self, what: &str) -> bool {
        self.reports.iter().any(|report| report == what)
    }

    /// What it was told: the report of a start, an adoption or a status.
    pub(super) fn answer(&self) -> Option<&str> {
        let mut reports = self.reports.iter().map(String::as_str);
        reports.find(|report| {
            *report == "held" || report.starts_with("refused ") || report.starts_with("status ")
        })
    }

    /// Whether it has been told that it holds, and has not begun to release.
    pub(super) fn is_inside(&self) -> bool {
        self.has_reported("held") && !self.has_reported("releasing") && !self.is_over()
    }

    /// Whether it has held at all.
    pub(super) fn has_held(&self) -> bool {
        self.has_reported("held")
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.at, At::Ended | At::Killed)
    }

    pub(super) fn stepped(&mut self) -> &mut Stepped {
        self.stepped.as_mut().expect("it has not ended")
    }
}

/// Whether a process has begun what it is there for, and got its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Ahead,
    Begun,
    Answered,
}

/// What has the name that all want, after a turn.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Moment {
    pub(super) content: Option<Content>,
    pub(super) lock: Lock,
    /// The process that has it locked.
    pub(super) locked_by: Option<Member>,
}
