//! How long a storm lasts. A storm does one thing over and over, because the moment at which a
//! broken program fails cannot be chosen.

use std::env::{VarError, var};

/// The length of a storm: short, or as long as its promise says with `PIDFILE_STORMS=long`.
#[track_caller]
pub(crate) fn storm<T>(short: T, long: T) -> T {
    match var("PIDFILE_STORMS").as_deref() {
        Err(VarError::NotPresent) => short,
        Ok("long") => long,
        other => panic!("PIDFILE_STORMS may be `long`, or not set: {other:?}"),
    }
}
