//! Who meets on the file, and what may happen to them.

use std::env;

/// How a start makes its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Without a name, and then a link.
    Nameless,
    /// Under a hidden name, and then a link.
    Hidden,
    /// Under a hidden name, and then a rename.
    Renamed,
    /// Under its own name.
    OwnName,
    /// Not at all: it writes into the stale file.
    InPlace,
}

impl Form {
    /// What the kernel must refuse.
    pub(super) fn steps(self) -> &'static str {
        match self {
            Form::Nameless => "",
            Form::Hidden => "no-nameless-files ",
            Form::Renamed => "no-nameless-files no-links ",
            Form::OwnName => "no-nameless-files no-links no-renames ",
            Form::InPlace => "no-changes ",
        }
    }
}

/// What is there before the processes start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    Nothing,
    Stale(&'static str),
    /// What a killed adoption leaves.
    Step(&'static str),
    StaleAndStep(&'static str),
}

impl Leave {
    /// What the file contains before the processes start.
    pub(super) fn stale(self) -> Option<&'static str> {
        match self {
            Leave::Stale(content) | Leave::StaleAndStep(content) => Some(content),
            Leave::Nothing | Leave::Step(_) => None,
        }
    }
}

/// Processes, and what may happen to them.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    pub(super) form: Form,
    pub(super) leave: Leave,
    /// What is done before the processes are forked.
    pub(super) before: &'static str,
    pub(super) processes: &'static [&'static str],
    /// Whether one of them is killed, or the file is removed.
    pub(super) kills: bool,
    pub(super) removes: bool,
    pub(super) switches: usize,
}

impl Scenario {
    /// Whether the processes share what another one has reserved.
    pub(super) fn has_parent(&self) -> bool {
        !self.before.is_empty()
    }

    pub(super) fn line(&self) -> String {
        let form = self.form.steps();
        let processes: Vec<_> = self
            .processes
            .iter()
            .map(|steps| format!("{form}{steps}"))
            .collect();
        let processes = processes.join(";");
        if self.before.is_empty() {
            processes
        } else {
            format!("{form}{}/{processes}", self.before)
        }
    }

    pub(super) fn switches(&self) -> usize {
        match env::var("PIDFILE_SWITCHES").as_deref() {
            Err(_) => self.switches,
            Ok("all") => usize::MAX,
            Ok(number) => number.parse().expect("a number or `all`"),
        }
    }
}

pub(super) const STARTER: &str = "acquire hold verify release";
pub(super) const RELEASER: &str = "acquire ready release";
pub(super) const ADOPTER: &str = "adopt hold verify release";
pub(super) const READER: &str = "status";
pub(super) const DEAD: &str = "4194305\n";

/// Two starters on a free path.
pub(super) const START: Scenario = Scenario {
    form: Form::Nameless,
    leave: Leave::Nothing,
    before: "",
    processes: &[STARTER, STARTER],
    kills: false,
    removes: false,
    switches: 1,
};

/// Two starters on a stale file.
pub(super) const TAKE_OVER: Scenario = Scenario {
    leave: Leave::Stale(DEAD),
    ..START
};

/// A starter beside a holder that releases.
pub(super) const RELEASE: Scenario = Scenario {
    processes: &[RELEASER, STARTER],
    ..START
};

/// Two children of a process that has reserved.
pub(super) const ADOPTION: Scenario = Scenario {
    before: "reserve",
    processes: &[ADOPTER, ADOPTER],
    ..START
};
