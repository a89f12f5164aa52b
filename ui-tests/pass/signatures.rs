//! Everything that may stand on a function, above and below the attribute, stays on it.

#![deny(missing_docs)]

//! So this crate has documentation.

use pidfile::{PidFile, pidfile};

/// Documented above.
#[pidfile("app.pid", on_error = |_| -1)]
pub extern "C" fn for_c() -> i32 {
    1
}

#[pidfile("app.pid", on_error = |_| 0)]
/// Documented below.
///
/// # Safety
///
/// The pointer can be read.
pub unsafe fn careful(pointer: *const u8) -> u8 {
    unsafe { *pointer }
}

#[inline]
#[pidfile("app.pid")]
#[must_use]
pub(crate) fn inlined() -> pidfile::Result<u8> {
    Ok(1)
}

#[expect(unused_variables)]
#[pidfile("app.pid")]
fn expected_above() {
    let unused = 1;
}

#[pidfile("app.pid")]
#[expect(unused_variables)]
fn expected_below() {
    let unused = 1;
}

#[pidfile("app.pid")]
#[deprecated]
#[cold]
#[track_caller]
fn old() {}

#[unsafe(no_mangle)]
#[pidfile("app.pid")]
extern "C-unwind" fn known_to_the_linker() {}

fn main() {
    let _: [unsafe fn(*const u8) -> u8; 1] = [careful];
    let _: extern "C" fn() -> i32 = for_c;
    assert_eq!(for_c(), 1);
    assert_eq!(unsafe { careful(&3) }, 3);
    assert_eq!(inlined().unwrap(), 1);
    expected_above();
    expected_below();
    #[allow(deprecated)]
    old();
    known_to_the_linker();
    let _held = PidFile::acquire("app.pid").unwrap();
    assert_eq!(for_c(), -1);
    assert_eq!(unsafe { careful(&3) }, 0);
}
