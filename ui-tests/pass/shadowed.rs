//! Names that mean something else where the function stands.

#![no_implicit_prelude]

extern crate pidfile as runtime;

mod core {}
mod std {}
mod alloc {}
mod pidfile {}

#[allow(dead_code)]
#[derive(::std::fmt::Debug)]
enum Own {
    Ok,
    Err,
    Some,
    None,
}

#[allow(unused_imports)]
use Own::{Err, None, Ok, Some};

#[allow(dead_code)]
type Result<T> = ::std::vec::Vec<T>;
#[allow(dead_code)]
type Option<T> = Result<T>;
#[allow(dead_code)]
struct Duration;
#[allow(dead_code)]
struct Options;
#[allow(dead_code)]
struct PidFile;

#[allow(non_upper_case_globals, dead_code)]
mod values {
    pub const guard: u8 = 1;
    pub const options: u8 = 1;
    pub const result: u8 = 1;
    pub const error: u8 = 1;
    pub static _guard: u8 = 1;
    pub static __guard: u8 = 1;
    pub static __options: u8 = 1;
    pub static __result: u8 = 1;
    pub static __error: u8 = 1;
    pub static pidfile_guard: u8 = 1;
}
#[allow(unused_imports)]
use values::*;

#[allow(unused_macros)]
macro_rules! panic {
    ($($t:tt)*) => {
        compile_error!("not this one")
    };
}
#[allow(unused_macros)]
macro_rules! eprintln {
    ($($t:tt)*) => {
        compile_error!("not this one")
    };
}

#[allow(dead_code)]
trait Confusing {
    fn acquire(&self) -> u8 {
        1
    }
    fn chmod(self, _: u32) -> Self
    where
        Self: ::std::marker::Sized,
    {
        self
    }
}

impl<T> Confusing for T {}

#[::runtime::pidfile("app.pid", chmod = 0o600)]
fn hold() -> ::runtime::Result<u8> {
    let __pidfile_guard = 3;
    ::std::result::Result::Ok(__pidfile_guard.acquire())
}

#[::runtime::pidfile("app.pid", on_error = |_| __pidfile_guard)]
fn parameters_of_our_names(__pidfile_guard: u8, __pidfile_options: u8, __pidfile_error: u8) -> u8 {
    __pidfile_guard + __pidfile_options + __pidfile_error
}

#[::runtime::pidfile("main.pid")]
fn main() {
    ::std::assert_eq!(::std::result::Result::unwrap(hold()), 1);
    ::std::assert_eq!(parameters_of_our_names(1, 2, 3), 6);
}
