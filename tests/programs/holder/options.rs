//! Steps that set an option for every later step; each has the name of its setter.

use std::ffi::OsStr;
use std::time::Duration;

use pidfile::Options;

use crate::argument::{number, octal};
use crate::state::State;

/// Whether `name` was a step of this file.
pub(crate) fn take(name: &str, value: &OsStr, state: &mut State) -> bool {
    let Some(options) = set(state.options.clone(), name, value) else {
        return false;
    };
    state.options = options;
    true
}

fn set(options: Options, name: &str, value: &OsStr) -> Option<Options> {
    Some(match name {
        "path" => options.path(value),
        "name" => options.name(value),
        "dir" => options.dir(value),
        "dot_pid" => options.dot_pid(number(value)),
        "temp_dir" => options.temp_dir(number(value)),
        "chmod" => options.chmod(octal(value)),
        "uid" => options.uid(number(value)),
        "gid" => options.gid(number(value)),
        "owner" => options.owner(value.to_str()?),
        "group" => options.group(value.to_str()?),
        "lock" => options.lock(number(value)),
        "refuse_live" => options.refuse_live(number(value)),
        "allow_same_process" => options.allow_same_process(number(value)),
        "at_exit" => options.at_exit(number(value)),
        "signals" => options.signals(number(value)),
        "patience" if value == "max" => options.wait(Duration::MAX),
        "patience" => options.wait(Duration::from_millis(number(value))),
        "on-wait" => options.on_wait(|waiting| println!("notice {waiting}")),
        "announce" => pidfile::__private::announce(options),
        "replace" => options.replace(Duration::from_millis(number(value))),
        _ => return None,
    })
}
