//! Judge: a record and what is known about its process -> stale, live or
//! foreign. Pure: the facts come in as functions, which are called only where
//! the answer matters.

use crate::record::Record;

/// What decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// We have the lock, so no other process does: every record is stale, whichever process it
    /// names.
    Lock,
    /// We have the lock, but the program that wrote the record may not use locks.
    LockAndProgram,
    /// There is no lock; only the process counts.
    Process,
}

/// What a record means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// No process holds the file.
    Stale,
    /// The process with this id may hold it.
    Live(u32),
    /// The file is not a pidfile, for this reason.
    Foreign(String),
}

/// What is known about processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) own: u32,
    pub(crate) is_alive: fn(u32) -> bool,
    pub(crate) is_another_program: fn(u32) -> bool,
}

/// Judges a record.
pub(crate) fn judge(record: &Record, rule: Rule, facts: Facts) -> Verdict {
    let pid = match record {
        Record::Foreign(why) => return Verdict::Foreign(why.clone()),
        Record::Empty => return Verdict::Stale,
        Record::Pid(pid) => *pid,
    };
    let live = match rule {
        Rule::Lock => false,
        // Our own id was left by an earlier process, as in a container that starts as pid 1 again.
        _ if pid == facts.own => false,
        Rule::LockAndProgram => (facts.is_alive)(pid) && !(facts.is_another_program)(pid),
        Rule::Process => (facts.is_alive)(pid),
    };
    if live {
        Verdict::Live(pid)
    } else {
        Verdict::Stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 1;
    const DEAD: u32 = 2;
    const SAME_PROGRAM: u32 = 3;
    const STRANGER: u32 = 4;

    const FACTS: Facts = Facts {
        own: OWN,
        is_alive: |pid| pid != DEAD,
        is_another_program: |pid| pid == STRANGER,
    };

    #[test]
    fn the_lock_makes_every_record_stale() {
        for pid in [OWN, DEAD, SAME_PROGRAM, STRANGER] {
            assert_eq!(judge(&Record::Pid(pid), Rule::Lock, FACTS), Verdict::Stale);
        }
    }

    #[test]
    fn without_trust_in_the_lock_only_our_own_program_is_live() {
        for (pid, verdict) in [
            (OWN, Verdict::Stale),
            (DEAD, Verdict::Stale),
            (SAME_PROGRAM, Verdict::Live(SAME_PROGRAM)),
            (STRANGER, Verdict::Stale),
        ] {
            assert_eq!(
                judge(&Record::Pid(pid), Rule::LockAndProgram, FACTS),
                verdict
            );
        }
    }

    #[test]
    fn without_a_lock_every_other_living_process_is_live() {
        for (pid, verdict) in [
            (OWN, Verdict::Stale),
            (DEAD, Verdict::Stale),
            (SAME_PROGRAM, Verdict::Live(SAME_PROGRAM)),
            (STRANGER, Verdict::Live(STRANGER)),
        ] {
            assert_eq!(judge(&Record::Pid(pid), Rule::Process, FACTS), verdict);
        }
    }

    #[test]
    fn an_empty_file_is_stale_and_a_foreign_one_is_not_ours_under_every_rule() {
        for rule in [Rule::Lock, Rule::LockAndProgram, Rule::Process] {
            assert_eq!(judge(&Record::Empty, rule, FACTS), Verdict::Stale);
            let foreign = Record::Foreign("a text".into());
            assert_eq!(
                judge(&foreign, rule, FACTS),
                Verdict::Foreign("a text".into())
            );
        }
    }
}
