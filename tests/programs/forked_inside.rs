//! `forked_inside PATH`: forks while another thread is in the middle of the process's first acquire,
//! and acquires in the child.
//!
//! Only some instants of an acquire are a danger to a child, and the program's own `fstatat` makes
//! one of them long enough: the look at the root directory.
//!
//! Only for 64-bit Linux, where the system call has one name.

#![allow(unsafe_code, reason = "fork, and a function of libc")]

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
mod program {
    use std::env::args_os;
    use std::ffi::{CStr, c_char, c_int};
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::sync::{Mutex, PoisonError};
    use std::thread;

    use nix::libc;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::{ForkResult, alarm, fork};
    use pidfile::PidFile;

    /// Says that the first acquire is in the middle, and learns that it may go on.
    struct Pause {
        reached: (Sender<()>, Mutex<Option<Receiver<()>>>),
        over: (Sender<()>, Mutex<Option<Receiver<()>>>),
    }

    static PAUSE: LazyLock<Pause> = LazyLock::new(|| {
        let pair = || {
            let (sender, receiver) = channel();
            (sender, Mutex::new(Some(receiver)))
        };
        Pause {
            reached: pair(),
            over: pair(),
        }
    });
    static HAS_PAUSED: AtomicBool = AtomicBool::new(false);

    fn take(receiver: &Mutex<Option<Receiver<()>>>) -> Receiver<()> {
        let mut receiver = receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.take().expect("it is taken once")
    }

    /// In the place of libc's.
    ///
    /// # Safety
    ///
    /// As that of libc.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn fstatat(
        dir: c_int,
        name: *const c_char,
        stat: *mut libc::stat,
        flags: c_int,
    ) -> c_int {
        // SAFETY: the caller passes a C string.
        let is_root = unsafe { CStr::from_ptr(name) } == c"/";
        if is_root && !HAS_PAUSED.swap(true, Ordering::SeqCst) {
            PAUSE.reached.0.send(()).expect("`main` waits for it");
            take(&PAUSE.over.1).recv().expect("`main` sends it");
        }
        // SAFETY: the arguments are those that the caller of fstatat passed.
        let result = unsafe { libc::syscall(libc::SYS_newfstatat, dir, name, stat, flags) };
        c_int::try_from(result).expect("it is 0 or -1")
    }

    pub(super) fn main() {
        alarm::set(300);
        let path = args_os().nth(1).expect("PATH");
        let mut of_child = path.clone();
        of_child.push(".child");
        let first = thread::spawn(move || PidFile::acquire(path).expect("it is free"));
        take(&PAUSE.reached.1).recv().expect("the thread sends it");
        // SAFETY: the child only acquires, which is what the test is about, and leaves by `_exit`.
        match unsafe { fork() }.expect("fork") {
            ForkResult::Child => {
                alarm::set(30);
                let held = PidFile::acquire(of_child);
                let status = c_int::from(held.is_err());
                drop(held);
                // SAFETY: _exit has no preconditions.
                unsafe { libc::_exit(status) }
            }
            ForkResult::Parent { child } => {
                let ended = waitpid(child, None).expect("it is our child");
                PAUSE.over.0.send(()).expect("the thread waits for it");
                drop(first.join().expect("the thread does not panic"));
                assert_eq!(ended, WaitStatus::Exited(child, 0));
            }
        }
    }
}

fn main() {
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    program::main();
}
