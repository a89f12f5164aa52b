//! The last expression became a statement.

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn number(x: i32) -> i32 {
    x + 1;
}

#[pidfile::pidfile("app.pid")]
fn result() -> Result<(), pidfile::Error> {
    println!("done")
}

#[pidfile::pidfile("app.pid")]
fn lost_result() -> Result<u8, pidfile::Error> {
    Ok(1);
}

#[pidfile::pidfile("app.pid")]
fn empty() -> Result<(), pidfile::Error> {}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn empty_number() -> i32 {}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn in_a_loop() -> i32 {
    for i in 0..3 {
        i
    }
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn in_a_branch(yes: bool) -> i32 {
    if yes {
        1
    }
}

fn main() {}
