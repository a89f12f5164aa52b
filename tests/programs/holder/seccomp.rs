//! Steps after which the kernel refuses a call, as an older kernel or a poorer file system does.

use nix::libc;

/// The bit of `O_TMPFILE` that is not `O_DIRECTORY`, on most architectures.
#[allow(clippy::cast_sign_loss, reason = "flags are bits")]
const NAMELESS: u32 = (libc::O_TMPFILE & !libc::O_DIRECTORY) as u32;
#[allow(clippy::cast_sign_loss, reason = "flags are bits")]
const CREATE: u32 = libc::O_CREAT as u32;
/// The highest bit of `MADV_WIPEONFORK`.
const WIPE: u32 = 16;
/// The highest bit of the commands for locks of open file descriptions.
const OFD_LOCKS: u32 = 32;
/// Where `seccomp_data` keeps the number of the call, and the lower half of an argument.
const CALL: u32 = 0;
const ARGUMENTS: u32 = 16;

#[cfg(target_pointer_width = "64")]
const STAT_AT: libc::c_long = libc::SYS_newfstatat;
#[cfg(target_pointer_width = "32")]
const STAT_AT: libc::c_long = libc::SYS_fstatat64;

/// Calls by which a process learns about files and other processes, changes something, sleeps or ends.
const ABOUT_FILES: [libc::c_long; 24] = [
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_exit_group,
    libc::SYS_fchmod,
    libc::SYS_fchown,
    libc::SYS_fcntl,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_ftruncate,
    libc::SYS_getdents64,
    libc::SYS_kill,
    libc::SYS_linkat,
    libc::SYS_nanosleep,
    STAT_AT,
    libc::SYS_openat,
    libc::SYS_ppoll,
    libc::SYS_pread64,
    libc::SYS_pwrite64,
    libc::SYS_read,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_statx,
    libc::SYS_unlinkat,
    libc::SYS_write,
];

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str) -> bool {
    match name {
        // The flags are the third argument of `openat`.
        "no-nameless-files" => refuse(libc::SYS_openat, Some((2, NAMELESS)), libc::EOPNOTSUPP),
        // The advice is the third argument: MADV_WIPEONFORK, and a few that no memory needs.
        "no-wiping" => refuse(libc::SYS_madvise, Some((2, WIPE)), libc::EINVAL),
        // The command is the second argument of `fcntl`: F_OFD_GETLK, and its relatives.
        "no-ofd-locks" => refuse(libc::SYS_fcntl, Some((1, OFD_LOCKS)), libc::EINVAL),
        "no-pidfd" => refuse(libc::SYS_pidfd_open, None, libc::ENOSYS),
        "no-links" => refuse(libc::SYS_linkat, None, libc::EPERM),
        "no-renames" => refuse(libc::SYS_renameat2, None, libc::EINVAL),
        "no-changes" => {
            for flags in [NAMELESS, CREATE] {
                refuse(libc::SYS_openat, Some((2, flags)), libc::EACCES);
            }
            for call in [libc::SYS_linkat, libc::SYS_unlinkat, libc::SYS_renameat2] {
                refuse(call, None, libc::EACCES);
            }
        }
        "stop-at-calls" => stop_at(&ABOUT_FILES),
        _ => return false,
    }
    true
}

/// From now on `call` fails with `errno`, if its argument of that index has one of those bits.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of calls and errors are small and positive"
)]
fn refuse(call: libc::c_long, bits: Option<(u32, u32)>, errno: libc::c_int) {
    let load = |offset| instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset);
    let answer = |action| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, action);
    let mut program = vec![load(CALL)];
    if let Some((argument, bits)) = bits {
        program.push(instruction(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            3,
            call as u32,
        ));
        program.push(load(ARGUMENTS + 8 * argument));
        program.push(instruction(
            libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K,
            0,
            1,
            bits,
        ));
    } else {
        program.push(instruction(
            libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K,
            0,
            1,
            call as u32,
        ));
    }
    program.push(answer(libc::SECCOMP_RET_ERRNO | errno as u32));
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    install(&mut program);
}

/// From now on a tracer sees the process stop before each of these calls.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of calls are small and positive"
)]
fn stop_at(calls: &[libc::c_long]) {
    let answer = |action| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, action);
    let is = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let mut program = vec![instruction(
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        0,
        0,
        CALL,
    )];
    for call in calls {
        program.push(instruction(is, 0, 1, *call as u32));
        program.push(answer(libc::SECCOMP_RET_TRACE));
    }
    program.push(answer(libc::SECCOMP_RET_ALLOW));
    install(&mut program);
}

#[allow(unsafe_code, reason = "prctl and seccomp")]
#[allow(clippy::cast_possible_truncation, reason = "a filter is short")]
fn install(program: &mut [libc::sock_filter]) {
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_mut_ptr(),
    };
    // SAFETY: this option takes plain numbers.
    let allowed = unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    assert_eq!(allowed, 0, "PR_SET_NO_NEW_PRIVS");
    // SAFETY: the filter and its program live until the kernel has copied them.
    let filtered = unsafe {
        libc::prctl(
            libc::PR_SET_SECCOMP,
            libc::SECCOMP_MODE_FILTER,
            &raw const filter,
        )
    };
    assert_eq!(filtered, 0, "PR_SET_SECCOMP");
}

#[allow(
    clippy::cast_possible_truncation,
    reason = "the codes of the filter have 16 bits"
)]
fn instruction(code: u32, if_true: u8, if_false: u8, k: u32) -> libc::sock_filter {
    libc::sock_filter {
        code: code as u16,
        jt: if_true,
        jf: if_false,
        k,
    }
}
