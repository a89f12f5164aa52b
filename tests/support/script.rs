//! What a test starts: a program, its arguments, and what is prepared for it.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use nix::unistd::geteuid;

use super::{Program, Refusal, Sandbox, USER};

/// The program `holder` with this path; see `programs/holder.rs` for its steps.
pub(crate) fn holder(path: impl AsRef<Path>) -> Script {
    Script::new().set("path", path.as_ref())
}

/// A program with its arguments, before it is started.
#[derive(Debug)]
pub(crate) struct Script {
    before: Vec<OsString>,
    program: PathBuf,
    arguments: Vec<OsString>,
    prepare: Vec<Preparation>,
}

#[derive(Debug)]
enum Preparation {
    Env(&'static str, Option<OsString>),
    Dir(PathBuf),
    Name(String),
    User(u32),
}

impl Script {
    /// `holder` without any argument.
    pub(crate) fn new() -> Script {
        Script::of(env!("CARGO_BIN_EXE_holder"))
    }

    pub(crate) fn of(program: impl Into<PathBuf>) -> Script {
        Script {
            before: Vec::new(),
            program: program.into(),
            arguments: Vec::new(),
            prepare: Vec::new(),
        }
    }

    /// One argument whose value may be anything.
    pub(crate) fn set(mut self, name: &str, value: impl AsRef<OsStr>) -> Script {
        let mut argument = OsString::from(name);
        argument.push("=");
        argument.push(value);
        self.arguments.push(argument);
        self
    }

    /// One argument, as it is.
    pub(crate) fn argument(mut self, argument: impl AsRef<OsStr>) -> Script {
        self.arguments.push(argument.as_ref().into());
        self
    }

    /// Arguments with blanks between them.
    pub(crate) fn steps(mut self, steps: &str) -> Script {
        self.arguments
            .extend(steps.split_whitespace().map(OsString::from));
        self
    }

    /// The same, where `DIR` stands for a folder.
    pub(crate) fn steps_in(self, dir: &Path, steps: &str) -> Script {
        let dir = dir.to_str().expect("the folder of a test has a plain name");
        self.steps(&steps.replace("DIR", dir))
    }

    /// A command line to start the program with, such as `unshare --pid`.
    pub(crate) fn under(mut self, command: &[&str]) -> Script {
        self.before.extend(command.iter().map(OsString::from));
        self
    }

    pub(crate) fn env(mut self, name: &'static str, value: impl AsRef<OsStr>) -> Script {
        self.prepare
            .push(Preparation::Env(name, Some(value.as_ref().into())));
        self
    }

    pub(crate) fn without_env(mut self, name: &'static str) -> Script {
        self.prepare.push(Preparation::Env(name, None));
        self
    }

    pub(crate) fn current_dir(mut self, dir: impl AsRef<Path>) -> Script {
        self.prepare.push(Preparation::Dir(dir.as_ref().into()));
        self
    }

    /// The name that the program is told it was started by.
    pub(crate) fn argv0(mut self, name: &str) -> Script {
        self.prepare.push(Preparation::Name(name.into()));
        self
    }

    /// Started by another user, with a copy of the program that this user can reach.
    pub(crate) fn user(mut self, id: u32, copy: &Path) -> Script {
        self.program = copy.into();
        self.prepare.push(Preparation::User(id));
        self
    }

    /// Started by an ordinary user: by this one, unless this is root.
    pub(crate) fn unprivileged(self, sandbox: &Sandbox) -> Script {
        let name = self.program.file_name().expect("a program");
        let copy = sandbox.path("bin").join(name);
        if !copy.exists() {
            sandbox.copy_for_all(&self.program);
        }
        if geteuid().is_root() {
            self.user(USER, &copy)
        } else {
            self
        }
    }

    #[track_caller]
    pub(crate) fn start(self) -> Program {
        let mut words = self
            .before
            .iter()
            .map(OsString::as_os_str)
            .chain([self.program.as_os_str()]);
        let mut command = Command::new(words.next().expect("a program"));
        command.args(words).args(&self.arguments);
        for preparation in self.prepare {
            match preparation {
                Preparation::Env(name, Some(value)) => command.env(name, value),
                Preparation::Env(name, None) => command.env_remove(name),
                Preparation::Dir(dir) => command.current_dir(dir),
                Preparation::Name(name) => command.arg0(name),
                Preparation::User(id) => command.uid(id).gid(id),
            };
        }
        Program::start(command)
    }

    /// Starts it and waits until it has ended.
    #[track_caller]
    pub(crate) fn run(self) -> (ExitStatus, Vec<String>) {
        let mut program = self.start();
        program.let_go();
        let lines = std::iter::from_fn(|| program.line()).collect();
        (program.wait(), lines)
    }

    /// Starts it and waits for the refusal that must be its first word.
    #[track_caller]
    pub(crate) fn refusal(self) -> Refusal {
        self.start().refusal()
    }
}
