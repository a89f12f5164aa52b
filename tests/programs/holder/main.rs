//! `holder STEP...`: a program that takes the steps on its command line, one after the other.
//! Most tests start it, because a pidfile makes its promises to whole processes.
//!
//! A step is a word, or a word with a value: `step=value`. A step that fails panics, so that the
//! test sees its message and an unexpected status. `TERM` stands for any signal by its name
//! (`SIGTERM`), `N` for a number and `PATH` for a path.
//!
//! | step | what it does | what it prints |
//! |---|---|---|
//! | **Options**, for every later step | | |
//! | `path=PATH` `name=` `dir=` `chmod=600` `uid=N` ... | calls the setter of that name; `chmod` takes octal digits | |
//! | `patience=N` `patience=max` | waits for so many milliseconds, or without limit | |
//! | `replace=N` | replaces the holder, within so many milliseconds | |
//! | `on-wait` `announce` | reports that it waits: itself, or as the attribute does in `main` | `on-wait`: `notice TEXT` |
//! | **Holding** ([`State`]) | | |
//! | `acquire` | acquires; a refusal ends the program with its exit code | `held PID PATH` or a refusal |
//! | `try` | acquires; after a refusal it goes on | the same |
//! | `release` `drop` `drop-first` `forget` | gives the newest (or first) guard back, or leaks it | `release`: `released` or a refusal |
//! | `verify` | asks the newest guard | `verify RESULT` |
//! | `status` | asks for the status | `status STATUS` or a refusal |
//! | `resolve` | asks where the file goes | `resolved PATH` or a refusal |
//! | `cleanup` | calls `pidfile::cleanup` | |
//! | **From outside** ([`from_outside`]) | | |
//! | `holder` | asks which process holds the file | `holder PID PROGRAM UID awake` (or `suspended`), `nobody` or a refusal |
//! | `signal=HUP` | signals the holder that was found | `signalled` or a refusal |
//! | `stop=N` `kill=N` | ends it, within so many milliseconds | `stopped`, `killed` or a refusal |
//! | `reuse-number` `has-number` | gives the number of that holder to the next process; asks whether one has it | `has-number`: `its number is taken` or `free` |
//! | `hold-by-fcntl` `let-go-by-fcntl` | locks the file with `fcntl`, and writes its number; unlocks it | `locked`, `unlocked` |
//! | `work-alone=PATH` | works until the end, and reports if another process does so at the same time | `working`, `intruder` |
//! | `await-end=N` | waits so many milliseconds for its end | `ended`, `there` or a refusal |
//! | **Daemons** ([`daemon`]) | | |
//! | `reserve` | reserves; a refusal ends the program | `reserved PATH` or a refusal |
//! | `adopt` | adopts the newest reservation | as `try` |
//! | `hand-over` | turns the newest guard into a reservation | |
//! | `drop-reservation` | drops the newest reservation | |
//! | `detach=WAY` | goes on in the background: `nix`, `daemonize`, `fork`, `fork-and-forget` | |
//! | **Upgrades** ([`passing`]) | | |
//! | `inherit` | takes the reservation that was passed to this program | `inherited PATH`, `nothing inherited` or a refusal |
//! | `exec-next=STEP,STEP:VALUE` `spawn-next=...` | passes the newest reservation or guard to this program anew | `spawn-next`: `spawned PID` |
//! | `exec-nothing` | the same to a program that does not exist | |
//! | `spawn-other=STEP,STEP:VALUE` | spawns this program anew and passes nothing on | `spawned PID` |
//! | `exit-and-leave` | forgets the reservations, and exits | |
//! | `upgrades=N` | becomes its own next version that often, by exec and by spawn in turn | now and then `left N`, at last `held PID PATH` |
//! | **Talking with the test** | | |
//! | `say=TEXT` | | `TEXT` |
//! | `wait` | reads a line, or the end of the input | |
//! | `poll` | waits until there is input, without reading it | `poll ready` or `poll ERROR` |
//! | **Ends** ([`ends`]) | | |
//! | `exit=N` `_exit=N` `exit-on-a-thread=N` | ends with that status | |
//! | `refused-as=main` `refused-as=main-with-a-status` `refused-as=function` | acquires as a function of that kind does, and is refused | with a status: `returned STATUS` |
//! | `question` | returns an error from `main` while the guards are alive | |
//! | `panic` `abort` | ends by a panic or by `SIGABRT` | |
//! | `raise=TERM` `raise-on-two-threads=TERM,TERM` | raises signals | |
//! | `exit-and-raise=N,TERM` | exits on one thread and raises on another at once | |
//! | `exists-at-exit=PATH` | registers an exit handler that reports on the file | `at exit there` or `at exit gone` |
//! | **Signals** ([`dispositions`]) | | |
//! | `ignore=TERM` | ignores it | |
//! | `handle=TERM` | handles it by remembering it | |
//! | `handled` | reports the last signal remembered, and forgets it | `handled N` |
//! | `reset-signals` | gives every signal its default action, as `daemon(7)` does | |
//! | `block-signals` | blocks every signal, so that what is sent stays pending | |
//! | `clean-up-and-leave-on=TERM` | handles it by `cleanup` and `_exit(9)` | |
//! | **Threads** ([`threads`]) | | |
//! | `workers=N` | starts threads that acquire and release a file each | |
//! | `rivals=N` | starts threads that acquire and release the holder's file | |
//! | `spawners=N` | starts threads that spawn programs | |
//! | `churn` | acquires and releases until the end | `ready` |
//! | `rounds=N` | acquires and releases that often | now and then `round N`, at last `done` |
//! | `probe` | asks for the status until the end | `probing` |
//! | `lose-watch=close` `lose-watch=pipe` | closes the descriptor that a waiter sleeps on, as soon as there is one; opens a pipe in its place | `watch lost` |
//! | `read-pipe` | reads what is in that pipe | `read TEXT` |
//! | `drop-when-told` | drops the newest guard on another thread, once that has read a line | |
//! | `drop-on-a-thread` | drops the newest guard on another thread | |
//! | `park` | sleeps until the end | |
//! | `end-main-thread` | takes the later steps on another thread and ends the main thread | |
//! | **Children** ([`children`]) | | |
//! | `fork=STEP,STEP:VALUE` | forks a child that takes these steps and leaves by `_exit(0)` | |
//! | `clone-pid-namespace=STEP,STEP:VALUE` | as `fork`, in a pid namespace and by a bare `clone` | |
//! | `vfork-and-raise=TERM` | starts a child in this process's memory that dies by the signal | |
//! | `spawn` | spawns a program that inherits the standard input | `spawned PID` |
//! | `reap` | waits for a child | `child exited N` or `child killed by TERM` |
//! | **Surroundings** ([`surroundings`], [`mounts`]) | | |
//! | `title=TEXT` | sets the name of the process, any bytes | |
//! | `umask=777` `chdir=PATH` `chroot=PATH` `become=N` | changes the process; `become` takes a user and group id | |
//! | `close=N` `close-all` | closes descriptors behind the library's back | |
//! | `open-ten=PATH` | opens the file ten times, to read and write, and keeps it open | |
//! | `limit-files=N` `limit-size=N` `limit-memory=N` `limit-processor=N` | sets a soft limit; `max` raises it again | |
//! | `own-pid-namespace` | gives later children a pid namespace | |
//! | `private-mounts` | unshares the mount namespace | |
//! | `tmpfs=PATH` `bind=FROM,TO` `read-only=PATH` `read-write=PATH` | mounts and remounts | |
//! | **A poorer kernel** ([`seccomp`]) | | |
//! | `no-nameless-files` `no-links` `no-renames` `no-pidfd` `no-wiping` `no-ofd-locks` | makes `O_TMPFILE`, `linkat`, `renameat2`, `pidfd_open`, `MADV_WIPEONFORK` or `F_OFD_GETLK` fail from now on | |
//! | `no-changes` | makes every call fail that creates, renames or removes a name | |
//! | `stop-at-calls` | lets a tracer stop the process before each call about a file | |
//! | `exec` | becomes the program that the rest of the command line names | |
//!
//! A refusal is printed as one line; see [`report::refusal`].

mod argument;
mod children;
mod daemon;
mod dispositions;
mod ends;
mod from_outside;
#[cfg(target_os = "linux")]
mod mounts;
mod options;
mod passing;
mod report;
#[cfg(target_os = "linux")]
mod seccomp;
mod state;
mod surroundings;
mod threads;

use std::error::Error;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::process::Command;

use state::State;

fn main() -> Result<(), Box<dyn Error>> {
    surroundings::end_with_the_test();
    let mut state = State::default();
    let mut arguments = std::env::args_os().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "exec" {
            let program = arguments.next().expect("a program");
            return Err(Command::new(program).args(arguments).exec().into());
        }
        if argument == "end-main-thread" {
            let rest: Vec<_> = arguments.collect();
            threads::end_this_one_after(move || {
                for argument in rest {
                    take(&argument, &mut state).expect("no step on a thread fails");
                }
            });
        }
        take(&argument, &mut state)?;
    }
    // A return from `main` drops the guards that are left.
    Ok(())
}

/// Takes one step. The only error is that of `question`, for `main` to return.
fn take(argument: &OsStr, state: &mut State) -> Result<(), Box<dyn Error>> {
    let (name, value) = argument::split(argument);
    match name.as_str() {
        "say" => println!("{}", value.to_string_lossy()),
        "wait" => surroundings::wait_for_a_line(),
        "poll" => surroundings::poll_for_input(),
        "refused-as" => ends::refused_as(&value, state),
        "question" => ends::question(state)?,
        name => {
            let known = options::take(name, &value, state)
                || state::take(name, state)
                || from_outside::take(name, &value, state)
                || daemon::take(name, &value, state)
                || passing::take(name, &value, state)
                || ends::take(name, &value)
                || dispositions::take(name, &value)
                || threads::take(name, &value, state)
                || children::take(name, &value, state)
                || surroundings::take(name, &value);
            #[cfg(target_os = "linux")]
            let known = known || mounts::take(name, &value) || seccomp::take(name);
            assert!(known, "{name} is not a step");
        }
    }
    Ok(())
}
