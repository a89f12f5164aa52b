//! The registry on its own, without files. All tests share its table, so they take turns.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use super::scrub::{End, end};
use super::table::{Phase, Slot, TABLE, Word, reuse_ancestors_slots, wants_signals};
use super::vacancy::Vacancies;
use super::*;
use crate::descriptor::Numbers;
use crate::sys::FileId;

static TURN: Mutex<()> = Mutex::new(());

fn take_turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

const PHASES: [Phase; 7] = [
    Phase::Vacant,
    Phase::Filling,
    Phase::Publishing,
    Phase::Armed,
    Phase::Claimed,
    Phase::Spent,
    Phase::Superseded,
];

fn policies() -> impl Iterator<Item = Policy> {
    (0..16).map(|bits| Policy {
        at_exit: bits & 1 != 0,
        signals: bits & 2 != 0,
        in_place: bits & 4 != 0,
        reserved: bits & 8 != 0,
    })
}

fn places(slots: &[&Slot]) -> Vec<u32> {
    slots.iter().map(|slot| slot.place()).collect()
}

#[test]
fn a_word_tells_phase_policy_and_owner_apart() {
    for owner in [0, 1, 0x0155_5555, (1 << identity::OWNER_BITS) - 1] {
        for policy in policies() {
            for phase in PHASES {
                let word = Word::new(phase, owner, policy);
                assert_eq!(word.phase(), phase);
                assert_eq!(word.owner(), owner);
                assert_eq!(word.policy(), policy);
                for other in PHASES {
                    assert_eq!(word.with_phase(other), Word::new(other, owner, policy));
                }
                for other in policies() {
                    assert_eq!(word.with_policy(other), Word::new(phase, owner, other));
                }
            }
        }
    }
}

#[test]
fn a_slot_keeps_numbers_and_a_name_that_fits() {
    let slot = Slot::default();
    let id = FileId {
        dev: 0x0123_4567_89ab_cdef,
        ino: u64::MAX - 1,
    };
    let [dir, file] = [3, 4];
    slot.set_numbers(Numbers { dir, file, id });
    let numbers = slot.numbers();
    assert_eq!((numbers.dir, numbers.file, numbers.id), (dir, file, id));

    let longest = CString::new([b'x'; NAME_SIZE - 1]).unwrap();
    let mut buffer = [0; NAME_SIZE];
    for name in [c"it.pid", &longest, c"x"] {
        slot.set_name(name);
        assert_eq!(slot.name(&mut buffer), name);
    }
    // Cut, because a string without an end would be none.
    slot.set_name(&CString::new([b'x'; NAME_SIZE + 1]).unwrap());
    assert_eq!(slot.name(&mut buffer), longest.as_c_str());
}

#[test]
fn a_signal_is_wanted_only_for_an_entry_that_it_cleans_up() {
    let _turn = take_turn();
    let me = 201;
    let slot = Slot::occupy(me);
    for policy in policies() {
        for phase in PHASES {
            let is_there = [Phase::Publishing, Phase::Armed, Phase::Claimed].contains(&phase);
            slot.set_word(Word::new(phase, me, policy));
            assert_eq!(
                wants_signals(me),
                is_there && policy.signals && !policy.reserved,
                "{phase:?} {policy:?}"
            );
            assert!(!wants_signals(me + 1));
        }
    }
    slot.vacate();
}

#[test]
fn a_forked_child_reuses_the_slots_of_its_ancestors() {
    let _turn = take_turn();
    let armed = |owner| {
        let slot = Slot::occupy(owner);
        slot.set_word(Word::new(Phase::Armed, owner, Policy::default()));
        slot
    };
    let [parent, child, grandchild] = [101, 102, 103];
    reuse_ancestors_slots();
    let parents = [parent; 3].map(armed);
    // Another thread of the parent was filling this one when it forked.
    let in_between = Slot::occupy(parent);
    parents[1].vacate();

    reuse_ancestors_slots();
    let childs = [child; 4].map(armed);
    assert_eq!(places(&childs[..3]), places(&parents));
    assert_ne!(places(&childs[3..]), places(&[in_between]));

    // The child keeps its own, even if a second thread gives all back once more.
    reuse_ancestors_slots();
    let more = armed(child);
    assert!(!places(&childs).contains(&more.place()));

    reuse_ancestors_slots();
    let grandchilds = [grandchild; 5].map(armed);
    assert_eq!(
        places(&grandchilds),
        places(&[childs.as_slice(), &[more]].concat())
    );
}

#[test]
#[cfg_attr(miri, ignore = "Miri does not know `madvise`")]
fn an_entry_is_superseded_by_the_next_one_with_its_descriptor() {
    let _turn = take_turn();
    enrol();
    let publish = |file| {
        let id = FileId { dev: 1, ino: 1 };
        arm(Numbers { dir: -1, file, id }, c"it.pid", Policy::default()).unwrap()
    };
    let [first, other] = [1_000, 1_001].map(|file| publish(file).armed());
    let second = publish(1_000);
    assert!(first.is_superseded());
    assert!(!other.is_superseded());

    // A file that did not exist yet when it was entered.
    let late = publish(Numbers::UNKNOWN.file);
    assert!(!other.is_superseded());
    late.identify(Numbers {
        dir: -1,
        file: 1_001,
        id: FileId { dev: 1, ino: 2 },
    });
    assert!(other.is_superseded());

    // The slot that was entered with this number before has another file now.
    drop(late);
    let elsewhere = publish(1_002).armed();
    let _again = publish(1_001);
    assert!(!elsewhere.is_superseded());
    assert!(!second.armed().is_superseded());
}

#[test]
#[cfg_attr(miri, ignore = "Miri does not know `madvise`")]
fn a_guard_reserves_its_own_entry_and_only_while_that_is_armed() {
    let _turn = take_turn();
    enrol();
    let id = FileId { dev: 1, ino: 3 };
    let numbers = Numbers {
        dir: -1,
        file: 1_010,
        id,
    };
    let publishing = arm(numbers, c"it.pid", Policy::default()).unwrap();
    let guard = publishing.armed();
    let slot = TABLE.iter().find(|slot| slot.numbers().id == id).unwrap();
    let armed = slot.word();
    guard.reserve();
    assert!(slot.word().policy().reserved);
    // While it is cleaned up, and in a child that has a file of its own in the slot.
    let childs = Word::new(Phase::Armed, armed.owner() + 1, armed.policy());
    for other in [armed.with_phase(Phase::Claimed), childs] {
        slot.set_word(other);
        guard.reserve();
        assert_eq!(slot.word(), other);
    }
    slot.vacate();
}

#[test]
#[cfg_attr(miri, ignore = "Miri does not know `poll`")]
fn no_wait_for_a_stuck_thread_is_endless() {
    let _turn = take_turn();
    enrol();
    let _others = end(End::Call); // What the other tests have left.
    let publishing = arm(Numbers::UNKNOWN, c"it.pid", Policy::default()).unwrap();
    assert_eq!(end(End::Call), Some(true));
    drop(publishing);
    assert_eq!(end(End::Call), Some(false), "nothing is left");

    let id = FileId { dev: 1, ino: 4 };
    let numbers = Numbers {
        dir: -1,
        file: 1_020,
        id,
    };
    let publishing = arm(numbers, c"it.pid", Policy::default()).unwrap();
    let guard = publishing.armed();
    let slot = TABLE.iter().find(|slot| slot.numbers().id == id).unwrap();
    let claimed = slot.word().with_phase(Phase::Claimed);
    slot.set_word(claimed);
    assert_eq!(guard.scrub(), Outcome::Stuck);
    assert_eq!(slot.word(), claimed, "the thread still uses it");
    slot.vacate();
}

#[test]
#[cfg_attr(miri, ignore = "Miri does not know `madvise`")]
fn a_thread_that_ends_the_process_is_refused_at_once() {
    let _turn = take_turn();
    enrol();
    let publish = || arm(Numbers::UNKNOWN, c"it.pid", Policy::default());
    assert!(end(End::Exit).is_some());
    assert_eq!(publish().err(), Some(Errno::ECANCELED));
    // Process 1 may survive a signal.
    let (process, _) = identity::enrolled();
    ending::give_up(process);
    assert!(publish().is_ok());
}

#[test]
fn the_first_vacant_place_is_taken() {
    let vacancies = Vacancies::new();
    for place in 0..1_000 {
        assert_eq!(vacancies.take(), place);
    }
    for place in [31, 32, 700] {
        vacancies.give_back(place);
    }
    for place in [31, 32, 700, 1_000] {
        assert_eq!(vacancies.take(), place);
    }
    vacancies.give_back_all();
    assert_eq!(vacancies.take(), 0);
}

#[test]
fn no_place_is_taken_twice_or_lost() {
    const THREADS: usize = 8;
    static TAKEN: [AtomicBool; 2 * THREADS] = [const { AtomicBool::new(false) }; 2 * THREADS];
    let rounds = if cfg!(miri) { 50 } else { 10_000 };
    let vacancies = &Vacancies::new();
    let take = || {
        let place = vacancies.take();
        assert!(!TAKEN[place as usize].swap(true, SeqCst), "{place}");
        place
    };
    let give_back = |place| {
        TAKEN[place as usize].store(false, SeqCst);
        vacancies.give_back(place);
    };
    let kept = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..rounds {
                        let [first, second] = [take(), take()];
                        give_back(first);
                        give_back(second);
                    }
                    [take(), take()]
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect::<BTreeSet<_>>()
    });
    // As many as were ever in use at once, and no more.
    let expected: BTreeSet<_> = (0..).take(2 * THREADS).collect();
    assert_eq!(kept, expected);
}
