//! The library inside other programs: a static library in a C program, a shared one, and two
//! versions of it in one process.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::support::{
    Program, Sandbox, Script, WORKSPACE, cargo, cc, is_locked, target_dir, write_crate,
};

/// What C can call. The guard is leaked, as it is where it lives in a C structure.
const RUST: &str = r#"
use std::ffi::{CStr, OsStr, c_char, c_int};
use std::os::unix::ffi::OsStrExt;

/// Holds the file until the process ends.
///
/// # Safety
///
/// `path` is a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hold(path: *const c_char) -> c_int {
    // SAFETY: by the contract of this function.
    let path = OsStr::from_bytes(unsafe { CStr::from_ptr(path) }.to_bytes());
    match pidfile::PidFile::acquire(path) {
        Ok(guard) => {
            std::mem::forget(guard);
            0
        }
        Err(error) => error.exit_code().into(),
    }
}
"#;

/// `main PATH END`: holds the file, waits for a line, and ends.
const C: &str = r#"
    #include <pthread.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/wait.h>
    #include <unistd.h>

    #ifdef LOADED
    #include <dlfcn.h>
    static int hold(const char *path)
    {
        void *library = dlopen(LOADED, RTLD_NOW);
        int (*function)(const char *) = library ? dlsym(library, "hold") : 0;
        if (!function)
            return puts(dlerror()), 70;
        return function(path);
    }
    #else
    int hold(const char *path);
    #endif

    static void *end(void *status)
    {
        exit(*(int *)status);
    }

    int main(int count, char **arguments)
    {
        static int seven = 7;
        pthread_t thread;
        int status = hold(arguments[1]);

        alarm(300);
        if (count != 3 || status)
            return status;
        printf("held %d\n", (int)getpid());
        fflush(stdout);
        if (!strcmp(arguments[2], "fork")) {
            if (!fork())
                exit(0);
            wait(&status);
            puts("child gone");
            fflush(stdout);
        }
        getchar();
        if (!strcmp(arguments[2], "exit"))
            exit(7);
        if (!strcmp(arguments[2], "thread")) {
            pthread_create(&thread, 0, end, &seven);
            pthread_join(thread, 0);
        }
        return 0;
    }
"#;

/// The libraries that a Rust standard library needs.
const LIBRARIES: [&str; 4] = ["-lpthread", "-ldl", "-lm", "-lgcc_s"];

/// Builds the crate as a library of that kind, in the profile `dev`, and returns the directory that
/// has it.
fn library(sandbox: &Sandbox, name: &str, kind: &str) -> Option<PathBuf> {
    let manifest = format!(
        "[lib]\ncrate-type = [\"{kind}\"]\n\n\
         [dependencies]\npidfile = {{ path = \"{WORKSPACE}/pidfile\" }}\n"
    );
    let dir = sandbox.path(name);
    write_crate(&dir, name, &manifest, &[("src/lib.rs", RUST)]);
    let built = cargo(&dir, &["build", "--quiet"])?;
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    Some(target_dir().join("debug"))
}

/// That the C program excludes others, and cleans up at every end.
#[track_caller]
fn assert_cleans_up(sandbox: &Sandbox, program: &Path) {
    let path = sandbox.path("run.pid");
    let start = |end: &str| -> Program {
        let mut started = Script::of(program).argument(&path).argument(end).start();
        assert_eq!(started.expect("held "), started.pid().to_string());
        assert!(is_locked(&path));
        started
    };
    for (end, status) in [("return", 0), ("exit", 7), ("thread", 7)] {
        let mut program = start(end);
        program.tell();
        program.expect_exit(status);
        assert!(!path.exists(), "{end}");
    }
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
        let mut program = start("return");
        program.signal(signal);
        program.expect_death_by(signal);
        assert!(!path.exists(), "{signal}");
    }
    let mut parent = start("fork");
    parent.expect("child gone");
    assert!(
        is_locked(&path),
        "a child that exits leaves its parent's file"
    );
    let second = Script::of(program)
        .argument(&path)
        .argument("return")
        .start();
    let mut second = second;
    second.expect_exit(75);
    parent.tell();
    parent.expect_exit(0);
    assert!(!path.exists());
}

#[test]
fn a_static_library_in_a_c_program_cleans_up() {
    let sandbox = Sandbox::new();
    let Some(dir) = library(&sandbox, "held_statically", "staticlib") else {
        return;
    };
    let archive = dir.join("libheld_statically.a");
    // As most programs are linked, and as those that drop what no symbol refers to.
    for (name, flag) in [("plain", "-O0"), ("collected", "-Wl,--gc-sections")] {
        let mut arguments = vec![archive.as_os_str(), OsStr::new(flag)];
        arguments.extend(LIBRARIES.map(OsStr::new));
        let Some(program) = cc(&sandbox.path(name), C, &arguments) else {
            return;
        };
        assert_cleans_up(&sandbox, &program);
    }
}

#[test]
fn a_shared_library_cleans_up_linked_and_loaded() {
    let sandbox = Sandbox::new();
    let Some(dir) = library(&sandbox, "held_dynamically", "cdylib") else {
        return;
    };
    let library = dir.join("libheld_dynamically.so");
    let linked = cc(
        &sandbox.path("linked"),
        C,
        &[library.as_os_str(), OsStr::new("-lpthread")],
    );
    let Some(program) = linked else {
        return;
    };
    assert_cleans_up(&sandbox, &program);

    let loaded = format!("-DLOADED=\"{}\"", library.display());
    let arguments = [&*loaded, "-lpthread", "-ldl"].map(OsStr::new);
    let program = cc(&sandbox.path("loaded"), C, &arguments).expect("as above");
    assert_cleans_up(&sandbox, &program);
}

/// A copy of the library under another version, in a workspace of its own.
fn another_version(sandbox: &Sandbox) -> PathBuf {
    let copy = sandbox.folder("other", 0o755);
    for name in ["pidfile", "pidfile-macros", "Cargo.toml", "README.md"] {
        let copied = Command::new("cp")
            .arg("-r")
            .arg(Path::new(WORKSPACE).join(name))
            .arg(&copy)
            .status();
        assert!(copied.expect("cp").success());
    }
    let manifest = copy.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let (before, rest) = text.split_once("members = [").expect("a workspace");
    let (_, after) = rest.split_once(']').expect("a list");
    let members = "members = [\"pidfile\", \"pidfile-macros\"]";
    let manifest_text = format!("{before}{members}{after}").replace("0.1.0", "0.9.0");
    fs::write(&manifest, manifest_text).unwrap();
    copy.join("pidfile")
}

#[test]
fn two_versions_in_one_process_both_clean_up() {
    const MAIN: &str = r#"
        use std::io::stdin;

        fn main() {
            let mut arguments = std::env::args().skip(1);
            let (path, end) = (arguments.next().unwrap(), arguments.next().unwrap());
            // In either order: the second one finds the handlers of the first.
            let new = || new::PidFile::acquire(format!("{path}.new")).unwrap();
            let old = || old::PidFile::acquire(format!("{path}.old")).unwrap();
            let guards = if end.starts_with("old") {
                let old = old();
                (new(), old)
            } else {
                (new(), old())
            };
            std::mem::forget(guards);
            println!("held");
            stdin().read_line(&mut String::new()).unwrap();
            std::process::exit(7);
        }
    "#;
    let sandbox = Sandbox::new();
    let other = another_version(&sandbox);
    let manifest = format!(
        "[dependencies]\n\
         old = {{ package = \"pidfile\", path = \"{WORKSPACE}/pidfile\" }}\n\
         new = {{ package = \"pidfile\", path = \"{}\" }}\n",
        other.display()
    );
    let dir = sandbox.path("two_versions");
    write_crate(&dir, "two_versions", &manifest, &[("src/main.rs", MAIN)]);
    let Some(built) = cargo(&dir, &["build", "--quiet"]) else {
        return;
    };
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let program = target_dir().join("debug/two_versions");
    let path = sandbox.path("it");
    let files = ["it.old", "it.new"].map(|name| sandbox.path(name));
    for order in ["old first", "new first"] {
        let start = || {
            let mut started = Script::of(&program).argument(&path).argument(order).start();
            started.expect("held");
            assert!(files.iter().all(|file| is_locked(file)));
            started
        };
        for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT] {
            let mut program = start();
            program.signal(signal);
            program.expect_death_by(signal);
            assert!(!files.iter().any(|file| file.exists()), "{order} {signal}");
        }
        let mut program = start();
        program.tell();
        program.expect_exit(7);
        assert!(!files.iter().any(|file| file.exists()), "{order}");
    }
}
