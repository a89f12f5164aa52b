//! The protocol in every order: starters, takers, releasers, readers and adopters meet on the same
//! file, however the kernel schedules them.
//!
//! A test runs real processes one system call at a time with `ptrace`, and goes through every order
//! of the calls that concern another process. One process may be killed before any of its calls, and a
//! bystander may remove the file between any two. What must be true after every turn, and after every
//! complete order, is in `promises`.
//!
//! # What is covered
//!
//! Orders are bounded by how often a process is interrupted that could go on (Musuvathi and Qadeer,
//! 2007); `PIDFILE_SWITCHES` sets another bound, or `all`. Within the bound every order is covered: a
//! run is cut short only in a situation from which an earlier run had at least as many switches left.
//! Two situations are the same if each process has made the same calls with the same answers, the
//! directory looks the same, and each process has seen the same states of the file. What a process
//! does next depends on nothing else, because its clock and its sleeps are replaced.
//!
//! One answer is not certain: `/proc/locks` skips a line now and then, and does so more often on a busy
//! machine. A run that goes another way than before is tried again. If that way is never met again,
//! what could follow on it is given up, and counted in the output.
//!
//! A process that sleeps before a retry lets every other one take a step first. So no process stands
//! still until the patience of another one ends; `named_holder` suspends one for that long. What a process does
//! to a file that has no name yet is no step of its own, and neither is what a message reads in
//! `/proc` about a holder's program and user. Interrupted calls, threads and waiting with inotify are
//! not covered here.

mod actor;
mod calls;
mod family;
mod promises;
mod run;
mod scenario;
mod search;
mod world;

use std::{env, fs};

use self::family::Family;
use self::run::Run;
use self::scenario::{
    ADOPTION, Form, Leave, READER, RELEASE, RELEASER, START, STARTER, Scenario, TAKE_OVER,
};
use self::search::{Advice, Search};
use crate::support::Sandbox;

/// More turns than any order has.
const MOST: usize = 5000;

/// How a run has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    /// Cut short, because what follows is known.
    Known,
    /// It went another way than before.
    Diverged,
}

/// Takes one order.
fn follow(run: &mut Run, search: &mut Search) -> Result<End, String> {
    for depth in 0.. {
        promises::check_turn(run)?;
        if run.is_over() {
            break;
        }
        if depth > MOST {
            return Err("they go on and on".into());
        }
        match search.choose(depth, run.situation(), run.options()) {
            Advice::Take(turn) => run.take(turn),
            Advice::Known => return Ok(End::Known),
            Advice::Diverged => return Ok(End::Diverged),
        }
    }
    Ok(End::Complete)
}

/// Takes one order, and checks it if it is complete.
#[track_caller]
fn try_one(
    scenario: &Scenario,
    family: &mut Family,
    search: &mut Search,
    sandbox: &Sandbox,
) -> End {
    let mut run = Run::start(scenario, family, sandbox);
    let mut end = follow(&mut run, search);
    if end == Ok(End::Complete) {
        end = promises::check_end(&mut run, sandbox).map(|()| End::Complete);
    }
    run.end();
    if end == Ok(End::Complete) {
        end = promises::check_next_start(&run, sandbox).map(|()| End::Complete);
    }
    for name in sandbox.names() {
        fs::remove_file(sandbox.dir().join(name)).expect("it is there");
    }
    end.unwrap_or_else(|why| {
        let order = run.log.join("\n  ");
        panic!("{why}\nof {scenario:#?} in this order:\n  {order}")
    })
}

/// Goes through all orders.
#[track_caller]
fn assert_all_orders(scenario: &Scenario, sandbox: &Sandbox) {
    let mut family = Family::start(&sandbox.pidfile());
    let mut search = Search::new(scenario.switches());
    let (mut orders, mut runs) = (0, 0);
    loop {
        let end = try_one(scenario, &mut family, &mut search, sandbox);
        runs += 1;
        orders += usize::from(end == End::Complete);
        if end != End::Diverged && !search.next() {
            break;
        }
    }
    println!(
        "{orders} orders, {} situations, {runs} runs, {} ways given up: {}",
        search.situations(),
        search.given_up(),
        scenario.line()
    );
    assert!(orders > 1, "there is more than one order");
}

/// The ways to make a file, but for writing into a stale one.
const MAKE: [Form; 4] = [Form::Nameless, Form::Hidden, Form::Renamed, Form::OwnName];

/// The same scenario in several forms. Unless `PIDFILE_SWITCHES` is set, only the first is tried with
/// all of its switches, because the others take more calls; and if a process is killed or the file is
/// removed, which makes many orders, only the first and the last form are tried.
#[track_caller]
fn assert_in_forms(scenario: &Scenario, forms: impl IntoIterator<Item = Form>) {
    let sandbox = Sandbox::new();
    let mut forms: Vec<_> = forms.into_iter().collect();
    if (scenario.kills || scenario.removes) && env::var_os("PIDFILE_SWITCHES").is_none() {
        forms.drain(1..forms.len() - 1);
    }
    for (index, form) in forms.into_iter().enumerate() {
        let switches = scenario.switches.saturating_sub(index.min(1));
        let scenario = Scenario {
            form,
            switches,
            ..*scenario
        };
        assert_all_orders(&scenario, &sandbox);
    }
}

fn with_in_place() -> impl IntoIterator<Item = Form> {
    MAKE.into_iter().chain([Form::InPlace])
}

#[test]
fn of_two_starters_one_holds() {
    assert_in_forms(&START, MAKE);
}

#[test]
fn of_two_starters_one_holds_wherever_one_is_killed() {
    let kills = true;
    assert_in_forms(
        &Scenario {
            kills,
            switches: 0,
            ..START
        },
        MAKE,
    );
}

#[test]
fn of_two_starters_one_holds_wherever_the_file_is_removed_or_one_is_told() {
    let removes = true;
    assert_in_forms(
        &Scenario {
            removes,
            switches: 0,
            ..START
        },
        MAKE,
    );
}

#[test]
fn of_two_takers_one_holds() {
    assert_in_forms(&TAKE_OVER, with_in_place());
}

#[test]
fn of_two_takers_one_holds_wherever_one_is_killed() {
    let kills = true;
    assert_in_forms(
        &Scenario {
            kills,
            switches: 0,
            ..TAKE_OVER
        },
        with_in_place(),
    );
}

#[test]
fn of_two_takers_one_holds_wherever_the_file_is_removed_or_one_is_told() {
    let removes = true;
    assert_in_forms(
        &Scenario {
            removes,
            switches: 0,
            ..TAKE_OVER
        },
        with_in_place(),
    );
}

#[test]
fn of_two_takers_beside_what_an_adoption_left_one_holds() {
    let leave = Leave::StaleAndStep(scenario::DEAD);
    assert_in_forms(&Scenario { leave, ..TAKE_OVER }, [Form::Nameless]);
}

#[test]
fn a_start_beside_a_release_holds_or_was_refused_by_the_holder() {
    assert_in_forms(&RELEASE, MAKE);
}

#[test]
fn a_start_beside_a_release_holds_wherever_one_is_killed() {
    let kills = true;
    assert_in_forms(
        &Scenario {
            kills,
            switches: 0,
            ..RELEASE
        },
        MAKE,
    );
}

#[test]
fn a_start_beside_a_release_holds_wherever_the_file_is_removed() {
    let removes = true;
    assert_in_forms(
        &Scenario {
            removes,
            switches: 0,
            ..RELEASE
        },
        MAKE,
    );
}

#[test]
fn a_status_is_true_while_a_stale_file_is_taken_over() {
    let processes = &[STARTER, READER];
    assert_in_forms(
        &Scenario {
            processes,
            ..TAKE_OVER
        },
        with_in_place(),
    );
}

#[test]
fn of_two_starters_beside_a_release_one_holds_at_most() {
    let processes = &[RELEASER, STARTER, STARTER];
    let scenario = Scenario {
        processes,
        switches: 1,
        ..START
    };
    assert_in_forms(&scenario, [Form::Nameless]);
}

#[test]
fn of_two_takers_one_holds_and_a_status_is_true() {
    let processes = &[STARTER, STARTER, READER];
    let scenario = Scenario {
        processes,
        switches: 0,
        ..TAKE_OVER
    };
    assert_in_forms(&scenario, [Form::Nameless]);
}

#[test]
fn of_two_children_that_adopt_one_holds() {
    assert_in_forms(&ADOPTION, MAKE);
}

#[test]
fn of_two_children_that_adopt_beside_a_leftover_one_holds() {
    for content in ["2147483646\n", ""] {
        let leave = Leave::Step(content);
        assert_in_forms(&Scenario { leave, ..ADOPTION }, [Form::Nameless]);
    }
}

#[test]
fn of_two_children_that_adopt_one_holds_wherever_one_is_killed() {
    let kills = true;
    assert_in_forms(
        &Scenario {
            kills,
            switches: 0,
            ..ADOPTION
        },
        MAKE,
    );
}
