//! The search through all orders of turns, with a bounded number of switches.

use std::collections::HashMap;

use super::world::Member;

/// How often a run may go another way than it went before, until the search goes that way too.
const TRIES: usize = 5;

/// What may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A process makes its call.
    Step(Member),
    /// A process is killed before its call.
    Kill(Member),
    /// A bystander removes the file.
    Remove,
}

/// A point at which more than one thing could happen.
#[derive(Debug)]
struct Choice {
    /// Where the processes stand; see [`Search::choose`].
    situation: u64,
    /// What may happen here, and how many switches are used up afterwards. The first has been tried.
    options: Vec<(Turn, usize)>,
}

/// Which turn to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Advice {
    Take(Turn),
    /// All that can follow has been seen.
    Known,
    /// The run does not go as it went before, and is to be tried again.
    Diverged,
}

/// The choices of the present run, and what was seen in all runs.
#[derive(Debug, Default)]
pub(super) struct Search {
    choices: Vec<Choice>,
    /// How many switches were left, at most, where a situation was met.
    seen: HashMap<u64, usize>,
    /// How often a process may be interrupted that could go on.
    switches: usize,
    /// How many runs in a row have gone another way than before.
    diverged: usize,
    /// How many ways were given up, because no run took them again.
    given_up: usize,
}

impl Search {
    pub(super) fn new(switches: usize) -> Search {
        Search {
            switches,
            ..Search::default()
        }
    }

    pub(super) fn situations(&self) -> usize {
        self.seen.len()
    }

    pub(super) fn given_up(&self) -> usize {
        self.given_up
    }

    /// The turn at this depth. Two situations with the same number go on in the same ways. `options`
    /// says what may happen, and whether it interrupts a process.
    pub(super) fn choose(
        &mut self,
        depth: usize,
        situation: u64,
        options: impl IntoIterator<Item = (Turn, bool)>,
    ) -> Advice {
        if let Some(choice) = self.choices.get(depth) {
            if choice.situation == situation {
                return Advice::Take(choice.options[0].0);
            }
            self.diverged += 1;
            if self.diverged < TRIES {
                return Advice::Diverged;
            }
            self.choices.truncate(depth);
            self.given_up += 1;
        }
        self.diverged = 0;
        let used = self.choices.last().map_or(0, |choice| choice.options[0].1);
        let left = self.switches - used;
        match self.seen.get(&situation) {
            Some(before) if *before >= left => return Advice::Known,
            _ => self.seen.insert(situation, left),
        };
        let options: Vec<_> = options
            .into_iter()
            .map(|(turn, interrupts)| (turn, used + usize::from(interrupts)))
            .filter(|(_, used)| *used <= self.switches)
            .collect();
        let first = options[0].0;
        self.choices.push(Choice { situation, options });
        Advice::Take(first)
    }

    /// Turns to the next order. `false` if there is none.
    pub(super) fn next(&mut self) -> bool {
        while let Some(choice) = self.choices.last_mut() {
            choice.options.remove(0);
            if !choice.options.is_empty() {
                return true;
            }
            self.choices.pop();
        }
        false
    }
}
