//! The models. Each thread does what a thread of a program does.

use real_std::any::Any;
use real_std::ffi::CString;
use real_std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use real_std::sync::Arc;

use loom::model::Builder;
use loom::thread;

use crate::cleanup::{self, Armed, Outcome, Policy};
use crate::descriptor::Numbers;
use crate::kernel;
use crate::sync;
use crate::sys::{self, FileId, Gone};

/// How many threads may be interrupted in one order, unless `LOOM_MAX_PREEMPTIONS` says otherwise.
const PREEMPTIONS: usize = 3;

fn check(model: impl Fn() + Sync + Send + 'static) {
    check_from_the_start(move || {
        cleanup::enrol();
        model();
    });
}

/// Checks a model in which no thread has acquired anything yet.
fn check_from_the_start(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(PREEMPTIONS));
    builder.max_branches = 10_000;
    let orders = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&orders);
    builder.check(move || {
        counter.fetch_add(1, Relaxed);
        sync::forget_the_last_run();
        sys::forget_the_last_run();
        kernel::boot();
        model();
    });
    println!("{} orders", orders.load(Relaxed));
}

const POLICY: Policy = Policy {
    at_exit: true,
    signals: true,
    in_place: false,
    reserved: false,
};

const RESERVED: Policy = Policy {
    reserved: true,
    ..POLICY
};

/// A file, by the number of its descriptors, of its inode and in its name.
struct File(i32);

impl File {
    fn name(&self) -> CString {
        CString::new(format!("{}.pid", self.0)).expect("no NUL")
    }

    /// Publishes it as a start does, unless the process ends.
    fn publish(&self, policy: Policy) -> nix::Result<Armed> {
        self.publish_with(self.0, policy)
    }

    /// The same with another descriptor.
    fn publish_with(&self, file: i32, policy: Policy) -> nix::Result<Armed> {
        let numbers = Numbers {
            dir: self.0,
            file,
            id: FileId {
                dev: 0,
                ino: self.0.unsigned_abs().into(),
            },
        };
        let publishing = cleanup::arm(numbers, &self.name(), policy)?;
        kernel::link(&self.name(), self.0, policy.reserved);
        Ok(publishing.armed())
    }

    fn adopt(&self, reserved: &Armed) {
        kernel::begin_adoption(&self.name());
        reserved.adopt();
        kernel::end_adoption(&self.name());
    }

    /// Releases it as a guard does.
    fn release(&self, armed: Armed) {
        let outcome = armed.scrub();
        assert!(
            matches!(outcome, Outcome::Removed | Outcome::Gone),
            "{outcome:?}"
        );
        assert!(!kernel::has_name(&self.name()), "it is removed");
        kernel::close(self.0);
    }

    fn release_unless_gone(&self, armed: Armed) {
        survive(catch_unwind(AssertUnwindSafe(|| self.release(armed))));
    }

    fn publish_and_release(&self) {
        let done = catch_unwind(AssertUnwindSafe(|| {
            let armed = self.publish(POLICY).expect("no wait takes a second");
            self.release(armed);
        }));
        survive(done);
    }
}

/// Goes on, unless it was by the end of the process that the thread was stopped.
fn survive(done: Result<(), Box<dyn Any + Send>>) {
    if let Err(panic) = done {
        if !panic.is::<Gone>() {
            resume_unwind(panic);
        }
    }
}

fn signal() {
    cleanup::signal();
    kernel::end();
}

fn exit() {
    kernel::exit();
    kernel::end();
}

/// The end that comes first ends the other one too, which it cannot do in a hook: that is a C function.
fn second_end(end: fn()) {
    survive(catch_unwind(|| {
        end();
        kernel::end();
    }));
}

#[test]
fn a_publisher_and_a_signal() {
    check(|| {
        let publisher = thread::spawn(|| File(5).publish_and_release());
        signal();
        publisher.join().unwrap();
    });
}

#[test]
fn a_publisher_and_an_exit() {
    check(|| {
        let publisher = thread::spawn(|| File(5).publish_and_release());
        exit();
        publisher.join().unwrap();
    });
}

#[test]
fn a_publisher_that_keeps_its_file_and_a_signal() {
    check(|| {
        let publisher = thread::spawn(|| {
            // A guard that is forgotten.
            survive(catch_unwind(|| drop(File(5).publish(POLICY))));
        });
        signal();
        publisher.join().unwrap();
    });
}

#[test]
fn two_publishers() {
    check(|| {
        let other = thread::spawn(|| File(5).publish_and_release());
        File(6).publish_and_release();
        other.join().unwrap();
    });
}

#[test]
fn two_publishers_that_come_first() {
    check_from_the_start(|| {
        let first = |file: File| {
            cleanup::enrol();
            file.publish_and_release();
        };
        let other = thread::spawn(move || first(File(5)));
        first(File(6));
        other.join().unwrap();
    });
}

#[test]
fn two_publishers_and_a_slot_that_is_vacant() {
    check(|| {
        File(4).publish_and_release();
        let other = thread::spawn(|| File(5).publish_and_release());
        File(6).publish_and_release();
        other.join().unwrap();
    });
}

#[test]
fn a_slot_that_is_used_again_and_a_signal() {
    check(|| {
        let armed = File(5).publish(POLICY).unwrap();
        let holder = thread::spawn(move || {
            File(5).release_unless_gone(armed);
            File(6).publish_and_release();
        });
        signal();
        holder.join().unwrap();
    });
}

#[test]
fn a_release_a_signal_and_an_exit() {
    check(|| {
        let armed = File(5).publish(POLICY).unwrap();
        let holder = thread::spawn(move || File(5).release_unless_gone(armed));
        let signal = thread::spawn(|| second_end(cleanup::signal));
        second_end(cleanup::exit);
        holder.join().unwrap();
        signal.join().unwrap();
    });
}

#[test]
fn a_publisher_a_signal_and_an_exit() {
    check(|| {
        let publisher = thread::spawn(|| File(5).publish_and_release());
        let signal = thread::spawn(|| second_end(cleanup::signal));
        second_end(cleanup::exit);
        publisher.join().unwrap();
        signal.join().unwrap();
    });
}

#[test]
fn two_publishers_and_a_signal() {
    check(|| {
        let one = thread::spawn(|| File(5).publish_and_release());
        let other = thread::spawn(|| File(6).publish_and_release());
        signal();
        one.join().unwrap();
        other.join().unwrap();
    });
}

#[test]
fn a_descriptor_that_was_closed_and_a_slot_that_is_used_again() {
    check(|| {
        let lost = File(5).publish(POLICY).unwrap();
        // The program has closed the descriptor, and its number is given out again.
        let holder = thread::spawn(move || {
            let _ = lost.scrub();
            let armed = File(6).publish(POLICY).unwrap();
            File(6).release(armed);
        });
        let armed = File(7).publish_with(5, POLICY).unwrap();
        holder.join().unwrap();
        File(7).release(armed);
    });
}

#[test]
fn a_reserved_file_and_a_signal() {
    check(|| {
        let reserved = File(5).publish(RESERVED).unwrap();
        let publisher = thread::spawn(|| File(6).publish_and_release());
        signal();
        publisher.join().unwrap();
        assert!(kernel::has_name(&File(5).name()), "it is reserved");
        File(5).release(reserved);
    });
}

#[test]
fn an_adoption_and_a_signal() {
    check(|| {
        let reserved = File(5).publish(RESERVED).unwrap();
        let adopter = thread::spawn(move || {
            // The signal may have passed the file by, so it never counts as adopted.
            kernel::begin_adoption(&File(5).name());
            reserved.adopt();
            File(5).release_unless_gone(reserved);
        });
        signal();
        adopter.join().unwrap();
    });
}

#[test]
fn a_release_and_a_call_of_cleanup() {
    check(|| {
        let armed = File(5).publish(POLICY).unwrap();
        let publisher = thread::spawn(|| File(6).publish_and_release());
        let holder = thread::spawn(move || File(5).release(armed));
        cleanup::call();
        assert!(!kernel::has_name(&File(5).name()), "it was armed");
        publisher.join().unwrap();
        holder.join().unwrap();
    });
}

#[test]
fn a_publisher_and_a_signal_that_process_1_survives() {
    check(|| {
        let publisher = thread::spawn(|| File(5).publish_and_release());
        if !cleanup::signal_to_process_1() {
            kernel::end();
        }
        publisher.join().unwrap();
    });
}

#[test]
fn a_release_and_a_publisher_in_process_1() {
    check_from_the_start(|| {
        kernel::become_process_1();
        cleanup::enrol();
        let armed = File(5).publish(POLICY).unwrap();
        let holder = thread::spawn(move || File(5).release(armed));
        File(6).publish_and_release();
        holder.join().unwrap();
        assert!(!kernel::is_handled(), "nothing is held");
    });
}

#[test]
fn a_release_and_an_adoption_in_process_1() {
    check_from_the_start(|| {
        kernel::become_process_1();
        cleanup::enrol();
        let reserved = File(5).publish(RESERVED).unwrap();
        let armed = File(6).publish(POLICY).unwrap();
        let holder = thread::spawn(move || File(6).release(armed));
        File(5).adopt(&reserved);
        holder.join().unwrap();
        File(5).release(reserved);
        assert!(!kernel::is_handled(), "nothing is held");
    });
}
