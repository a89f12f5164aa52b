//! Which faults a system call is given.

use nix::errno::Errno;
use nix::libc;

use super::neighbours::signal_of;
use super::scene::Scenario;
use crate::support::tracer::{Call, Fault};

/// Every failure that a call is given.
const ERRORS: [Errno; 13] = [
    Errno::EINTR,
    Errno::EIO,
    Errno::ENOSPC,
    Errno::EDQUOT,
    Errno::EACCES,
    Errno::EPERM,
    Errno::EMFILE,
    Errno::ENFILE,
    Errno::ENOLCK,
    Errno::EOPNOTSUPP,
    Errno::EROFS,
    Errno::EBUSY,
    Errno::ESTALE,
];

/// Calls that ask the kernel for nothing that could be refused with one of these errors: memory, the
/// process's own facts, its signals, and the random numbers that std asks for.
const NEVER_FAIL: [libc::c_long; 26] = [
    libc::SYS_mmap,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_mprotect,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_getpid,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_clock_gettime,
    libc::SYS_restart_syscall,
    libc::SYS_exit_group,
    libc::SYS_getrandom,
    libc::SYS_umask,
    libc::SYS_prctl,
];

/// Calls that sleep can only be interrupted.
pub(super) const SLEEP: [libc::c_long; 4] = [
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
];

/// Calls that change something, so that a failure may be a lie.
const CHANGE: [libc::c_long; 15] = [
    libc::SYS_kill,
    libc::SYS_pidfd_send_signal,
    libc::SYS_linkat,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_mkdirat,
    libc::SYS_write,
    libc::SYS_pwrite64,
    libc::SYS_ftruncate,
    libc::SYS_fchmod,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_flock,
    libc::SYS_close,
];

/// Every fault of one call.
pub(super) fn faults(scenario: Scenario, call: &Call) -> Vec<Fault> {
    let mut faults = vec![Fault::KilledBefore];
    if call.number != libc::SYS_exit_group {
        faults.push(Fault::KilledAfter);
    }
    // The kernel closes a descriptor whatever it reports.
    let fails = call.number != libc::SYS_close && !NEVER_FAIL.contains(&call.number);
    let fails = fails && !only_asks_for_a_process(call);
    let errors = if SLEEP.contains(&call.number) {
        1
    } else {
        ERRORS.len()
    };
    if fails {
        faults.extend(ERRORS[..errors].iter().copied().map(Fault::Fails));
    }
    if changes(call) && scenario.form.refuses(call).is_none() {
        faults.extend(ERRORS.into_iter().map(Fault::Misreports));
    }
    faults
}

fn changes(call: &Call) -> bool {
    let flags = u64::from(libc::O_CREAT.cast_unsigned());
    // No server stands behind /proc, and std panics if closing a directory fails.
    !call.closes_proc && !only_asks_for_a_process(call) && CHANGE.contains(&call.number)
        || call.number == libc::SYS_openat && call.arguments[2] & flags != 0
}

/// Whether it is a `kill` that sends nothing. Its failure is its answer.
fn only_asks_for_a_process(call: &Call) -> bool {
    call.number == libc::SYS_kill && signal_of(call).is_none()
}
