//! `lslocks` of util-linux lists the lock. It takes the path from the descriptor, which had no name
//! when it was opened: what identifies the file is its inode.

use crate::support::{Sandbox, Script, can_unshare, has_program};

/// Lists the locks while a process holds the file, after its release, and after `SIGKILL`.
const SCRIPT: &str = r#"
list() {
    lslocks --noheadings --raw --output PID,TYPE,MODE,INODE | grep "^$! "
}
hold() {
    "$0" path="$1" acquire park >/dev/null &
    until [ -e "$1" ]; do sleep 0.01; done
    echo "held $! FLOCK WRITE $(stat --format %i "$1")"
    list
}
hold "$1"
kill -TERM $!
wait
echo released
list
hold "$1"
kill -KILL $!
wait
echo killed
list
echo done
"#;

#[test]
fn it_lists_our_lock_by_its_inode_while_we_hold_and_not_afterwards() {
    let sandbox = Sandbox::new();
    // It looks at every lock that it sees, so it gets a namespace in which there are few.
    let namespace = ["--pid", "--fork", "--kill-child", "--mount-proc"];
    if !has_program("lslocks") || !can_unshare(&namespace) {
        return;
    }
    let script = Script::of("sh").argument("-c").argument(SCRIPT);
    let script = script.argument(env!("CARGO_BIN_EXE_holder"));
    let command = [&["unshare"], &namespace[..]].concat();
    let mut shell = script.argument(sandbox.pidfile()).under(&command).start();
    for end in ["released", "killed"] {
        let lock = shell.expect("held ");
        assert_eq!(shell.line(), Some(lock));
        shell.expect(end);
    }
    shell.expect("done");
    shell.expect_exit(0);
}
