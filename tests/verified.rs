//! `verify` compares what the path means now with the file that is held.

use std::fs;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::signal::Signal::SIGTERM;

use crate::support::{Mount, Program, Sandbox, can_unshare, holder, is_locked, is_root};

/// A program that holds this path and asks `verify` each time it is told.
#[track_caller]
fn asking(path: &std::path::Path, times: usize) -> Program {
    let script = holder(path)
        .steps("acquire")
        .steps(&"wait verify ".repeat(times));
    let mut program = script.steps("wait").start();
    program.expect_held(path);
    program
}

#[track_caller]
fn expect_answer(program: &mut Program, answer: &str) {
    program.tell();
    assert_eq!(program.expect("verify "), answer);
}

#[test]
fn verify_says_gone_after_the_directory_was_renamed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("run", 0o755);
    let path = folder.join("it.pid");
    let mut program = asking(&path, 4);
    expect_answer(&mut program, "Ok(())");
    fs::rename(&folder, sandbox.path("moved")).unwrap();
    expect_answer(&mut program, "Err(Gone)");
    // A second instance holds what the path means now.
    sandbox.folder("run", 0o755);
    let mut second = holder(&path).steps("acquire wait").start();
    second.expect_held(&path);
    expect_answer(&mut program, "Err(Replaced)");
    second.tell();
    second.expect_exit(0);
    fs::remove_dir(&folder).unwrap();
    fs::rename(sandbox.path("moved"), &folder).unwrap();
    expect_answer(&mut program, "Ok(())");
    program.signal(SIGTERM);
    program.expect_death_by(SIGTERM);
    assert!(!path.exists());
}

#[test]
fn verify_says_gone_after_a_parent_of_the_directory_was_renamed() {
    let sandbox = Sandbox::new();
    let outer = sandbox.folder("outer", 0o755);
    sandbox.folder("outer/run", 0o755);
    let mut program = asking(&outer.join("run/it.pid"), 1);
    fs::rename(&outer, sandbox.path("moved")).unwrap();
    expect_answer(&mut program, "Err(Gone)");
}

#[test]
fn verify_notices_a_directory_that_was_removed() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder("run", 0o755);
    let mut program = asking(&folder.join("it.pid"), 1);
    fs::remove_dir_all(&folder).unwrap();
    expect_answer(&mut program, "Err(Gone)");
}

#[test]
fn verify_follows_the_path_that_was_given() {
    let sandbox = Sandbox::new();
    let [one, two] = ["one", "two"].map(|name| sandbox.folder(name, 0o755));
    let link = sandbox.path("run");
    std::os::unix::fs::symlink(&one, &link).unwrap();
    let path = link.join("it.pid");
    let mut program = asking(&path, 3);
    expect_answer(&mut program, "Ok(())");
    // The link leads elsewhere, and a second instance holds the path.
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(&two, &link).unwrap();
    expect_answer(&mut program, "Err(Gone)");
    let mut second = holder(&path).steps("acquire wait").start();
    second.expect_held(&path);
    expect_answer(&mut program, "Err(Replaced)");
}

#[test]
fn verify_is_content_after_chdir_and_with_a_relative_path() {
    let sandbox = Sandbox::new();
    sandbox.folder("elsewhere", 0o755);
    let script = holder("it.pid").steps_in(sandbox.dir(), "acquire chdir=DIR/elsewhere verify");
    let mut program = script.current_dir(sandbox.dir()).start();
    program.expect_held(&sandbox.pidfile());
    program.expect("verify Ok(())");
}

/// Unmounts, even if an assertion fails.
struct Unmount<'a>(&'a std::path::Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        umount2(self.0, MntFlags::MNT_DETACH).expect("umount");
    }
}

#[test]
fn verify_says_gone_after_the_directory_was_mounted_over() {
    let sandbox = Sandbox::new();
    if !is_root() || !can_unshare(&["--mount"]) {
        return;
    }
    let folder = sandbox.folder("run", 0o755);
    let path = folder.join("it.pid");
    let mut program = asking(&path, 3);
    let none = None::<&str>;
    mount(
        Some("tmpfs"),
        &folder,
        Some("tmpfs"),
        MsFlags::empty(),
        none,
    )
    .unwrap();
    let mounted = Unmount(&folder);
    expect_answer(&mut program, "Err(Gone)");
    let mut second = holder(&path).steps("acquire wait").start();
    second.expect_held(&path);
    expect_answer(&mut program, "Err(Replaced)");
    second.tell();
    second.expect_exit(0);
    drop(mounted);
    expect_answer(&mut program, "Ok(())");
}

#[test]
fn verify_says_gone_after_the_file_system_was_unmounted_lazily() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    let command = ["mount", "-t", "tmpfs", "tmpfs", "mnt"];
    let Some(mounted) = Mount::by(&sandbox, &command) else {
        return;
    };
    let path = mounted.dir().join("it.pid");
    let mut program = asking(&path, 3);
    expect_answer(&mut program, "Ok(())");
    mounted.detach();
    expect_answer(&mut program, "Err(Gone)");
    let mut second = holder(&path).steps("acquire wait").start();
    second.expect_held(&path);
    expect_answer(&mut program, "Err(Replaced)");
}

#[test]
fn verify_says_that_another_program_overwrote_the_record() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    for bytes in ["1\n", "", "2147483647\n", "a text\n", "12", "\0\0\0\0"] {
        let mut program = asking(&path, 4);
        expect_answer(&mut program, "Ok(())");
        fs::write(&path, bytes).unwrap();
        expect_answer(&mut program, "Err(Overwritten)");
        // Longer than what is read of a file.
        let text = format!("{}\n{}text\n", program.pid(), "\n".repeat(8192));
        fs::write(&path, text).unwrap();
        expect_answer(&mut program, "Err(Overwritten)");
        assert!(is_locked(&path));
        fs::write(&path, format!("{}\n", program.pid())).unwrap();
        expect_answer(&mut program, "Ok(())");
        program.tell();
        program.expect_exit(0);
        sandbox.assert_names([]);
    }
}

#[test]
fn verify_says_that_a_descriptor_number_was_reused() {
    let sandbox = Sandbox::new();
    sandbox.file("theirs", "not ours\n");
    // The second opens the very file again, without its lock.
    for file in ["theirs", "it.pid"] {
        let steps = format!("acquire close-all open-ten=DIR/{file} verify say=ready wait release");
        let script = holder(sandbox.pidfile()).steps_in(sandbox.dir(), &steps);
        let mut program = script.start();
        program.expect_held(&sandbox.pidfile());
        program.expect("verify Err(DescriptorClosed)");
        program.expect("ready");
        // The lock is gone, so the next start holds, and the first holder must not disturb it.
        let mut next = sandbox.hold();
        program.tell();
        program.refusal().expect("Lost", 71);
        program.expect_exit(0);
        assert!(is_locked(&sandbox.pidfile()));
        next.tell();
        next.expect_exit(0);
        sandbox.assert_names(["theirs"]);
    }
}

#[test]
fn a_status_and_a_second_acquire_do_not_trust_a_reused_inode() {
    let sandbox = Sandbox::new();
    let path = sandbox.pidfile();
    let steps = "acquire close-all say=ready wait status allow_same_process=true try";
    for _ in 0..5 {
        let mut program = holder(&path).steps(steps).start();
        program.expect_held(&path);
        program.expect("ready");
        // The lock is gone. The next holder's file may get the number of the inode again.
        fs::remove_file(&path).unwrap();
        let mut next = sandbox.hold();
        program.tell();
        let held = format!("Held {{ pid: Some({}) }}", next.pid());
        assert_eq!(program.expect("status "), held);
        program
            .refusal()
            .expect("Locked", 75)
            .expect_pid(next.pid());
        program.expect_exit(0);
        next.tell();
        next.expect_exit(0);
    }
}

#[test]
fn after_chroot_there_is_nothing_to_compare_the_path_with() {
    let sandbox = Sandbox::new();
    if !is_root() {
        return;
    }
    sandbox.folder("root", 0o755);
    let steps = "acquire wait chroot=DIR/root verify wait verify wait verify wait";
    let mut program = holder(sandbox.pidfile())
        .steps_in(sandbox.dir(), steps)
        .start();
    program.expect_held(&sandbox.pidfile());
    expect_answer(&mut program, "Ok(())");
    // The directory that is held is still compared.
    fs::rename(sandbox.file("other", "1\n"), sandbox.pidfile()).unwrap();
    expect_answer(&mut program, "Err(Replaced)");
    fs::remove_file(sandbox.pidfile()).unwrap();
    expect_answer(&mut program, "Err(Gone)");
}
