//! `between CASE PATH`: comes between two steps of the library that are about what a signal does.
//! The program waits for a line first, and exits with 1 if it survives a signal that must end it.
//!
//! The program's own `sigaction` and `poll` make those instants long enough.

#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    unreachable_pub,
    reason = "it stands in for functions of libc"
)]
mod visitor;

#[cfg(target_os = "linux")]
mod program {
    use std::env::args;
    use std::ffi::c_int;
    use std::io::stdin;
    use std::process::exit;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use std::sync::mpsc::channel;
    use std::thread;

    use nix::sys::signal::{SigHandler, Signal, kill, signal};
    use nix::unistd::getpid;
    use pidfile::PidFile;

    use super::visitor::{Moment, visit};

    static IS_HELD: AtomicBool = AtomicBool::new(false);
    /// How often the program's own handler was called.
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    /// The handler that was there before.
    static BEFORE: OnceLock<extern "C" fn(c_int)> = OnceLock::new();

    extern "C" fn handle(number: c_int) {
        CALLS.fetch_add(1, SeqCst);
        if let Some(before) = BEFORE.get() {
            before(number);
        }
    }

    #[allow(unsafe_code, reason = "nix wants it for a handler")]
    fn set_own_handler() {
        // SAFETY: the handler counts, and calls the one that was there before.
        let before = unsafe { signal(Signal::SIGTERM, SigHandler::Handler(handle)) };
        if let SigHandler::Handler(before) = before.expect("signal") {
            BEFORE.set(before).expect("it is set once");
        }
    }

    fn send_term() {
        kill(getpid(), Signal::SIGTERM).expect("kill");
    }

    fn acquire(path: &str) -> PidFile {
        PidFile::acquire(path).expect("it is free")
    }

    pub(super) fn main() {
        let [case, path] = [1, 2].map(|index| args().nth(index).expect("CASE PATH"));
        stdin().read_line(&mut String::new()).expect("a line");
        match &*case {
            "release-and-acquire" => release_and_acquire(&path),
            "handler-at-acquire" => {
                set_own_handler_once(Moment::Asked);
                let held = acquire(&path);
                expect_own_handler();
                drop(held);
            }
            "handler-at-release" => {
                let held = acquire(&path);
                set_own_handler_once(Moment::Asked);
                drop(held);
                expect_own_handler();
            }
            "handler-at-signal" => {
                let held = acquire(&path);
                set_own_handler_once(Moment::Asks);
                expect_own_handler();
                drop(held);
            }
            _ => panic!("{case}"),
        }
    }

    /// One thread releases a file, so that nothing is held, and is about to remove the handlers. Then
    /// another thread acquires a file.
    fn release_and_acquire(path: &str) {
        let first = acquire(path);
        let (arrive, arrival) = channel();
        let (permit, permission) = channel();
        let releaser = thread::spawn(move || {
            visit(move |moment| match moment {
                Moment::Restores => {
                    arrive.send(()).expect("`main` waits for it");
                    permission.recv().expect("`main` sends it");
                }
                Moment::Restored if IS_HELD.load(SeqCst) => {
                    send_term();
                    exit(1);
                }
                _ => {}
            });
            drop(first);
        });
        arrival.recv().expect("it removes the handlers");

        let second = format!("{path}.second");
        let (tell, told) = channel();
        let (finish, finished) = channel();
        let acquirer = thread::spawn(move || {
            let tell_once_more = tell.clone();
            visit(move |moment| {
                if moment == Moment::Naps && tell.send(()).is_ok() {
                    finished.recv().expect("`main` sends it");
                }
            });
            let held = acquire(&second);
            IS_HELD.store(true, SeqCst);
            // Fails if it had to wait.
            let _ = tell_once_more.send(());
            held
        });
        told.recv().expect("it has the file, or waits");
        drop(told);
        permit.send(()).expect("it waits for it");
        releaser.join().expect("no panic");
        // Fails if it has not waited.
        let _ = finish.send(());
        let _held = acquirer.join().expect("no panic");
        send_term();
        exit(1);
    }

    /// Sets a handler of the program's own at the first of these moments.
    fn set_own_handler_once(awaited: Moment) {
        let mut is_first = true;
        visit(move |moment| {
            if moment == awaited && is_first {
                is_first = false;
                set_own_handler();
            }
        });
    }

    fn expect_own_handler() {
        send_term();
        assert_eq!(CALLS.load(SeqCst), 1, "calls of the handler");
    }
}

fn main() {
    #[cfg(target_os = "linux")]
    program::main();
}
