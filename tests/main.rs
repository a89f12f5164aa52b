//! What the running program promises, shown on real processes and files. Every test is named after
//! its promise; `README.md` has the table from promise to test.

mod support;

/// The table in `README.md` is true where all tests exist.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod table_of_promises;

// Holding.

/// A free path is held, and a second start is refused.
mod acquire;
/// A guard costs two descriptors, above the standard three, and no child inherits them.
mod descriptors;
/// One of many starters holds, and contenders are never inside together.
mod races;
/// A file without a holder is taken over, whatever its record says.
mod stale;
/// `status` reports every state and changes nothing.
mod status;
/// A held file whose holder cannot be named is still held.
mod unnamed_holder;
/// A start that waits gets its turn, or is refused when its time is up.
mod waiting;

// From outside.

/// A variable that no earlier version has set holds nothing.
mod forged_upgrade;
/// A process that held the file once gets no signal any more.
mod former_holder;
/// The holder of a file is found, signalled and stopped, and no other process is.
mod from_outside;
/// A process that does not hold the file for certain gets no signal.
mod not_the_holder;
/// A start that waits says so, once, to whoever can read it.
mod notice;
/// Tools that trust the number in the file signal processes that do not hold it.
mod other_tools;
/// A refusal says who is in the way, and no more than is certain.
mod refusals;
/// A start with `replace` stops the holder and takes its place.
mod replace;
/// A file is passed to the next version of its program, without a gap.
mod upgrade;

// What is there, and whose it is.

/// Anything that is not a pidfile is refused and left as it is.
mod bad_input;
/// Options that exclude each other or make no sense are refused, and nothing is created.
mod bad_options;
/// The environment chooses the place only where that is safe.
mod environment;
/// Without nameless files or links the promises are the same.
#[cfg(target_os = "linux")]
mod fallback;
/// A fault at any system call breaks no promise.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod faults;
/// Where the directory cannot be written, an existing file is held in place.
mod in_place;
/// When the system refuses, the start fails cleanly and works later.
mod limits;
/// The owner of a file decides whether it may be replaced.
mod permissions;
/// The file goes where the options say, and directories are made only where that is safe.
mod places;
/// The attribute and `Options` refuse the same values.
mod same_limits;
/// The answers do not depend on `fs.protected_regular`; the test changes it and runs alone.
mod sticky_directories;

// Ending.

/// `cleanup` removes the file before an end that runs nothing.
mod cleanup;
/// A reservation is adopted by a daemon, and its name is never absent.
mod daemons;
/// What a signal does is right even while a thread is changing it.
#[cfg(target_os = "linux")]
mod dispositions;
/// Every way to exit removes the file and keeps the status, or leaves a stale file.
mod ends;
/// A forked child leaves its parent's file alone.
mod fork;
/// What has the hidden name of an adoption is removed only if an adoption left it.
mod hidden_name;
/// A holder that lost its file finds out, and harms no other file.
mod lost;
/// A holder whose directory, root or user changed cleans up all the same.
mod moved;
/// Signal handlers of other crates run to their end, and then the file goes.
mod neighbours;
/// Process 1 of a pid namespace cleans up and exits with 128 and the signal's number.
#[cfg(target_os = "linux")]
mod pid_namespace;
/// A signal removes the file, and the parent sees the death by that signal.
mod signals;
/// Ends at random moments, hundreds and thousands of times, leave nothing.
mod storms;

// Readers and other programs.

/// Other programs that read, lock or write pidfiles, both ways round.
#[cfg(target_os = "linux")]
mod peers;
/// A reader sees a whole record, or no file.
#[cfg(target_os = "linux")]
mod readers;

// Wherever it runs.

/// File systems on which a link is another file, or a lock excludes no one.
#[cfg(target_os = "linux")]
mod hard_links;
/// A full disk, a lease, a clock that stands still: no failure and no hang.
#[cfg(target_os = "linux")]
mod hard_times;
/// The promises hold in every order of the system calls of two and three processes.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod interleavings;
/// Linked into C programs, loaded, and twice in one process, the library cleans up.
#[cfg(target_os = "linux")]
mod linked;
/// Where a process decides by its life, alive is alive and dead is dead.
#[cfg(target_os = "linux")]
mod liveness;
/// A refusal and a status name only a process that has the lock.
#[cfg(target_os = "linux")]
mod named_holder;
/// A file that another user holds is held for root too.
mod other_users;
/// What a power cut leaves is stale.
mod power_cut;
/// A privileged start takes neither the environment nor `argv[0]` for the place.
#[cfg(target_os = "linux")]
mod privileged;
/// A file locked with `fcntl` or `lockf` is held.
#[cfg(target_os = "linux")]
mod record_locks;
/// What a service manager lays out is used, and a place that was asked for is never replaced.
#[cfg(target_os = "linux")]
mod service_manager;
/// A file that a FUSE file system shows as two inodes has one holder.
#[cfg(target_os = "linux")]
mod two_inodes;
/// `verify` compares what the path means now with the file that is held.
#[cfg(target_os = "linux")]
mod verified;
/// Large inodes and late times matter to no program.
#[cfg(target_os = "linux")]
mod wide_numbers;
