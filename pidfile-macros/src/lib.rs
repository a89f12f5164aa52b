//! The attribute of the crate `pidfile`; use it from there.
//!
//! A use of the attribute goes through four rooms: `args` reads the arguments, `config` judges them,
//! `item` looks at the function, `expand` writes the result. Mistakes are collected on the way and
//! reported together.

mod args;
mod body;
mod config;
mod entry;
mod expand;
mod failure;
mod item;
mod keys;
mod literals;
mod mistakes;
#[cfg(test)]
mod noise;
mod returns;
#[cfg(test)]
mod tests;
mod value;

use proc_macro2::TokenStream;

use crate::config::{Config, Handler};
use crate::item::Item;
use crate::mistakes::Mistakes;

/// Holds a pidfile while the function runs.
///
/// ```no_run
/// use pidfile::pidfile;
///
/// # fn work() {}
/// #[pidfile("/run/thermod.pid", chmod = 0o600)]
/// fn main() {
///     work(); // only one of us is here
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn work() {}
/// fn main() {
///     let options = pidfile::Options::new()
///         .path("/run/thermod.pid")
///         .chmod(0o600);
///     match options.acquire() {
///         Ok(_held) => work(),
///         Err(error) => {
///             eprintln!("thermod: {error:#}");
///             std::process::exit(error.exit_code().into());
///         }
///     }
/// }
/// ```
///
/// It goes on any function that has a body: on `main`, on helpers, on methods, on functions that are
/// generic, `async`, `unsafe` or `extern "C"`. The function keeps its signature and its attributes, and
/// what the compiler says about its body stays the same.
///
/// # Arguments
///
/// A string that stands alone in the first place is the path. All other arguments are written
/// `key = value`, in any order; a key that takes `true` or `false` may stand alone, which means `true`,
/// and so may `wait`.
/// Without arguments the pidfile is named after the program, in the default directory.
///
/// Each argument calls the setter of that name on `pidfile::Options`, in the order in which they are
/// written. A value is an expression of the function: parameters, `self`, `?` and, in an `async fn`,
/// `.await` may be used in it, the items and variables of the body may not. It is evaluated once in each
/// call, before the body. What it moves the body no longer has; `path = &path` lends it instead.
///
/// Literals are checked when the function is compiled, and all mistakes are reported at once.
///
/// ### `path`, `name`, `dir`, `temp_dir`, `dot_pid`
///
/// Where the file goes: `path` alone, or the others in any combination that makes sense.
///
/// ```no_run
/// # use pidfile::pidfile;
/// # fn work() {}
/// #[pidfile(dir = "/run/thermod", name = format!("sensor-{number}"))]
/// fn watch(number: u8) -> Result<(), pidfile::Error> {
///     work();
///     Ok(())
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn work() {}
/// fn watch(number: u8) -> Result<(), pidfile::Error> {
///     let _held = pidfile::Options::new()
///         .dir("/run/thermod")
///         .name(format!("sensor-{number}"))
///         .acquire()?;
///     work();
///     Ok(())
/// }
/// ```
///
/// `temp_dir` uses a directory of the user's own below the one for temporary files, `dot_pid = false`
/// leaves the name as it is instead of adding `.pid`:
///
/// ```no_run
/// # use pidfile::pidfile;
/// # fn work() {}
/// #[pidfile(temp_dir, name = "thermod.lock", dot_pid = false)]
/// fn watch() {
///     work();
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn work() {}
/// fn watch() {
///     let _held = pidfile::Options::new()
///         .temp_dir(true)
///         .name("thermod.lock")
///         .dot_pid(false)
///         .acquire()
///         .unwrap_or_else(|error| panic!("{error:#}"));
///     work();
/// }
/// ```
///
/// ### `chmod`, `uid`, `gid`, `owner`, `group`
///
/// Who may do what with it. A mode that is a literal is written in octal: `600` and `"600"` are errors,
/// because neither means what it seems to.
///
/// ```no_run
/// # use pidfile::pidfile;
/// # fn serve() {}
/// #[pidfile("/run/httpd.pid", chmod = 0o640, owner = "www-data", gid = 33)]
/// fn main() -> Result<(), pidfile::Error> {
///     serve();
///     Ok(())
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn serve() {}
/// fn main() -> Result<(), pidfile::Error> {
///     let _held = pidfile::Options::new()
///         .path("/run/httpd.pid")
///         .chmod(0o640)
///         .owner("www-data")
///         .gid(33)
///         .acquire()?;
///     serve();
///     Ok(())
/// }
/// ```
///
/// `uid` takes the number that `owner` takes the name for, `group` the name that `gid` takes the number
/// for; one of each pair.
///
/// ### `lock`, `refuse_live`, `allow_same_process`
///
/// Who counts as being there already. They are explained at the setters of `pidfile::Options`.
///
/// ```no_run
/// # use pidfile::pidfile;
/// # fn work() {}
/// #[pidfile("/run/thermod.pid", refuse_live, allow_same_process)]
/// fn main() -> Result<(), pidfile::Error> {
///     work();
///     Ok(())
/// }
///
/// #[pidfile("/nfs/thermod.pid", lock = false)]
/// fn on_a_file_system_without_locks() -> Result<(), pidfile::Error> {
///     work();
///     Ok(())
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn work() {}
/// fn main() -> Result<(), pidfile::Error> {
///     let _held = pidfile::Options::new()
///         .path("/run/thermod.pid")
///         .refuse_live(true)
///         .allow_same_process(true)
///         .acquire()?;
///     work();
///     Ok(())
/// }
///
/// fn on_a_file_system_without_locks() -> Result<(), pidfile::Error> {
///     let _held = pidfile::Options::new()
///         .path("/nfs/thermod.pid")
///         .lock(false)
///         .acquire()?;
///     work();
///     Ok(())
/// }
/// ```
///
/// ### `wait`
///
/// How long to wait for a holder to leave: a `Duration`, or a string such as `"500ms"`, `"5s"`,
/// `"1m30s"` or `"1h"`, which is converted when the function is compiled. Alone it means without an
/// end.
///
/// ```no_run
/// # use pidfile::pidfile;
/// # fn work() {}
/// #[pidfile("/run/thermod.pid", wait = "1m30s")]
/// fn main() -> Result<(), pidfile::Error> {
///     work();
///     Ok(())
/// }
///
/// #[pidfile("/run/thermod.pid", wait)]
/// fn however_long_it_takes() -> Result<(), pidfile::Error> {
///     work();
///     Ok(())
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn work() {}
/// use std::time::Duration;
///
/// fn main() -> Result<(), pidfile::Error> {
///     let _held = pidfile::Options::new()
///         .path("/run/thermod.pid")
///         .wait(Duration::from_secs(90))
///         .acquire()?;
///     work();
///     Ok(())
/// }
///
/// fn however_long_it_takes() -> Result<(), pidfile::Error> {
///     let _held = pidfile::Options::new()
///         .path("/run/thermod.pid")
///         .wait(Duration::MAX)
///         .acquire()?;
///     work();
///     Ok(())
/// }
/// ```
///
/// ### `at_exit`, `signals`
///
/// Whether the file is removed also when the process exits, or is ended by a signal, while the function
/// runs. Both are `true` unless they are given.
///
/// ```no_run
/// # use pidfile::pidfile;
/// # fn work() {}
/// #[pidfile("/run/thermod.pid", at_exit = false, signals = false)]
/// fn main() -> Result<(), pidfile::Error> {
///     work();
///     Ok(())
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn work() {}
/// fn main() -> Result<(), pidfile::Error> {
///     let _held = pidfile::Options::new()
///         .path("/run/thermod.pid")
///         .at_exit(false)
///         .signals(false)
///         .acquire()?;
///     work();
///     Ok(())
/// }
/// ```
///
/// ### `on_error`
///
/// What to return instead, where the return type does not say it by itself (see [Errors](#errors)): a
/// function or a closure that takes the `pidfile::Error`. It is evaluated only on failure, and may use
/// up parameters then.
///
/// ```
/// # use pidfile::pidfile;
/// # let folder = std::env::temp_dir().join(format!("pidfile-doc-on-error-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # std::env::set_current_dir(&folder).unwrap();
/// #[pidfile("counter.pid", on_error = |error| {
///     eprintln!("not counted: {error}");
///     0
/// })]
/// fn count(words: &str) -> usize {
///     words.split(' ').count()
/// }
///
/// assert_eq!(count("one two"), 2);
/// let _held = pidfile::PidFile::acquire("counter.pid")?;
/// assert_eq!(count("one two"), 0);
/// # drop(_held);
/// # std::fs::remove_dir(&folder).unwrap();
/// # Ok::<(), pidfile::Error>(())
/// ```
///
/// where `count` stands for
///
/// ```
/// fn count(words: &str) -> usize {
///     match pidfile::Options::new().path("counter.pid").acquire() {
///         Ok(_held) => words.split(' ').count(),
///         Err(error) => {
///             eprintln!("not counted: {error}");
///             0
///         }
///     }
/// }
/// ```
///
/// ### `crate`
///
/// Where the runtime is found, if not at `::pidfile`: for crates that pass it on under their own name,
/// and for dependencies that are renamed. A path, or a path in a string.
///
/// ```no_run
/// mod facade {
///     pub use ::pidfile as inner;
/// }
///
/// #[facade::inner::pidfile("/run/thermod.pid", crate = crate::facade::inner)]
/// fn main() {}
/// ```
///
/// stands for
///
/// ```no_run
/// # mod facade { pub use ::pidfile as inner; }
/// # fn work() {}
/// fn main() {
///     match crate::facade::inner::Options::new().path("/run/thermod.pid").acquire() {
///         Ok(_held) => work(),
///         Err(error) => {
///             eprintln!("thermod: {error:#}");
///             std::process::exit(error.exit_code().into());
///         }
///     }
/// }
/// ```
///
/// # Drop order
///
/// The pidfile outlives everything that the body owns: its variables and the temporaries of its last
/// expression are dropped first, then the pidfile is given back. Parameters live longer, as they do in
/// every function. What must be gone before the next instance starts has to be moved into the body:
///
/// ```
/// # use pidfile::pidfile;
/// # struct Database;
/// # let folder = std::env::temp_dir().join(format!("pidfile-doc-drop-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # std::env::set_current_dir(&folder).unwrap();
/// #[pidfile("thermod.pid")]
/// fn serve(database: Database) {
///     let database = database; // closed before the pidfile is given back
/// }
/// # serve(Database);
/// # std::fs::remove_dir(&folder).unwrap();
/// ```
///
/// A panic in the body gives the pidfile back while it unwinds.
///
/// # Async functions
///
/// In an `async fn` the pidfile is taken at the first poll, not at the call. It is held across every
/// `.await` and given back when the function is done or its future is dropped. The future stays `Send`.
/// Taking it blocks the thread, with `wait` for as long as that says.
///
/// A plain function that returns a future (`impl Future`, `Pin<Box<dyn Future>>`, `BoxFuture`,
/// `LocalBoxFuture`) is treated like an `async fn` if its body is nothing but an `async` block, or
/// `Box::pin` of one. That is what `#[async_trait]` makes of a method. Any other body is an error,
/// because the pidfile would be gone before the future runs.
///
/// # Other attributes
///
/// Attributes that start a runtime, such as `#[tokio::main]`, `#[actix_rt::main]` or `#[tokio::test]`,
/// may stand above or below. In either order the pidfile is taken before the runtime starts and given
/// back after it is gone. They are known by the last part of their name, `main` or `test`; on an
/// `async fn main` any attribute that is not built into the compiler is taken for one.
///
/// Of other attributes that wrap the body, the lowest is the outermost. So `#[pidfile]` stands above
/// `#[serial]`: first the turn, then the pidfile. `#[test]`, `#[instrument]` and a second `#[pidfile]`
/// may stand on either side. Where `#[rstest]` stands above, it takes the attribute along to the tests
/// that it makes, which have no parameters; below, parameters may be used.
///
/// # Errors
///
/// If the pidfile is not acquired, the body does not run. What happens instead is up to the return type,
/// unless there is `on_error`:
///
/// | return type | in `main` | elsewhere |
/// |---|---|---|
/// | nothing | one line on stderr, `<program>: <error>`, and exit status `error.exit_code()`, 75 if somebody else holds it | a panic with the error's text |
/// | `ExitCode` | the same line, and that status | the same |
/// | `Result<_, E>` where `E: From<pidfile::Error>` | `Err(E::from(error))` | the same |
/// | a type with `pidfile::FromAcquireError` | what that returns | the same |
/// | `!` | as for nothing | as for nothing |
///
/// `E` may be an enum of your own, `pidfile::Error`, `io::Error`, `Box<dyn Error>`, `anyhow::Error`; type
/// aliases are seen through. Every other return type is refused by the compiler.
///
/// # Panics
///
/// A function that returns nothing, or does not return, panics if the pidfile is not acquired, except in
/// `main`. The panic is reported for the caller if the function has `#[track_caller]`.
///
/// # Examples
///
/// ```
/// use std::io;
///
/// use pidfile::pidfile;
///
/// # let folder = std::env::temp_dir().join(format!("pidfile-doc-examples-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # std::env::set_current_dir(&folder)?;
/// struct Job {
///     name: String,
/// }
///
/// impl Job {
///     /// Runs, unless a job of that name does already.
///     #[pidfile(path = format!("{}.pid", self.name))]
///     fn run(&self) -> io::Result<()> {
///         assert!(std::path::Path::new("backup.pid").exists());
///         Ok(())
///     }
/// }
///
/// let job = Job { name: "backup".into() };
/// job.run()?;
/// assert!(!std::path::Path::new("backup.pid").exists());
///
/// let _held = pidfile::PidFile::acquire("backup.pid")?;
/// assert_eq!(job.run().unwrap_err().kind(), io::ErrorKind::WouldBlock);
/// # drop(_held);
/// # std::fs::remove_dir(&folder)?;
/// # Ok::<(), io::Error>(())
/// ```
#[proc_macro_attribute]
pub fn pidfile(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(&arguments.into(), &item.into(), Pass::First).into()
}

/// The second pass of `#[pidfile]`, after the attributes that it waited for.
#[doc(hidden)]
#[proc_macro_attribute]
pub fn __pidfile_deferred(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(&arguments.into(), &item.into(), Pass::Deferred).into()
}

/// Whether other attributes may still be waited for.
#[derive(Clone, Copy, PartialEq)]
enum Pass {
    First,
    Deferred,
}

fn attribute(arguments: &TokenStream, item: &TokenStream, pass: Pass) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let parsed = args::parse(arguments.clone(), &mut mistakes);
    let config = config::check(parsed, &mut mistakes);
    let item = match pass {
        Pass::First => item.clone(),
        Pass::Deferred => entry::without_marker(item.clone()),
    };
    let function = match item::parse(item.clone(), &mut mistakes) {
        Item::Function(function) => function,
        Item::Code => return expand::on_code(&item),
        Item::Refused => return expand::rejected(&mistakes, &item),
    };
    // What is awaited in a value can be awaited only here, in the async function.
    let entry = function.entry.as_ref();
    let entry = entry.filter(|_| pass == Pass::First && !config.awaits);
    if function.is_async && entry.is_none() && pass == Pass::First {
        config::check_waiting(&config, &mut mistakes);
    }
    if !mistakes.is_empty() {
        // As good as it gets, for the editor. Without a handler it may be the handler that is wrong, so
        // nothing is said of the return type.
        let best_effort = Config {
            on_error: config.on_error.or(Some(Handler::Unknown)),
            ..config
        };
        return expand::rejected(&mistakes, &expand::wrapped(&function, &best_effort));
    }
    match entry {
        Some(entry) => expand::deferred(&function, entry, &config, arguments),
        None => expand::wrapped(&function, &config),
    }
}
