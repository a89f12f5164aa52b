//! Two children adopt the same reservation: exactly one of them holds, however the kernel schedules
//! them.
//!
//! The test runs both children one system call at a time and goes through every order. Orders that
//! differ only in calls that do not concern each other have the same outcome; one of them is run.
//! What remains is found by a depth-first search with sleep sets (Godefroid, 1996): a run follows the
//! recorded choices, and goes on at the last one that leaves another child to go first.
//!
//! Beside a leftover the two meet at so many calls that the orders are bounded by how often one child
//! interrupts the other (Musuvathi and Qadeer, 2007). `PIDFILE_SWITCHES` sets another bound.

mod calls;

use std::collections::BTreeSet;
use std::{env, fs};

use nix::libc;
use pidfile::{Options, Status};

use self::calls::{Place, Step};
use crate::support::{Program, Sandbox, Stepped, eventually, holder, is_locked, refused};

/// Beside a leftover, for a run of seconds.
const SWITCHES: usize = 3;

/// A child, by its index.
type Child = usize;

/// A point at which both children could go on.
#[derive(Debug)]
struct Choice {
    chosen: Child,
    steps: [Option<Step>; 2],
    /// Children that need not go first here: it was tried, or makes no difference.
    asleep: BTreeSet<Child>,
}

/// The recorded choices, and how many runs there were.
struct Search {
    choices: Vec<Choice>,
    runs: usize,
    /// How often a child may be interrupted that could go on.
    switches: usize,
}

impl Search {
    /// Who goes first at this depth. `None` if every order from here was seen.
    fn choose(&mut self, depth: usize, steps: [Option<Step>; 2]) -> Option<Child> {
        if let Some(choice) = self.choices.get_mut(depth) {
            choice.steps = steps;
            return Some(choice.chosen);
        }
        // Asleep before, and not woken by the step that was taken since.
        let asleep = depth.checked_sub(1).map_or_else(BTreeSet::new, |before| {
            let before = &self.choices[before];
            let taken = before.steps[before.chosen].as_ref().expect("it was taken");
            let still = |child: &Child| {
                let step = before.steps[*child].as_ref();
                *child != before.chosen && step.is_some_and(|step| !step.concerns(taken))
            };
            before.asleep.iter().copied().filter(still).collect()
        });
        // Whoever went last goes on, so that a switch is a choice of its own.
        let last = self.choices.last().map_or(0, |choice| choice.chosen);
        let may_go = |child: &Child| steps[*child].is_some() && !asleep.contains(child);
        let chosen = [last, 1 - last].into_iter().find(may_go)?;
        self.choices.push(Choice {
            chosen,
            steps,
            asleep,
        });
        Some(chosen)
    }

    /// Turns to the next order. `false` if there is none.
    fn next(&mut self) -> bool {
        while let Some(mut choice) = self.choices.pop() {
            choice.asleep.insert(choice.chosen);
            let other = 1 - choice.chosen;
            if choice.steps[other].is_some() && !choice.asleep.contains(&other) {
                choice.chosen = other;
                self.choices.push(choice);
                if self.count_switches() <= self.switches {
                    return true;
                }
                self.choices.pop();
            }
        }
        false
    }

    fn count_switches(&self) -> usize {
        self.choices
            .windows(2)
            .filter(|pair| {
                let last = pair[0].chosen;
                pair[1].chosen != last && pair[1].steps[last].is_some()
            })
            .count()
    }
}

/// A parent that has reserved, and its two children that are about to adopt.
fn prepare(sandbox: &Sandbox) -> (Program, Vec<Stepped>) {
    let steps = "reserve fork=wait,adopt,wait fork=wait,adopt,wait reap reap";
    let mut parent = holder(sandbox.pidfile()).steps(steps).start();
    parent.expect("reserved ");
    let list = format!("/proc/{0}/task/{0}/children", parent.pid());
    let mut children = Vec::new();
    eventually("two children that wait for a line", || {
        let text = fs::read_to_string(&list).unwrap_or_default();
        children = text
            .split_whitespace()
            .filter_map(|word| word.parse().ok())
            .collect();
        let waits = |pid: &u32| {
            fs::read_to_string(format!("/proc/{pid}/syscall"))
                .is_ok_and(|call| call.starts_with(&format!("{} 0x0 ", libc::SYS_read)))
        };
        children.len() == 2 && children.iter().all(waits)
    });
    let stepped = children.iter().map(|&pid| Stepped::stop(pid)).collect();
    parent.tell();
    parent.tell();
    (parent, stepped)
}

/// Advances a child to its next call that concerns the other one at all. `None` when it is about to
/// report.
fn advance(child: &mut Stepped, place: &Place) -> Option<Step> {
    loop {
        let call = child.next_call().expect("a child reports before it ends");
        if call.number == libc::SYS_write && call.arguments[0] == 1 {
            return None;
        }
        let step = Step::of(child, &call, place);
        if !step.objects.is_empty() {
            return Some(step);
        }
        assert!(child.make_call(), "a child reports before it ends");
    }
}

/// One run. `false` if it was cut short, because its outcome is known.
#[track_caller]
fn run(sandbox: &Sandbox, search: &mut Search) -> bool {
    let path = sandbox.pidfile();
    let (mut parent, mut children) = prepare(sandbox);
    let place = Place::of(sandbox);
    let mut steps: Vec<_> = children
        .iter_mut()
        .map(|child| advance(child, &place))
        .collect();
    let mut depth = 0;
    while steps.iter().any(Option::is_some) {
        let pending = [steps[0].clone(), steps[1].clone()];
        let Some(child) = search.choose(depth, pending) else {
            children.into_iter().for_each(Stepped::kill);
            return false;
        };
        assert!(
            children[child].make_call(),
            "a child reports before it ends"
        );
        steps[child] = advance(&mut children[child], &place);
        depth += 1;
        assert!(depth < 500, "they go on and on");
    }
    drop(children);

    let mut answers = [parent.line().unwrap(), parent.line().unwrap()];
    answers.sort();
    let order = || {
        let line = |choice: &Choice| {
            let step = choice.steps[choice.chosen].as_ref();
            format!(
                "\n  child {}: {:?}",
                choice.chosen,
                step.expect("it was taken")
            )
        };
        search.choices.iter().map(line).collect::<String>()
    };
    assert!(
        answers[0].starts_with("held "),
        "{answers:?} after {}",
        order()
    );
    assert!(
        answers[1].starts_with("refused\tLost\t"),
        "{answers:?} after {}",
        order()
    );
    let winner: u32 = answers[0].split(' ').nth(1).unwrap().parse().unwrap();
    // The winner's lock is its own, and no third process gets in.
    assert!(is_locked(&path), "after {}", order());
    let record = fs::read_to_string(&path).ok();
    assert_eq!(record, Some(format!("{winner}\n")), "after {}", order());
    let error = refused(pidfile::PidFile::acquire(&path));
    assert_eq!(error.pid(), Some(winner), "{error:?}");
    let status = Options::new().path(&path).status().unwrap();
    assert_eq!(status, Status::Held { pid: Some(winner) });
    sandbox.assert_names(["it.pid"]);
    // Both are gone before the next run.
    parent.let_go();
    parent.expect_exit(0);
    true
}

/// Every order of the two, beside what `leave` has put there.
#[track_caller]
fn assert_one_adopts(switches: usize, leave: impl Fn(&Sandbox)) {
    let wanted = env::var("PIDFILE_SWITCHES").ok();
    let mut search = Search {
        choices: Vec::new(),
        runs: 0,
        switches: wanted.map_or(switches, |wanted| wanted.parse().expect("a number")),
    };
    let sandbox = Sandbox::new();
    let mut complete = 0;
    loop {
        leave(&sandbox);
        complete += usize::from(run(&sandbox, &mut search));
        search.runs += 1;
        for name in sandbox.names() {
            fs::remove_file(sandbox.path(name.to_str().unwrap())).unwrap();
        }
        if !search.next() {
            break;
        }
    }
    println!("{complete} orders, {} runs", search.runs);
    assert!(complete > 1, "there is more than one order");
}

#[test]
fn of_two_children_that_adopt_one_holds_in_every_order_of_their_calls() {
    assert_one_adopts(usize::MAX, |_| ());
}

#[test]
fn of_two_children_that_adopt_beside_a_leftover_one_holds_in_every_order_of_their_calls() {
    assert_one_adopts(SWITCHES, |sandbox| {
        sandbox.file(".it.pid.adopt", "2147483646\n");
    });
}

#[test]
fn of_two_children_that_adopt_beside_an_empty_leftover_one_holds_in_every_order() {
    assert_one_adopts(SWITCHES, |sandbox| {
        sandbox.file(".it.pid.adopt", "");
    });
}
