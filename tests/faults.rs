//! A fault at every system call: the process is killed, the call fails, or the call succeeds and
//! reports a failure. Whatever happens, the path is absent or complete, nothing is left behind, no two
//! processes hold the file, and the next start works.
//!
//! A point is a scenario, a call and a fault. Each test runs a sample of its points, spread evenly over
//! all of them, and prints how many it has tried; with `PIDFILE_FAULTS=all` it runs every one.

mod calls;
mod gone;
mod neighbours;
mod outside;
mod promises;
mod replaced;
mod scene;
mod unreadable;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

use nix::errno::Errno;
use nix::libc;

use self::calls::faults;
use self::neighbours::Bystander;
use self::scene::Before::{
    Held, HeldButNamed, Leftover, Named, NoDirectory, Nothing, Running, Stale, StaleAndLeftover,
    Stubborn, Suspended,
};
use self::scene::Form::{Hidden, InPlace, LinkRefused, Nameless, NoPidfd, OwnName, Renamed};
use self::scene::{Scenario, Scene};
use crate::support::tracer::{self, Call, Fault, Point};
use crate::support::{Sandbox, needs, progress};

/// How many points of each thousand a sample has, unless all are run.
const SAMPLE: usize = 250;
/// The same where each point needs a holder and a bystander.
const SAMPLE_OF_TWO: usize = 15;
/// An operation that tries again until its time is up repeats its calls; no other has so many.
const MOST_CALLS: usize = 900;

/// Every point of these scenarios, found by a run of each without a fault.
fn points(sandbox: &Sandbox, scenarios: &[Scenario]) -> Vec<(Scenario, Call, Point)> {
    let mut points = Vec::new();
    let bystander = Bystander::start();
    for &scenario in scenarios {
        let mut scene = Scene::new(scenario, &sandbox.path("rehearsal"), &bystander);
        let path = scene.path.clone();
        let run = tracer::run(scenario.operation, &path, None, &mut scene);
        let Some(run) = run else {
            needs(false, "permission to trace a process");
            return Vec::new();
        };
        for (index, call) in run.calls.iter().enumerate().take(MOST_CALLS) {
            let faults = faults(scenario, call).into_iter();
            points.extend(faults.map(|fault| (scenario, *call, Point { index, fault })));
        }
        println!("{scenario:?}: {} calls", run.calls.len());
    }
    points
}

/// Tries a sample of the points of these scenarios, or all of them.
fn sweep(scenarios: &[Scenario]) {
    sweep_some(scenarios, SAMPLE);
}

/// The same with another sample.
fn sweep_some(scenarios: &[Scenario], per_thousand: usize) {
    let sandbox = Sandbox::new();
    let mut points = points(&sandbox, scenarios);
    let all = points.len();
    if std::env::var_os("PIDFILE_FAULTS").is_none_or(|which| which != "all") {
        points = sample(points, per_thousand);
    }
    let operation = scenarios[0].operation;
    println!(
        "{operation}: {} of {all} points tried",
        run(&sandbox, &points)
    );
}

/// Tries every point of these scenarios that is chosen.
fn sweep_where(scenarios: &[Scenario], is_chosen: impl Fn(&Call, Fault) -> bool) {
    let sandbox = Sandbox::new();
    let mut points = points(&sandbox, scenarios);
    let traced = !points.is_empty();
    points.retain(|(_, call, point)| is_chosen(call, point.fault));
    let tried = run(&sandbox, &points);
    assert!(tried > 0 || !traced, "no such point was met");
    println!("{tried} points tried");
}

/// Always the same points, spread evenly.
fn sample<Item>(points: Vec<Item>, per_thousand: usize) -> Vec<Item> {
    // Fibonacci hashing: consecutive numbers fall far from each other.
    let place = |index: usize| index.wrapping_mul(0x9E37_79B9) % (1 << 20);
    let chosen = points.into_iter().enumerate();
    let chosen = chosen.filter(|(index, _)| place(*index) * 1000 < per_thousand << 20);
    chosen.map(|(_, point)| point).collect()
}

/// Tries the points on all processors, and panics with what is wrong. Returns how many were met.
fn run(sandbox: &Sandbox, points: &[(Scenario, Call, Point)]) -> usize {
    let next = AtomicUsize::new(0);
    let tried = AtomicUsize::new(0);
    let broken = Mutex::new(Vec::new());
    let work = |worker: usize| {
        let dir = sandbox.path(&format!("worker-{worker}"));
        let mut bystander = Bystander::start();
        while let Some((scenario, _, point)) = points.get(next.fetch_add(1, Relaxed)) {
            progress();
            let mut scene = Scene::new(*scenario, &dir, &bystander);
            let path = scene.path.clone();
            let run = tracer::run(scenario.operation, &path, Some(*point), &mut scene);
            let run = run.expect("the rehearsal was traced");
            // Some calls depend on the moment, so it may be another one, and even one that is not
            // given this fault.
            let Some(met) = run.met else { continue };
            if !faults(*scenario, &met).contains(&point.fault) {
                continue;
            }
            tried.fetch_add(1, Relaxed);
            let kept = promises::check(&mut scene, *point, met, &run);
            let kept = kept.and_then(|()| bystander.is_unharmed());
            if let Err(why) = kept {
                let what = format!(
                    "{scenario:?}, {point:?}, {met:?}:\n  {why}\n  {:?}",
                    run.output
                );
                broken.lock().expect("no worker panics").push(what);
                bystander = Bystander::start();
            }
        }
    };
    thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(1, Into::into);
        for worker in 1..processors {
            scope.spawn(move || work(worker));
        }
        // The watchdog listens to this thread.
        work(0);
    });
    let broken = broken.into_inner().expect("no worker panics");
    let tried = tried.into_inner();
    assert!(
        broken.is_empty(),
        "{} of {tried} points are wrong:\n{}",
        broken.len(),
        broken.join("\n")
    );
    tried
}

/// One operation in many forms.
fn scenarios(
    operation: &'static str,
    before: scene::Before,
    forms: impl IntoIterator<Item = scene::Form>,
) -> Vec<Scenario> {
    let scenario = |form| Scenario {
        operation,
        before,
        form,
    };
    forms.into_iter().map(scenario).collect()
}

#[test]
fn a_fault_in_a_start_on_a_free_path() {
    let forms = [Nameless, Hidden, LinkRefused, Renamed, OwnName];
    sweep(&scenarios("acquire", Nothing, forms));
}

#[test]
fn a_fault_in_a_take_over() {
    let forms = [Nameless, Hidden, LinkRefused, Renamed, OwnName, InPlace];
    let mut all = scenarios("acquire", Stale, forms);
    all.extend(scenarios("chmod", Stale, [Nameless, Hidden, InPlace]));
    all.extend(scenarios("strict", Stale, [Nameless]));
    sweep(&all);
}

#[test]
fn a_fault_in_a_start_beside_a_holder() {
    sweep(&scenarios("acquire", Held, [Nameless, Hidden, InPlace]));
}

#[test]
fn a_fault_in_a_wait() {
    let forms = [Nameless, Hidden, Renamed, OwnName, InPlace];
    sweep(&scenarios("wait", Held, forms));
}

#[test]
fn a_fault_in_a_release() {
    let mut all = scenarios("release", Stale, [Nameless, Hidden, InPlace]);
    all.extend(scenarios("cleanup", Stale, [Nameless, Hidden, InPlace]));
    sweep(&all);
}

#[test]
fn a_fault_in_an_end() {
    let mut all = scenarios("term", Stale, [Nameless, Hidden, InPlace]);
    all.extend(scenarios("exit", Stale, [Nameless, Hidden, InPlace]));
    sweep(&all);
}

#[test]
fn a_fault_in_a_start_that_makes_its_directory() {
    sweep(&scenarios("make", NoDirectory, [Nameless, Hidden]));
}

#[test]
fn a_fault_in_an_adoption() {
    let forms = [Nameless, Hidden, LinkRefused, Renamed, OwnName, InPlace];
    sweep(&scenarios("adopt", Stale, forms));
}

#[test]
fn a_fault_beside_what_a_killed_adoption_left() {
    let mut all = scenarios("adopt", Leftover, [Nameless, Hidden]);
    all.extend(scenarios("acquire", StaleAndLeftover, [Nameless, Hidden]));
    sweep(&all);
}

#[test]
fn a_fault_in_a_status() {
    let before = [Nothing, Stale, Held].into_iter();
    let all: Vec<_> = before
        .flat_map(|before| scenarios("status", before, [Nameless]))
        .collect();
    sweep(&all);
}

#[test]
fn a_fault_in_a_search_for_the_holder() {
    let mut all = scenarios("find", Named, [Nameless]);
    all.extend(scenarios("find", HeldButNamed, [Nameless]));
    sweep_some(&all, SAMPLE_OF_TWO);
}

#[test]
fn a_fault_in_a_stop() {
    let mut all = scenarios("stop", Running, [Nameless, NoPidfd]);
    all.extend(scenarios("stop", Suspended, [Nameless]));
    all.extend(scenarios("stop-in-vain", Stubborn, [Nameless]));
    all.extend(scenarios("stop", Named, [Nameless]));
    sweep_some(&all, SAMPLE_OF_TWO);
}

#[test]
fn a_fault_in_a_kill() {
    let mut all = scenarios("kill", Running, [Nameless]);
    all.extend(scenarios("kill", Suspended, [Nameless]));
    sweep_some(&all, SAMPLE_OF_TWO);
}

#[test]
fn a_fault_in_a_replacement() {
    let mut all = scenarios("replace", Running, [Nameless]);
    all.extend(scenarios("replace", Suspended, [Nameless]));
    all.extend(scenarios("replace", Named, [Nameless]));
    all.extend(scenarios("replace", HeldButNamed, [Nameless]));
    sweep_some(&all, SAMPLE_OF_TWO);
}

// Points that were wrong once.

#[test]
fn a_record_is_written_once_even_if_its_writing_was_reported_as_interrupted() {
    let mut all = scenarios("acquire", Nothing, [Nameless, Hidden, OwnName]);
    all.extend(scenarios("adopt", Stale, [Nameless, Hidden]));
    sweep_where(&all, |call, fault| {
        [libc::SYS_write, libc::SYS_pwrite64].contains(&call.number)
            && fault == Fault::Misreports(Errno::EINTR)
    });
}

#[test]
fn a_file_whose_creation_was_misreported_does_not_stay() {
    let forms = [Hidden, LinkRefused, Renamed, OwnName];
    let mut all = scenarios("acquire", Nothing, forms);
    all.extend(scenarios("acquire", Stale, forms));
    all.extend(scenarios("adopt", Stale, forms));
    sweep_where(&all, |call, fault| {
        call.number == libc::SYS_openat && matches!(fault, Fault::Misreports(_))
    });
}

#[test]
fn a_file_whose_publication_was_misreported_is_held_or_gone() {
    let forms = [Nameless, Hidden, LinkRefused, Renamed];
    let mut all = scenarios("acquire", Nothing, forms);
    all.extend(scenarios("adopt", Stale, forms));
    let publishing = [libc::SYS_linkat, libc::SYS_renameat, libc::SYS_renameat2];
    sweep_where(&all, |call, fault| {
        publishing.contains(&call.number) && matches!(fault, Fault::Misreports(_))
    });
}

#[test]
fn a_status_of_a_file_that_cannot_be_opened_is_an_io_error() {
    sweep_where(&scenarios("status", Stale, [Nameless]), |call, fault| {
        let refusals = [Errno::EACCES, Errno::EPERM].map(Fault::Fails);
        call.number == libc::SYS_openat && refusals.contains(&fault)
    });
}

#[test]
fn a_status_never_says_absent_because_a_file_has_become_stale_to_its_server() {
    let before = [Stale, Held].into_iter();
    let all: Vec<_> = before
        .flat_map(|before| scenarios("status", before, [Nameless]))
        .collect();
    sweep_where(&all, |_, fault| fault == Fault::Fails(Errno::ESTALE));
}

#[test]
fn an_adoption_reports_why_a_leftover_stays_in_its_way() {
    let all = scenarios("adopt", Leftover, [Nameless, Hidden]);
    sweep_where(&all, |_, fault| fault == Fault::Fails(Errno::EIO));
}

#[test]
fn an_interrupted_call_is_made_again() {
    let forms = [Nameless, Hidden, LinkRefused, Renamed, OwnName];
    let mut all = scenarios("acquire", Nothing, forms);
    all.extend(scenarios("acquire", Stale, forms));
    all.extend(scenarios("acquire", Stale, [InPlace]));
    all.extend(scenarios("acquire", Held, [Nameless]));
    all.extend(scenarios("chmod", Nothing, [Nameless, Hidden]));
    all.extend(scenarios("make", NoDirectory, [Nameless]));
    all.extend(scenarios("release", Nothing, [Nameless]));
    all.extend(scenarios("release", Stale, [InPlace]));
    all.extend(scenarios("adopt", Stale, [Nameless, Hidden]));
    all.extend(scenarios("adopt", Leftover, [Nameless, Hidden]));
    all.extend(scenarios("status", Stale, [Nameless]));
    all.extend(scenarios("status", Held, [Nameless]));
    all.extend(scenarios("find", Named, [Nameless]));
    sweep_where(&all, |_, fault| fault == Fault::Fails(Errno::EINTR));
}
