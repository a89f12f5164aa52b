//! The attribute of the crate `pidfile`; use it from there.
//!
//! A use of the attribute passes through four rooms: `args` reads the arguments, `config` judges them,
//! `item` looks at the function, and `expand` writes the result. Mistakes are collected on the way and
//! reported together.

mod args;
mod body;
mod config;
mod entry;
mod expand;
mod failure;
#[cfg(any(test, pidfile_fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod item;
mod keys;
mod literals;
mod mistakes;
#[cfg(test)]
mod noise;
mod renamed;
mod returns;
mod site;
#[cfg(test)]
mod tests;
mod toml;
mod value;

// Known without this in a crate of macros only, and the fuzzer needs an ordinary library.
#[cfg(pidfile_fuzzing)]
extern crate proc_macro;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;

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
/// The attribute works on any function that has a body: `main`, helpers, methods, and functions that are
/// generic, `async`, `unsafe` or `extern "C"`. The function keeps its signature and its attributes, and
/// the compiler's messages about its body stay the same.
///
/// # Arguments
///
/// A string that comes first and has no key is the path. All other arguments are written `key = value`,
/// in any order. A key that takes `true` or `false` may stand alone, which means `true`; `wait` may stand
/// alone too. Without arguments, the pidfile is named after the program and placed in the default
/// directory.
///
/// Except for `held`, `on_error` and `crate`, each argument calls the setter of that name on
/// `pidfile::Options`, in the order in which the arguments are written. A value is an expression of the
/// function. It may use parameters, `self`, `?` and, in an `async fn`, `.await`, but not the items and
/// variables of the body. It is evaluated once per call, before the body. The body cannot use what a
/// value has moved; `path = &path` borrows instead.
///
/// Literals are checked when the function is compiled, and all mistakes are reported at once.
///
/// ### `path`, `name`, `dir`, `temp_dir`, `dot_pid`
///
/// Where the file goes: either `path`, or a combination of the others (`dir` and `temp_dir` exclude each
/// other).
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
/// `temp_dir` uses a private directory below the one for temporary files. `dot_pid = false` keeps the
/// name as it is, without adding `.pid`:
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
/// The permissions and the owner of the file. A literal mode is written in octal: `600` and `"600"` are
/// errors, because neither means what it seems to.
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
/// `uid` and `gid` take numbers, `owner` and `group` take names. Give one of each pair.
///
/// ### `lock`, `refuse_live`, `allow_same_process`
///
/// Which processes count as already running. The setters of `pidfile::Options` explain them in full.
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
/// How long to wait for the holder to leave: a `Duration`, or a string such as `"500ms"`, `"5s"`,
/// `"1m30s"` or `"1h"`, which is converted when the function is compiled. A bare `wait` waits forever.
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
/// ### `replace`
///
/// How long to give the holder to leave after it has been told to stop; the function then takes its
/// place. It takes a duration, as `wait` does, and excludes `wait`.
///
/// ### `held`
///
/// A name for the guard. The body can then ask it for its path, or whether the file is still there:
///
/// ```no_run
/// # use pidfile::pidfile;
/// # fn work() {}
/// #[pidfile("/run/thermod.pid", held = guard)]
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     println!("holding {}", guard.path().display());
///     work();
///     guard.verify()?;
///     Ok(())
/// }
/// ```
///
/// stands for
///
/// ```no_run
/// # fn work() {}
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let guard = pidfile::Options::new().path("/run/thermod.pid").acquire()?;
///     println!("holding {}", guard.path().display());
///     work();
///     guard.verify()?;
///     Ok(())
/// }
/// ```
///
/// It is an ordinary variable, a `pidfile::PidFile`: `guard.release()` releases the file early.
///
/// ### `at_exit`, `signals`
///
/// Whether the file is also removed when the process exits, or is ended by a signal, while the function
/// runs. Both default to `true`.
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
/// What to return when the pidfile is not acquired, for return types that cannot express it (see
/// [Errors](#errors)): a function or a closure that takes the `pidfile::Error`. It is evaluated only on
/// failure, and may then consume parameters.
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
/// The path of the runtime, if it is not `::pidfile`: for crates that re-export it, and for dependencies
/// that are renamed in `Cargo.toml`. Write it as a path, or as a path in a string. Without it, a renamed
/// dependency is an error, which says what to write.
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
/// The pidfile outlives everything that the body owns. The body's variables and the temporaries of its
/// last expression are dropped first, in every edition; then the pidfile is released. Parameters live
/// longer, as they do in every function. To drop one before the next instance can start, move it into
/// the body:
///
/// ```
/// # use pidfile::pidfile;
/// # struct Database;
/// # let folder = std::env::temp_dir().join(format!("pidfile-doc-drop-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// # std::env::set_current_dir(&folder).unwrap();
/// #[pidfile("thermod.pid")]
/// fn serve(database: Database) {
///     let database = database; // closed before the pidfile is released
/// }
/// # serve(Database);
/// # std::fs::remove_dir(&folder).unwrap();
/// ```
///
/// If the body panics, the pidfile is released during unwinding.
///
/// # Async functions
///
/// In an `async fn` the pidfile is taken at the first poll, not at the call. It is held across every
/// `.await` and released when the function completes or its future is dropped. The future stays `Send`,
/// and is as small as one that acquires by hand.
///
/// Acquiring blocks the thread. `wait` and `replace` would block the executor for as long as they take,
/// so they are errors in an `async fn`, unless an attribute that starts the runtime stands beside ours
/// (see [below](#other-attributes)). Acquire in the body instead, and sleep as your runtime does:
///
/// ```no_run
/// # async fn sleep(_: std::time::Duration) {}
/// async fn serve() -> Result<(), pidfile::Error> {
///     let options = pidfile::Options::new().path("/run/thermod.pid");
///     let _held = loop {
///         match options.acquire() {
///             Err(error) if error.is_running() => {
///                 sleep(std::time::Duration::from_millis(100)).await;
///             }
///             result => break result?,
///         }
///     };
///     Ok(())
/// }
/// ```
///
/// A plain function that returns a future (`impl Future`, `impl IntoFuture`, `Pin<Box<dyn Future>>`,
/// `BoxFuture`, `LocalBoxFuture`) is treated like an `async fn` if its body is nothing but an `async`
/// block, boxed or not: `Box::pin(async move { .. })` and `async move { .. }.boxed()` both work. This is
/// what `#[async_trait]` makes of a method. With any other body, or a future inside another type such as
/// `Result<impl Future, E>`, it is an error, because the pidfile would be released before the future
/// runs.
///
/// # Other attributes
///
/// Attributes that start a runtime, such as `#[tokio::main]`, `#[actix_web::main]`, `#[rocket::main]` or
/// `#[tokio::test]`, may stand above or below. In either order the pidfile is taken before the runtime
/// starts and released after the runtime has ended. `#[async_std::main]` is an exception: it takes our
/// attribute along into the runtime, which runs nothing else until the pidfile is held. A value with an
/// `.await` also keeps the pidfile inside the runtime.
///
/// Such attributes are recognized by the last part of their name, `main` or `test`. On an `async fn main`
/// every attribute that is not built into the compiler counts as one. Some of them drop the attributes
/// below, for example `#[macroquad::main]` and `#[embassy_executor::main]`. This is an error: put
/// `#[pidfile]` on a function that `main` calls. `#[rocket::launch]` is an error too, because its function
/// is over before the server runs; use `#[rocket::main]`.
///
/// Of other attributes that wrap the body, the lowest is the outermost. So `#[pidfile]` stands above
/// `#[serial]`: first the turn, then the pidfile. It also stands above attributes that change the return
/// type, such as `#[snafu::report]` and `#[wasm_bindgen]`. `#[test]`, `#[instrument]`,
/// `#[axum::debug_handler]`, `#[test_log::test]` and a second `#[pidfile]` may stand on either side.
/// `#[test_case]` stands above. `#[rstest]` above ours takes our attribute along to the tests that it
/// makes, which have no parameters; below `#[pidfile]`, values may use the parameters.
///
/// # Errors
///
/// If the pidfile is not acquired, the body does not run. Unless `on_error` is given, the return type
/// decides what happens instead:
///
/// | return type | in `main` | elsewhere |
/// |---|---|---|
/// | nothing | one line on stderr, `<program>: <error>`, and exit status `error.exit_code()`, 75 if another process holds it | a panic with the error's text |
/// | `ExitCode` | the same line, and that status | the same |
/// | `Result<_, E>` where `E: From<pidfile::Error>` | `Err(E::from(error))` | the same |
/// | a type that implements `pidfile::FromAcquireError` | the result of that | the same |
/// | `!` | as for nothing | as for nothing |
///
/// `E` may be your own error type, `pidfile::Error`, `io::Error`, `Box<dyn Error>`, `anyhow::Error` or
/// `eyre::Report`, also behind an alias. Every other return type is a compile error. A method called `main`
/// is not the program's `main`.
///
/// # Panics
///
/// Outside of `main`, a function that returns nothing or never returns panics if the pidfile is not
/// acquired. With `#[track_caller]`, the panic points at its caller.
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
#[cfg_attr(not(pidfile_fuzzing), proc_macro_attribute)]
pub fn pidfile(
    arguments: proc_macro::TokenStream,
    item: proc_macro::TokenStream,
) -> proc_macro::TokenStream {
    attribute(&arguments.into(), &item.into(), Pass::First).into()
}

/// The second pass of `#[pidfile]`, after the attributes that it waited for.
#[doc(hidden)]
#[cfg_attr(not(pidfile_fuzzing), proc_macro_attribute)]
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
    let mut config = config::check(parsed, &mut mistakes);
    if config.runtime.is_none() && !args::mentions_runtime(arguments) {
        config.runtime = renamed_runtime(&mut mistakes);
    }
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

/// The runtime under the name that the manifest has for it, which the arguments should have given.
fn renamed_runtime(mistakes: &mut Mistakes) -> Option<TokenStream> {
    let names = renamed::names();
    let name = Ident::new(names.first()?, Span::mixed_site());
    mistakes.at(TokenStream::new(), renamed::message(&names));
    Some(quote_spanned!(Span::mixed_site()=> ::#name))
}
