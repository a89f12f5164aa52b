//! What is said of signatures.

#[pidfile::pidfile("app.pid")]
fn missing(one: &str, other: &str) -> Result<&str, pidfile::Error> {
    Ok(one)
}

#[pidfile::pidfile("app.pid")]
fn undeclared(text: &'a str) {}

#[pidfile::pidfile("app.pid")]
fn duplicate(x: u8, x: u8) {}

fn main() {}
