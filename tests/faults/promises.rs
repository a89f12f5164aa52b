//! What must be true after a fault.

use std::process;

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;

use super::outside;
use super::scene::{Before, DEAD, Form, LEFTOVER, Scene, Sight};
use crate::support::tracer::{Call, Fault, Point, Run};

pub(super) const NAME: &str = "it.pid";

/// Checks every promise. The error says which one was broken.
pub(super) fn check(scene: &mut Scene, point: Point, call: Call, run: &Run) -> Result<(), String> {
    if scene.scenario.is_from_outside() {
        return outside::check(scene, point, call, run);
    }
    let killed = matches!(point.fault, Fault::KilledBefore | Fault::KilledAfter);
    let after = scene.now();
    if killed {
        let by_us = matches!(run.status, WaitStatus::Signaled(_, Signal::SIGKILL, _));
        require(by_us, || format!("it ended otherwise: {:?}", run.status))?;
        check_killed(scene, run, &after)?;
    } else if matches!(scene.scenario.operation, "term" | "exit") {
        check_end(scene, call, run, &after)?;
    } else {
        let done = matches!(run.status, WaitStatus::Exited(_, 0));
        require(done, || format!("it ended: {:?}", run.status))?;
        check_answer(scene, point, call, run)?;
    }
    scene.let_go();
    let litter = |name: &String| killed && is_hidden(name, run);
    start_again(scene, litter)
}

pub(super) fn require(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// `.pidfile.PID.RANDOM`
fn is_hidden(name: &str, run: &Run) -> bool {
    name.starts_with(&format!(".pidfile.{}.", run.pid))
}

/// The next start holds the file, leaves nothing else, and releases it.
pub(super) fn start_again(
    scene: &Scene,
    is_excused: impl Fn(&String) -> bool,
) -> Result<(), String> {
    let names = || {
        let mut names = scene.now().names;
        names.retain(|name| !is_excused(name));
        names
    };
    let next = scene.options().acquire();
    let next = next.map_err(|error| format!("the next start: {error:?}"))?;
    let now = scene.now();
    require(
        now.record == Some(format!("{}\n", process::id())) && now.is_locked,
        || format!("the next start holds {now:?}"),
    )?;
    require(names() == [NAME], || {
        format!("litter after the next start: {:?}", names())
    })?;
    next.release()
        .map_err(|error| format!("the next release: {error:?}"))?;
    require(names().is_empty(), || {
        format!("litter after the next release: {:?}", names())
    })
}

/// After SIGKILL the path is absent or complete, and nothing has a lock.
fn check_killed(scene: &Scene, run: &Run, after: &Sight) -> Result<(), String> {
    let Scene { scenario, .. } = scene;
    require(after.is_locked == scene.is_held_by_test(), || {
        format!("the lock: {after:?}")
    })?;
    if let Some(record) = &after.record {
        let before = scene.begun.as_ref().and_then(|begun| begun.record.as_ref());
        // In place it is filled up with line ends until it is cut.
        let is = |one: &str| match record.strip_prefix(one) {
            Some(rest) if scenario.form == Form::InPlace => rest.bytes().all(|it| it == b'\n'),
            rest => rest == Some(""),
        };
        let is_ours = is(&format!("{}\n", run.pid));
        // What a holder leaves that cannot remove its file, and a file under its own name that has not
        // been written yet.
        let may_be_empty = matches!(scenario.form, Form::InPlace | Form::OwnName);
        let is_complete =
            is_ours || before.is_some_and(|it| is(it)) || may_be_empty && record.is_empty();
        require(is_complete, || format!("the record: {record:?}"))?;
    }
    let mut litter = after.names.clone();
    litter.retain(|name| name != NAME);
    let allowed = match (scenario.operation, scenario.form) {
        ("adopt", _) => litter.iter().all(|name| name == LEFTOVER),
        (_, Form::Nameless | Form::InPlace) => litter.is_empty(),
        _ => litter.len() <= 2 && litter.iter().all(|name| is_hidden(name, run)),
    };
    require(allowed, || format!("litter: {litter:?}"))
}

/// The end of a holder keeps its status, and removes or empties the file. What cannot be emptied either
/// is stale.
fn check_end(scene: &Scene, call: Call, run: &Run, after: &Sight) -> Result<(), String> {
    let is_kept = match scene.scenario.operation {
        "term" => matches!(run.status, WaitStatus::Signaled(_, Signal::SIGTERM, _)),
        _ => matches!(run.status, WaitStatus::Exited(_, 0)),
    };
    require(is_kept, || format!("it ended: {:?}", run.status))?;
    let stays = after.names == [NAME];
    let emptied = stays && after.record.as_deref() == Some("");
    let refused = stays && call.number == libc::SYS_ftruncate;
    require(
        (after.names.is_empty() || emptied || refused) && !after.is_locked,
        || format!("after the end: {after:?}"),
    )
}

/// What the program has printed as its answer: what it got, or the error.
pub(super) fn answer(run: &Run) -> Result<Result<&str, &str>, String> {
    let line = run.output.trim_end();
    if line == "ok" || line.starts_with("ok ") {
        Ok(Ok(line[2..].trim()))
    } else if let Some(error) = line.strip_prefix("error ") {
        Ok(Err(error))
    } else {
        Err("no answer".into())
    }
}

/// What the operation has answered, and whether all that can be seen agrees with it.
fn check_answer(scene: &Scene, point: Point, call: Call, run: &Run) -> Result<(), String> {
    let answer = answer(run)?;
    let (Some(begun), Some(ended)) = (&scene.begun, &scene.ended) else {
        return Err("the operation has not come to its end".into());
    };
    let in_place = scene.scenario.form == Form::InPlace;
    if let Err(error) = answer {
        is_documented(scene, point, error)?;
    }
    let (gained, lost) = match (scene.scenario.operation, answer) {
        ("acquire" | "chmod" | "strict" | "make", Ok(_)) => (2, 0),
        // A waiter leaves one inotify instance open in the process.
        ("wait", Ok(_)) => (3, 0),
        ("release", _) | ("adopt", Err(_)) => (0, 2),
        _ => (0, 0),
    };
    // The kernel has opened a descriptor and has not said which.
    let unknown = matches!(point.fault, Fault::Misreports(_)) && call.number == libc::SYS_openat;
    let expected = begun.descriptors + gained - lost;
    let least = expected - usize::from(scene.scenario.operation == "wait" && gained > 0);
    let is_right = (least..=expected + usize::from(unknown)).contains(&ended.descriptors);
    require(is_right, || {
        format!(
            "descriptors: {} before, {} after",
            begun.descriptors, ended.descriptors
        )
    })?;
    let ours = Some(format!("{}\n", run.pid));
    match (scene.scenario.operation, answer) {
        ("acquire" | "chmod" | "strict" | "make" | "wait" | "adopt", Ok(_)) => {
            let alone = ended.names == [NAME] && !scene.is_held_by_test();
            require(alone && ended.record == ours && ended.is_locked, || {
                format!("held: {ended:?}")
            })?;
            is_given_back(scene, begun, ended)
        }
        ("acquire" | "chmod" | "strict" | "make" | "wait", Err(_)) => {
            require(ended.is_locked == scene.is_held_by_test(), || {
                format!("the lock of a refused start: {ended:?}")
            })?;
            is_as_before(scene, begun, ended)
        }
        ("adopt", Err(_)) => {
            let kept = ended.names == [NAME];
            let emptied = in_place && ended.record.as_deref() == Some("");
            require(kept && (ended.record == begun.record || emptied), || {
                format!("a refused adoption: {begun:?}, {ended:?}")
            })
        }
        ("release" | "cleanup", answer) => {
            // `cleanup` has no answer, and what it could not do for a file that cannot be removed,
            // the end of the process does.
            let by_the_end =
                |number| scene.scenario.operation == "cleanup" && call.number == number;
            require(!ended.is_locked || by_the_end(libc::SYS_flock), || {
                format!("still locked: {ended:?}")
            })?;
            let stays = ended.names == [NAME];
            let emptied = stays && ended.record.as_deref() == Some("");
            let refused = stays && (answer.is_err() || by_the_end(libc::SYS_ftruncate));
            require(ended.names.is_empty() || emptied || refused, || {
                format!("after the release: {ended:?}")
            })
        }
        (_, answer) => {
            let unchanged = (&begun.names, &begun.record, begun.inode, begun.is_locked)
                == (&ended.names, &ended.record, ended.inode, ended.is_locked);
            require(unchanged, || format!("status: {begun:?}, {ended:?}"))?;
            answer.map_or(Ok(()), |status| is_true(scene.scenario.before, status))
        }
    }
}

/// A refused start leaves what was there. A stale file may be gone or, where it was written in place,
/// empty.
fn is_as_before(scene: &Scene, begun: &Sight, ended: &Sight) -> Result<(), String> {
    let unchanged =
        (&begun.names, &begun.record, begun.inode) == (&ended.names, &ended.record, ended.inode);
    let stale = scene.scenario.before != Before::Nothing && !scene.is_held_by_test();
    let gone = stale && ended.names.is_empty();
    let emptied = stale
        && scene.scenario.form == Form::InPlace
        && ended.names == [NAME]
        && ended.inode == begun.inode
        && ended.record.as_deref() == Some("");
    require(unchanged || gone || emptied, || {
        format!("a refused start has changed {begun:?} into {ended:?}")
    })
}

/// A file that was made is removed at the end; one that was written in place, for which a fault may be
/// the reason, is emptied.
fn is_given_back(scene: &Scene, begun: &Sight, ended: &Sight) -> Result<(), String> {
    let now = scene.now();
    let may_be_emptied = ended.inode == begun.inode;
    let emptied = now.names == [NAME] && now.record.as_deref() == Some("");
    let gone = now.names.is_empty() && scene.scenario.form != Form::InPlace;
    require(
        (gone || may_be_emptied && emptied) && !now.is_locked,
        || format!("after the end: {now:?}"),
    )
}

/// Whether the documentation of the operation names that error for a system that refuses a call.
fn is_documented(scene: &Scene, point: Point, error: &str) -> Result<(), String> {
    let variant = error.split(' ').next().unwrap_or_default();
    let expected = match variant {
        // A call that was interrupted is made again.
        "Io" => point.fault != Fault::Fails(Errno::EINTR),
        "Unsupported" => matches!(
            scene.scenario.operation,
            "acquire" | "chmod" | "strict" | "make" | "wait" | "adopt" | "status"
        ),
        // Interrupted twice at the file that is in its way, an adoption takes it for a sibling's.
        "Lost" => scene.scenario.has_leftover() && point.fault == Fault::Misreports(Errno::EINTR),
        "Locked" => scene.scenario.before == Before::Held && scene.scenario.operation == "acquire",
        _ => false,
    };
    require(expected, || format!("the error is {error}"))
}

/// Whether a status is right.
fn is_true(before: Before, status: &str) -> Result<(), String> {
    let us = format!("Held {{ pid: Some({}) }}", process::id());
    let dead = format!("Stale {{ pid: Some({}) }}", DEAD.trim());
    let expected: &[&str] = match before {
        Before::NoDirectory | Before::Nothing | Before::Leftover => &["Absent"],
        Before::Stale | Before::StaleAndLeftover => &[&dead],
        Before::Held => &[&us, "Held { pid: None }"],
        // No status is asked for here.
        _ => &[],
    };
    require(expected.contains(&status), || format!("status {status}"))
}
