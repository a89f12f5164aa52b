//! A body of another type than the function.

#[pidfile::pidfile("app.pid")]
fn string() -> Result<(), pidfile::Error> {
    Ok("x")
}

#[pidfile::pidfile("app.pid")]
fn returned() -> Result<(), pidfile::Error> {
    return 3;
}

#[pidfile::pidfile("app.pid")]
fn returned_last() -> Result<(), pidfile::Error> {
    return 3
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn text() -> i32 {
    "x"
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn returned_early(yes: bool) -> i32 {
    if yes {
        return "x";
    }
    1
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn branches(yes: bool) -> i32 {
    if yes { 1 } else { "x" }
}

#[pidfile::pidfile("app.pid")]
fn nothing() {
    1
}

#[pidfile::pidfile("app.pid")]
fn nothing_from_if(yes: bool) {
    if yes {
        1
    }
}

#[pidfile::pidfile("app.pid")]
fn bare_ok() -> Result<u8, pidfile::Error> {
    1
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn wide() -> u8 {
    300u16
}

#[pidfile::pidfile("app.pid")]
fn never() -> ! {
    1
}

#[pidfile::pidfile("app.pid")]
fn never_ends() -> ! {
    let _ = 1;
}

fn main() {}
