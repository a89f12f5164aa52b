//! A reader sees the whole record of a process that may be named there, or finds no file.
//!
//! For each way in which a file is written, the readers go on for two seconds, on tmpfs and on a disk.

mod reader;
mod scene;

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use crate::support::{Program, Snapshot, eventually};
use reader::Seen;
use scene::{Form, Place, Scene};

/// What `writers` leaves in a stale file.
const STALE: [&str; 2] = ["7\n", "4194303\n"];

/// How often the test asks whether its readers are done.
const PAUSE: Duration = Duration::from_millis(10);

/// Lets the program end. Returns every record that it has announced.
#[track_caller]
fn finish(mut program: Program) -> BTreeSet<String> {
    program.tell();
    program.let_go();
    let mut records = BTreeSet::new();
    loop {
        let line = program.line().expect("it says when it is done");
        if line == "done" {
            program.expect_exit(0);
            return records;
        }
        let number = line.strip_prefix("record ").expect("a record");
        records.insert(format!("{number}\n"));
    }
}

/// What a file may contain besides the records of the programs that write it.
fn besides(form: Form, others: &[&str]) -> BTreeSet<String> {
    let emptied = (form == Form::InPlace).then_some("");
    let all = others.iter().copied().chain(emptied);
    all.map(String::from).collect()
}

/// Lets so many programs of a kind write, and checks what was seen.
#[track_caller]
fn hammer(
    scene: &Scene,
    kind: &str,
    programs: usize,
    others: &[&str],
    is_enough: impl Fn(&Seen) -> bool + Sync,
) -> Vec<Seen> {
    let programs: Vec<_> = (0..programs).map(|_| scene.start(kind)).collect();
    if kind == "adopt" {
        eventually("the first record", || scene.path.exists());
    }
    let seen = scene.read(is_enough, || thread::sleep(PAUSE));
    let mut possible = besides(scene.form, others);
    for program in programs {
        possible.append(&mut finish(program));
    }
    scene.check(&seen, &possible);
    seen
}

#[track_caller]
fn assert_fresh_starts_are_whole(place: Place, form: Form) {
    let Some(scene) = Scene::new(place, form) else {
        return;
    };
    // No file or an empty one, and the record of one program at least: neither waits for its turn.
    let seen = hammer(&scene, "fresh", 2, &[], |seen| match form {
        Form::Published => seen.was_absent && !seen.records.is_empty(),
        Form::InPlace => seen.records.len() >= 2,
    });
    let is_published = form == Form::Published;
    assert!(seen.iter().all(|seen| seen.was_absent == is_published));
    assert_eq!(scene.path.exists(), !is_published, "released");
}

#[test]
fn fresh_starts_on_tmpfs_are_absent_or_complete() {
    assert_fresh_starts_are_whole(Place::Tmpfs, Form::Published);
}

#[test]
fn fresh_starts_on_the_disk_are_absent_or_complete() {
    assert_fresh_starts_are_whole(Place::Disk, Form::Published);
}

#[test]
fn fresh_starts_in_place_on_tmpfs_are_empty_or_complete() {
    assert_fresh_starts_are_whole(Place::Tmpfs, Form::InPlace);
}

#[test]
fn fresh_starts_in_place_on_the_disk_are_empty_or_complete() {
    assert_fresh_starts_are_whole(Place::Disk, Form::InPlace);
}

#[track_caller]
fn assert_take_overs_are_whole(place: Place) {
    let Some(scene) = Scene::new(place, Form::Published) else {
        return;
    };
    // Either stale record, and that of the program.
    let is_enough = |seen: &Seen| seen.records.len() >= 3;
    hammer(&scene, "take-over", 1, &STALE, is_enough);
    assert!(!scene.path.exists(), "released");
}

#[test]
fn take_overs_on_tmpfs_show_the_old_record_or_the_new_one() {
    assert_take_overs_are_whole(Place::Tmpfs);
}

#[test]
fn take_overs_on_the_disk_show_the_old_record_or_the_new_one() {
    assert_take_overs_are_whole(Place::Disk);
}

/// That a file which was never emptied is never seen empty: its holders are killed.
#[track_caller]
fn assert_take_overs_in_place_are_whole(place: Place) {
    let Some(scene) = Scene::new(place, Form::InPlace) else {
        return;
    };
    scene.lay(STALE[0]);
    let mut program = scene.start("killed");
    let mut possible: BTreeSet<String> = STALE.map(String::from).into();
    let mut stale = STALE.into_iter().cycle();
    let mut take_over = || {
        program.tell();
        possible.insert(format!("{}\n", program.expect("record ")));
        program.expect("killed");
    };
    let is_enough = |seen: &Seen| seen.records.len() > 10;
    let seen = scene.read(is_enough, || {
        scene.lay(stale.next().expect("it goes on and on"));
        let laid = Snapshot::of(&scene.path).inode;
        // Once from a number that is shorter or longer, and once from another process's.
        take_over();
        take_over();
        assert_eq!(Snapshot::of(&scene.path).inode, laid, "in place");
    });
    program.let_go();
    program.expect("done");
    scene.check(&seen, &possible);
    assert!(seen.iter().all(|seen| !seen.was_absent));
}

#[test]
fn take_overs_in_place_on_tmpfs_show_the_old_record_or_the_new_one() {
    assert_take_overs_in_place_are_whole(Place::Tmpfs);
}

#[test]
fn take_overs_in_place_on_the_disk_show_the_old_record_or_the_new_one() {
    assert_take_overs_in_place_are_whole(Place::Disk);
}

#[track_caller]
fn assert_adoptions_are_whole(place: Place, form: Form) {
    let Some(scene) = Scene::new(place, form) else {
        return;
    };
    let seen = hammer(&scene, "adopt", 1, &[], |seen| seen.records.len() > 10);
    assert!(seen.iter().all(|seen| !seen.was_absent));
}

#[test]
fn adoptions_on_tmpfs_show_one_record_after_the_other() {
    assert_adoptions_are_whole(Place::Tmpfs, Form::Published);
}

#[test]
fn adoptions_on_the_disk_show_one_record_after_the_other() {
    assert_adoptions_are_whole(Place::Disk, Form::Published);
}

#[test]
fn adoptions_in_place_on_tmpfs_show_one_record_after_the_other() {
    assert_adoptions_are_whole(Place::Tmpfs, Form::InPlace);
}

#[test]
fn adoptions_in_place_on_the_disk_show_one_record_after_the_other() {
    assert_adoptions_are_whole(Place::Disk, Form::InPlace);
}
