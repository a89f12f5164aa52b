//! What must be true after a fault in an operation that is about another process.

use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;

use super::neighbours::{Fate, Holder, Sent};
use super::promises::{NAME, answer, require, start_again};
use super::scene::{Before, Scene, Sight};
use crate::support::tracer::{Call, Fault, Point, Run};

/// Checks every promise. The error says which one was broken.
pub(super) fn check(scene: &mut Scene, point: Point, call: Call, run: &Run) -> Result<(), String> {
    let killed = matches!(point.fault, Fault::KilledBefore | Fault::KilledAfter);
    let sent = Sent::by(run, point, scene.holder.as_ref())?;
    are_allowed(scene, &sent)?;
    let pid = scene.holder.as_ref().map(Holder::pid);
    let fate = match &mut scene.holder {
        Some(holder) => Some(holder.settle(&sent)?),
        None => None,
    };
    if !killed {
        check_answer(scene, point, call, run, pid.zip(fate))?;
    }
    check_file(scene, run, killed, fate)?;
    scene.let_go();
    if let Some(holder) = scene.holder.take() {
        holder.end()?;
    }
    start_again(scene, |_| false)
}

/// Whether the operation sends such signals, and whether there is a process for them.
fn are_allowed(scene: &Scene, sent: &Sent) -> Result<(), String> {
    let allowed: &[Signal] = match scene.scenario.operation {
        _ if scene.holder.is_none() => &[],
        "kill" => &[Signal::SIGKILL],
        "find" => &[],
        _ => &[Signal::SIGTERM, Signal::SIGCONT],
    };
    require(sent.are_all_in(allowed), || format!("it has sent {sent:?}"))
}

/// What the operation has answered, and whether all that could be seen then agrees with it.
fn check_answer(
    scene: &Scene,
    point: Point,
    call: Call,
    run: &Run,
    holder: Option<(u32, Fate)>,
) -> Result<(), String> {
    let answer = answer(run)?;
    let (Some(begun), Some(ended)) = (&scene.begun, &scene.ended) else {
        return Err("the operation has not come to its end".into());
    };
    if let Err(error) = answer {
        is_documented(scene, point, call, error)?;
    }
    let replaced = scene.scenario.operation.starts_with("replace") && answer.is_ok();
    // A waiter leaves one inotify instance open in the process.
    let most = begun.descriptors + if replaced { 3 } else { 0 };
    let least = most - usize::from(replaced);
    require((least..=most).contains(&ended.descriptors), || {
        format!(
            "descriptors: {} before, {} after",
            begun.descriptors, ended.descriptors
        )
    })?;
    match (scene.scenario.operation, answer) {
        (_, Err(_)) => Ok(()),
        ("find", Ok(found)) => require(found == expected(holder), || format!("found: {found}")),
        ("stop" | "kill" | "stop-in-vain", Ok(ended_one)) => {
            require(ended_one == expected(holder), || {
                format!("ended: {ended_one}")
            })?;
            has_gone(holder, ended)?;
            require(!ended.is_locked, || format!("after the end: {ended:?}"))
        }
        (_, Ok(_)) => {
            has_gone(holder, ended)?;
            let ours = Some(format!("{}\n", run.pid));
            let alone = ended.names == [NAME] && !scene.is_held_by_test();
            require(alone && ended.record == ours && ended.is_locked, || {
                format!("held: {ended:?}")
            })
        }
    }
}

/// What a search prints.
fn expected(holder: Option<(u32, Fate)>) -> String {
    holder.map_or_else(|| "nobody".into(), |(pid, _)| pid.to_string())
}

/// A holder that was ended, as the answer says, had already ended when the answer was given.
fn has_gone(holder: Option<(u32, Fate)>, ended: &Sight) -> Result<(), String> {
    let is_unharmed = matches!(holder, Some((_, Fate::Unharmed)));
    require(!is_unharmed && !ended.holder_is_running, || {
        "the holder goes on, but has ended according to the answer".into()
    })
}

/// What has become of the file, now that the program has ended and its signals have had their effect.
fn check_file(scene: &Scene, run: &Run, killed: bool, fate: Option<Fate>) -> Result<(), String> {
    let begun = scene.begun.as_ref().ok_or("it has not begun")?;
    let now = scene.now();
    let replaces = scene.scenario.operation.starts_with("replace");
    let is_as_before =
        (&begun.names, &begun.record, begun.inode) == (&now.names, &now.record, now.inode);
    let is_absent = now.names.is_empty();
    let is_alone = now.names == [NAME];
    let is_ours = is_alone && now.record == Some(format!("{}\n", run.pid)) && replaces && killed;
    // A refusal to remove the stale file has the new one written in its place.
    let is_emptied = is_alone && now.record.as_deref() == Some("") && now.inode == begun.inode;
    let is_kept = scene.is_held_by_test() || fate == Some(Fate::Unharmed);
    let is_right = match (scene.scenario.before, fate) {
        _ if is_kept => is_as_before,
        (Before::Named, _) => is_as_before || replaces && (is_absent || is_ours || is_emptied),
        (_, Some(Fate::EndedBy(Signal::SIGKILL))) => is_as_before,
        _ => is_absent || is_ours,
    };
    require(is_right && now.is_locked == is_kept, || {
        format!("{begun:?} has become {now:?}, and the holder {fate:?}")
    })
}

/// Whether the documentation of the operation names that error for what has happened.
fn is_documented(scene: &Scene, point: Point, call: Call, error: &str) -> Result<(), String> {
    let variant = error.split(' ').next().unwrap_or_default();
    let is_expected = match variant {
        // A call that was interrupted is made again.
        "Io" => point.fault != Fault::Fails(Errno::EINTR),
        "Unsupported" => {
            call.number == libc::SYS_flock
                && matches!(
                    point.fault,
                    Fault::Fails(Errno::EOPNOTSUPP | Errno::ENOLCK)
                        | Fault::Misreports(Errno::EOPNOTSUPP | Errno::ENOLCK)
                )
        }
        // Without what /proc reports it is not certain who has the lock.
        "UnknownHolder" => {
            let reads = [
                libc::SYS_open,
                libc::SYS_openat,
                libc::SYS_read,
                libc::SYS_getdents64,
            ];
            scene.scenario.before == Before::HeldButNamed
                || reads.contains(&call.number) && matches!(point.fault, Fault::Fails(_))
        }
        "StillRunning" => scene.scenario.before == Before::Stubborn,
        _ => false,
    };
    require(is_expected, || format!("the error is {error}"))
}
