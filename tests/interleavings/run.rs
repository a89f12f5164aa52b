//! One run: the processes of a scenario, taken through their calls in a certain order.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};

use nix::libc;

use super::actor::{Actor, At, Moment};
use super::calls::{LOCKS, Next, Touched};
use super::family::Family;
use super::scenario::{Leave, Scenario};
use super::search::Turn;
use super::world::{Entry, Lock, Member, NAME, World};
use crate::support::{Sandbox, Stepped};

/// A run, as far as it has come.
pub(super) struct Run<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) world: World,
    pub(super) actors: Vec<Actor>,
    /// The process that has forked the others, if it reserved for them.
    parent: Option<Stepped>,
    pub(super) now: Moment,
    pub(super) entries: Vec<Entry>,
    /// Who has locked a file last.
    lockers: HashMap<String, Member>,
    /// Who took the last step.
    last: Option<Member>,
    pub(super) killed: Option<Member>,
    /// Whether a bystander has removed the file.
    pub(super) has_removed: bool,
    /// Files that lost their name by that: the one that was removed, and one that another process
    /// removed in its place, between its check and its call of `unlink`.
    pub(super) lost: BTreeSet<String>,
    /// The order of the turns, for the message of a failure.
    pub(super) log: Vec<String>,
}

impl<'a> Run<'a> {
    /// Starts the processes, and takes each to its first call that concerns another one.
    pub(super) fn start(scenario: &'a Scenario, family: &mut Family, sandbox: &Sandbox) -> Run<'a> {
        if let Leave::Stale(content) | Leave::StaleAndStep(content) = scenario.leave {
            sandbox.file(NAME, content);
        }
        let (children, parent) = family.fork(&scenario.line(), scenario.processes.len());
        // After a reservation, which looks for it itself.
        if let Leave::Step(content) | Leave::StaleAndStep(content) = scenario.leave {
            sandbox.file(".it.pid.adopt", content);
        }
        let mut pids: Vec<_> = children.iter().map(Stepped::pid).collect();
        pids.extend(parent.iter().map(Stepped::pid));
        let mut run = Run {
            scenario,
            world: World::new(sandbox.dir(), pids),
            actors: children.into_iter().map(Actor::new).collect(),
            parent,
            now: Moment {
                content: None,
                lock: Lock::Free,
                locked_by: None,
            },
            entries: Vec::new(),
            lockers: HashMap::new(),
            last: None,
            killed: None,
            has_removed: false,
            lost: BTreeSet::new(),
            log: Vec::new(),
        };
        for member in 0..run.actors.len() {
            run.advance(member);
            while scenario.processes[member].contains("ready")
                && !run.actors[member].has_reported("ready")
            {
                run.make_call(member);
                run.advance(member);
            }
            run.actors[member].history = 0;
        }
        run.look();
        run
    }

    /// Whether every process holds to the end or has ended.
    pub(super) fn is_over(&self) -> bool {
        let over = |actor: &Actor| matches!(actor.at, At::Hold | At::Ended | At::Killed);
        self.actors.iter().all(over)
    }

    /// The processes that may take a step. One that sleeps lets another go first, if one can.
    fn ready(&self) -> Vec<Member> {
        let choose = |is_ready: &dyn Fn(&Actor) -> bool| -> Vec<Member> {
            let members = 0..self.actors.len();
            members
                .filter(|member| is_ready(&self.actors[*member]))
                .collect()
        };
        let awake = choose(&|actor| {
            matches!(actor.at, At::Call(_))
                || matches!(actor.at, At::Sleep) && actor.rests_for.is_empty()
        });
        if awake.is_empty() {
            return choose(&|actor| matches!(actor.at, At::Sleep));
        }
        awake
    }

    /// What may happen next, and whether it interrupts a process that could go on.
    pub(super) fn options(&self) -> Vec<(Turn, bool)> {
        let ready = self.ready();
        // A process that has just fallen asleep is not interrupted by the next one.
        let goes_on = self
            .last
            .filter(|last| ready.contains(last) && matches!(self.actors[*last].at, At::Call(_)));
        let mut options: Vec<_> = goes_on
            .into_iter()
            .chain(ready.into_iter().filter(|member| Some(*member) != goes_on))
            .map(|member| {
                let interrupts = goes_on.is_some_and(|last| last != member);
                (Turn::Step(member), interrupts)
            })
            .collect();
        if self.scenario.kills && self.killed.is_none() {
            let alive = (0..self.actors.len()).filter(|member| !self.actors[*member].is_over());
            options.extend(alive.map(|member| (Turn::Kill(member), false)));
        }
        if self.scenario.removes && !self.has_removed {
            options.push((Turn::Remove, false));
        }
        options
    }

    /// A number for where the processes stand. What a process does next depends on the answers that
    /// it has got, and on what is in the directory, for it has neither a clock nor a sleep.
    pub(super) fn situation(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for actor in &self.actors {
            (actor.history, &actor.seen).hash(&mut hasher);
            (&actor.rests_for, actor.is_over()).hash(&mut hasher);
        }
        (&self.entries, self.last, self.killed).hash(&mut hasher);
        (self.has_removed, &self.lost).hash(&mut hasher);
        hasher.finish()
    }

    pub(super) fn take(&mut self, turn: Turn) {
        match turn {
            Turn::Step(member) => {
                self.actors[member].begin(&self.now);
                self.make_call(member);
                self.advance(member);
                self.rest(member);
                self.last = Some(member);
            }
            Turn::Kill(member) => {
                self.log.push(format!("{member} is killed"));
                let actor = &mut self.actors[member];
                actor.stepped.take().expect("it has not ended").kill();
                actor.at = At::Killed;
                self.killed = Some(member);
                self.rest(member);
            }
            Turn::Remove => {
                self.log.push("a bystander removes the file".into());
                let inode = self.world.inode(NAME.as_bytes());
                self.has_removed = true;
                self.lost.extend(inode.map(|inode| self.world.file(inode)));
                // It may not be there.
                let _ = fs::remove_file(self.world.path(NAME));
            }
        }
        self.look();
    }

    /// A process has taken a step, and may have fallen asleep by that.
    fn rest(&mut self, member: Member) {
        for actor in &mut self.actors {
            actor.rests_for.remove(&member);
        }
        if matches!(self.actors[member].at, At::Sleep) {
            let awake = |other: &Member| matches!(self.actors[*other].at, At::Call(_));
            let awake = (0..self.actors.len()).filter(awake).collect();
            self.actors[member].rests_for = awake;
        }
    }

    fn look(&mut self) {
        self.entries = self.world.look();
        let entry = self.entries.iter().find(|entry| entry.name == NAME);
        let lock = entry.map_or(Lock::Free, |entry| entry.lock);
        self.now = Moment {
            content: entry.map(|entry| entry.content.clone()),
            lock,
            locked_by: entry
                .filter(|_| lock == Lock::Exclusive)
                .and_then(|entry| self.lockers.get(&entry.file))
                .copied(),
        };
        for actor in &mut self.actors {
            actor.see(&self.now);
        }
    }

    /// The call at which a process stands.
    fn make_call(&mut self, member: Member) {
        let actor = &mut self.actors[member];
        let At::Call(touched) = actor.at.clone() else {
            actor.remember(&"wakes");
            self.log.push(format!("{member} wakes"));
            return;
        };
        let met = self.world.describe(actor.stepped(), &touched);
        let unlinked = self.world.loses_its_name(&touched);
        if !actor.stepped().make_call() {
            actor.stepped = None;
            actor.at = At::Ended;
            self.log.push(format!("{member} ends"));
            return;
        }
        let result = actor.stepped().result();
        self.note_effect(member, &touched, result);
        if self.has_removed && result == 0 {
            let made_by_another = |file: &String| !file.starts_with(&format!("{member}."));
            self.lost.extend(unlinked.filter(made_by_another));
        }
        let result = result.min(0);
        self.log.push(format!("{member} {met} = {result}"));
        let histories = self.actors.iter().map(|actor| actor.history);
        let everything: Vec<_> = histories.filter(|_| touched.asks_the_system).collect();
        self.actors[member].remember(&(met, result, everything));
    }

    /// Keeps track of who has made a file, and who has locked it.
    fn note_effect(&mut self, member: Member, touched: &Touched, result: i64) {
        if result < 0 {
            return;
        }
        let creates = u64::from(libc::O_CREAT.cast_unsigned());
        match touched.verb {
            "open" if touched.flags & creates != 0 => {
                self.note_new_file(member, result);
                self.note_name(touched.names.first());
            }
            "link" => {
                self.note_name(touched.names.last());
                let entries = self.world.look();
                for entry in entries.iter().filter(|entry| entry.lock == Lock::Exclusive) {
                    // A new file was locked before anyone could see it.
                    self.lockers.entry(entry.file.clone()).or_insert(member);
                }
            }
            "flock" => {
                let exclusive = u64::from(libc::LOCK_EX.unsigned_abs());
                let stepped = self.actors[member].stepped();
                let file = touched.descriptor.and_then(|number| stepped.file(number));
                if let Some((_, inode)) = file {
                    let file = self.world.file(inode);
                    if touched.flags & exclusive != 0 {
                        self.lockers.insert(file, member);
                    }
                }
            }
            _ => {}
        }
    }

    fn note_name(&mut self, name: Option<&Vec<u8>>) {
        if let Some(inode) = name.and_then(|name| self.world.inode(name)) {
            self.world.has_name(inode);
        }
    }

    fn note_new_file(&mut self, member: Member, descriptor: i64) {
        let file = self.actors[member]
            .stepped()
            .file(descriptor.cast_unsigned());
        if let Some((_, inode)) = file {
            self.world.made_by(Some(member), inode);
        }
    }

    /// Takes a process to its next call that concerns another one.
    fn advance(&mut self, member: Member) {
        loop {
            let actor = &mut self.actors[member];
            let Some(stepped) = &mut actor.stepped else {
                return;
            };
            let Some(call) = stepped.next_call() else {
                actor.stepped = None;
                actor.at = At::Ended;
                return;
            };
            match Next::of(stepped, &call, &self.world) {
                Next::Private => {}
                Next::Call(touched) if touched.verb == LOCKS && actor.has_read_locks => {}
                Next::Call(touched) => {
                    actor.has_read_locks = touched.verb == LOCKS;
                    actor.at = At::Call(touched);
                    return;
                }
                Next::Sleep => {
                    stepped.skip_call();
                    actor.at = At::Sleep;
                    return;
                }
                Next::Report(address, length) => {
                    let text = stepped.string(address);
                    let length = usize::try_from(length).unwrap_or_default().min(text.len());
                    let report = String::from_utf8_lossy(&text[..length]).trim().to_owned();
                    self.log.push(format!("{member} reports {report:?}"));
                    actor.reports.push(report.clone());
                    if report == "hold" {
                        actor.at = At::Hold;
                        return;
                    }
                }
                Next::Draft => {
                    stepped.make_call();
                    match stepped.result() {
                        ..0 => {}
                        descriptor => self.note_new_file(member, descriptor),
                    }
                }
            }
        }
    }

    /// Lets every process go on to its end, one after the other.
    pub(super) fn finish(&mut self) {
        for member in 0..self.actors.len() {
            while !self.actors[member].is_over() {
                self.make_call(member);
                self.advance(member);
                self.look();
            }
        }
    }

    /// Kills what is left.
    pub(super) fn end(&mut self) {
        let children = self.actors.iter_mut().map(|actor| &mut actor.stepped);
        children
            .chain([&mut self.parent])
            .filter_map(Option::take)
            .for_each(Stepped::kill);
    }
}
