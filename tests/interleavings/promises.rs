//! What must be true after every turn, and after every complete order.

use std::process;

use pidfile::{Options, PidFile, Reservation};

use super::actor::{Actor, At, Moment};
use super::run::Run;
use super::scenario::Form;
use super::world::{Content, Lock, Member, NAME};
use crate::support::{Sandbox, refused};

/// After every turn: the name is absent or complete, and no two processes hold.
pub(super) fn check_turn(run: &Run) -> Result<(), String> {
    check_content(run)?;
    let inside: Vec<_> = members(run)
        .filter(|(member, actor)| actor.is_inside() && !is_robbed(run, *member))
        .map(|(member, _)| member)
        .collect();
    require(inside.len() <= 1, || format!("{inside:?} hold at once"))
}

fn require(condition: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if condition { Ok(()) } else { Err(otherwise()) }
}

fn members<'a>(run: &'a Run) -> impl Iterator<Item = (Member, &'a Actor)> {
    run.actors.iter().enumerate()
}

/// A file made under its own name is empty at first, and so is one that was emptied in place.
fn check_content(run: &Run) -> Result<(), String> {
    let is_old = |text: &str| run.scenario.leave.stale() == Some(text);
    let form = run.scenario.form;
    let complete = match &run.now.content {
        None => true,
        Some(Content::Empty) => matches!(form, Form::OwnName | Form::InPlace) || is_old(""),
        Some(Content::Record { whole, .. }) => *whole || form == Form::InPlace,
        Some(Content::Other(text)) => is_old(text),
    };
    require(complete, || format!("the name shows {:?}", run.now))
}

/// Whether it is the file of this process that has lost its name because of the bystander. That is
/// the one case in which a second process may hold.
fn is_robbed(run: &Run, member: Member) -> bool {
    let Some(stepped) = &run.actors[member].stepped else {
        return false;
    };
    let open = (3..16).filter_map(|number| stepped.file(number));
    open.filter(|file| run.world.is_shared(*file))
        .any(|(_, inode)| run.lost.contains(&run.world.file(inode)))
}

/// After a complete order, while the holders still hold.
pub(super) fn check_end(run: &mut Run, sandbox: &Sandbox) -> Result<(), String> {
    let robbed: Vec<_> = (0..run.actors.len())
        .filter(|member| is_robbed(run, *member))
        .collect();
    check_litter(run)?;
    for (_, actor) in members(run) {
        check_answer(run, actor)?;
    }
    let holder = members(run)
        .find(|(member, actor)| matches!(actor.at, At::Hold) && !robbed.contains(member))
        .map(|(member, _)| member);
    if let Some(holder) = holder {
        let record = Content::Record {
            of: holder,
            whole: true,
        };
        require(
            run.now.content == Some(record) && run.now.lock == Lock::Exclusive,
            || format!("{holder} holds, and the name shows {:?}", run.now),
        )?;
        let error = refused(PidFile::acquire(sandbox.pidfile()));
        let named = error.pid().and_then(|pid| run.world.member(pid));
        require(named == Some(holder), || {
            format!("a third start is told {error}")
        })?;
    } else {
        require(
            run.now.lock == Lock::Free || run.scenario.has_parent(),
            || format!("none holds, and the name shows {:?}", run.now),
        )?;
    }
    run.finish();
    for (member, actor) in members(run) {
        check_release(actor, robbed.contains(&member)).map_err(|why| format!("{member}: {why}"))?;
    }
    Ok(())
}

/// After all have released: nothing is left, and the next start works.
pub(super) fn check_next_start(run: &Run, sandbox: &Sandbox) -> Result<(), String> {
    let litter = |names: &[&str]| {
        let names = names.to_vec();
        let found: Vec<_> = sandbox
            .names()
            .into_iter()
            .map(|name| name.to_string_lossy().into_owned())
            .filter(|name| !names.contains(&name.as_str()) && !is_excused(run, name))
            .collect();
        require(found.is_empty(), || format!("litter: {found:?}"))
    };
    let in_place = run.scenario.form == Form::InPlace;
    let all_released = run.killed.is_none() && members(run).any(|(_, actor)| actor.has_held());
    if all_released && !in_place && !run.has_removed {
        litter(&[])?;
    }
    let options = Options::new().path(sandbox.pidfile());
    let next = if run.scenario.has_parent() {
        options.reserve().and_then(Reservation::adopt)
    } else {
        options.acquire()
    };
    let next = next.map_err(|error| format!("the next start: {error}"))?;
    let record = std::fs::read_to_string(sandbox.pidfile()).ok();
    require(record == Some(format!("{}\n", process::id())), || {
        format!("the next start has left {record:?}")
    })?;
    litter(&[NAME])?;
    next.release()
        .map_err(|error| format!("the next release: {error}"))?;
    litter(&[])
}

/// A killed process may leave a hidden name.
fn is_excused(run: &Run, name: &str) -> bool {
    run.killed.is_some() && name.starts_with(".pidfile.")
}

fn check_litter(run: &Run) -> Result<(), String> {
    let left: Vec<_> = run
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .filter(|name| *name != NAME && !is_excused(run, name))
        // It goes with the next start.
        .filter(|name| *name != ".it.pid.adopt" || run.killed.is_none())
        .collect();
    require(left.is_empty(), || format!("litter: {left:?}"))
}

/// A start is refused only because of a process that held during the attempt, and a status is one that
/// there was.
fn check_answer(run: &Run, actor: &Actor) -> Result<(), String> {
    let Some(answer) = actor.answer() else {
        return require(actor.is_over(), || "no answer".into());
    };
    let words: Vec<_> = answer.split(' ').collect();
    let wrong = || Err(format!("{answer:?}, having seen {:#?}", actor.seen));
    match words.as_slice() {
        ["held"] => Ok(()),
        ["refused", "Locked", pid @ ..] => {
            let held = actor.seen.iter().any(|moment| {
                moment.lock == Lock::Exclusive
                    && matches!(moment.content, Some(Content::Record { .. }))
            });
            let named = pid.first().filter(|pid| !pid.is_empty());
            let had_lock = named.is_none_or(|pid| had_lock(run, actor, pid));
            if held && had_lock { Ok(()) } else { wrong() }
        }
        // A sibling adopts or has adopted, or was killed while it did.
        ["refused", "Lost", ..] if run.scenario.has_parent() => {
            let sibling = members(run).any(|(_, other)| other.has_held());
            let excused = run.killed.is_some() || run.has_removed;
            if sibling || excused { Ok(()) } else { wrong() }
        }
        // A start that cannot create a file finds none.
        ["refused", "Io", ..] if run.scenario.form == Form::InPlace && run.has_removed => Ok(()),
        ["status", ..] => {
            if actor.seen.iter().any(|moment| is_true(run, moment, answer)) {
                Ok(())
            } else {
                wrong()
            }
        }
        _ => wrong(),
    }
}

/// Whether that process had the lock at some moment of the attempt.
fn had_lock(run: &Run, actor: &Actor, pid: &str) -> bool {
    let member = pid.parse().ok().and_then(|pid| run.world.member(pid));
    actor
        .seen
        .iter()
        .any(|moment| member.is_some() && moment.locked_by == member)
}

/// Whether a status describes this moment.
fn is_true(run: &Run, moment: &Moment, status: &str) -> bool {
    let pid = |member: Option<Member>| {
        member.map_or("None".into(), |member| {
            format!("Some({})", run.world.pid(member))
        })
    };
    let held =
        [None, moment.locked_by].map(|member| format!("status Held {{ pid: {} }}", pid(member)));
    match (&moment.content, moment.lock) {
        (None, _) => status == "status Absent",
        (Some(_), Lock::Exclusive) => held.iter().any(|held| held == status),
        (Some(Content::Record { of, .. }), _) => {
            status == format!("status Stale {{ pid: {} }}", pid(Some(*of)))
        }
        (Some(Content::Other(text)), _) => {
            status == format!("status Stale {{ pid: Some({}) }}", text.trim())
        }
        (Some(Content::Empty), _) => status == "status Stale { pid: None }",
    }
}

/// What a holder is told at its end. One that was robbed is told so.
fn check_release(actor: &Actor, robbed: bool) -> Result<(), String> {
    let asked = |report: &&String| *report == "verified" || report.starts_with("lost ");
    let Some(verified) = actor.reports.iter().find(asked) else {
        return Ok(());
    };
    let released = actor.reports.last().map(String::as_str).unwrap_or_default();
    if robbed {
        let is_told = ["lost Gone", "lost Replaced"].contains(&verified.as_str());
        return require(is_told, || {
            format!("{verified:?}, and its file was removed")
        });
    }
    require(verified == "verified" && released == "released", || {
        format!("{:?} of a holder", actor.reports)
    })
}
