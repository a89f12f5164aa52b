//! Many processes at once.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::{
    Program, Sandbox, Script, a_moment, holder, is_locked, is_tmpfile_supported, names, storm,
};

const STARTERS: usize = 50;

/// Starts them all, lets them go at once, and returns the one that holds.
#[track_caller]
fn race(sandbox: &Sandbox, pid_may_be_missing: bool) -> Vec<Program> {
    let path = sandbox.pidfile();
    let mut starters: Vec<_> = (0..STARTERS)
        .map(|_| holder(&path).steps("say=ready wait acquire wait").start())
        .collect();
    for starter in &mut starters {
        starter.expect("ready");
    }
    for starter in &mut starters {
        starter.tell();
    }
    let mut winners = Vec::new();
    let mut refusals = Vec::new();
    for mut starter in starters {
        let line = starter.line().expect("a word from every starter");
        if line.starts_with("held ") {
            winners.push(starter);
        } else {
            starter.expect_exit(75);
            refusals.push(line);
        }
    }
    assert_eq!(
        (winners.len(), refusals.len()),
        (1, STARTERS - 1),
        "{refusals:?}"
    );
    let winner = winners[0].pid().to_string();
    for line in refusals {
        let words: Vec<_> = line.split('\t').collect();
        assert_eq!(words[..2], ["refused", "Locked"], "{line}");
        assert!(
            words[2] == winner || (words[2].is_empty() && pid_may_be_missing),
            "{line}, not {winner}"
        );
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), format!("{winner}\n"));
    assert!(is_locked(&path));
    sandbox.assert_names(["it.pid"]);
    winners
}

#[test]
fn of_fifty_starters_one_holds_and_the_others_are_told_locked() {
    for _ in 0..storm(1, 20) {
        let sandbox = Sandbox::new();
        let mut winners = race(&sandbox, false);
        winners[0].tell();
        winners[0].expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[test]
fn of_fifty_starters_on_a_stale_file_one_holds_and_the_others_are_told_locked() {
    for _ in 0..storm(1, 20) {
        let sandbox = Sandbox::new();
        sandbox.file("it.pid", "2147483647\n");
        // While the file is replaced, it does not name a living process for a moment.
        let mut winners = race(&sandbox, true);
        winners[0].tell();
        winners[0].expect_exit(0);
        sandbox.assert_names([]);
    }
}

/// For how long six processes contend.
fn contention() -> Duration {
    Duration::from_secs(storm(2, 10))
}

/// A process that acquires and releases the file, and fails if it was not alone or got an error other
/// than `Locked`.
#[track_caller]
fn contender(sandbox: &Sandbox) -> Program {
    let script = Script::of(env!("CARGO_BIN_EXE_contender"));
    let mut program = script
        .argument(sandbox.pidfile())
        .argument(sandbox.path("witness"))
        .start();
    program.expect("ready");
    program
}

/// Lets them end, and returns how often each held the file.
#[track_caller]
fn finish(contenders: Vec<Program>) -> Vec<u64> {
    let finish = |mut program: Program| {
        program.tell();
        let rounds = program.expect("rounds ").parse().unwrap();
        program.expect_exit(0);
        rounds
    };
    contenders.into_iter().map(finish).collect()
}

#[test]
fn of_six_contenders_there_are_never_two_inside_and_the_file_names_the_one() {
    let sandbox = Sandbox::new();
    let contenders: Vec<_> = (0..6).map(|_| contender(&sandbox)).collect();
    // A fixed time, because there is no event to wait for.
    std::thread::sleep(contention());
    let rounds = finish(contenders);
    assert!(rounds.iter().sum::<u64>() > 6, "{rounds:?}");
    sandbox.assert_names(["witness"]);
    sandbox.assert_next_start_works();
}

#[test]
fn of_six_contenders_that_get_killed_there_are_never_two_inside_and_no_litter() {
    let sandbox = Sandbox::new();
    let mut contenders: Vec<_> = (0..6).map(|_| contender(&sandbox)).collect();
    let end = Instant::now() + contention();
    let mut victims = [Signal::SIGKILL, Signal::SIGTERM].into_iter().cycle();
    while Instant::now() < end {
        a_moment(Duration::from_millis(5));
        let mut victim = contenders.remove(0);
        let signal = victims.next().unwrap();
        victim.signal(signal);
        victim.expect_death_by(signal);
        contenders.push(contender(&sandbox));
    }
    finish(contenders);
    if is_tmpfile_supported(sandbox.dir()) {
        let left = names(sandbox.dir());
        assert!(
            left.iter()
                .all(|name| name == "witness" || name == "it.pid"),
            "{left:?}"
        );
    }
    sandbox.assert_next_start_works();
}

#[test]
fn acquiring_again_is_never_refused_while_two_threads_spawn_children() {
    let sandbox = Sandbox::new();
    let rounds = storm(1_500, 10_000);
    let mut program = holder(sandbox.pidfile())
        .steps("spawners=2")
        .set("rounds", rounds.to_string())
        .start();
    for round in (0..rounds).step_by(100) {
        program.expect(&format!("round {round}"));
    }
    program.expect("done");
    program.expect_exit(0);
    sandbox.assert_names([]);
}
