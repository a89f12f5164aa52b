//! What is warned of, and allowed.

#![allow(dead_code)]
#![warn(unused)]

#[pidfile::pidfile("app.pid")]
fn unused(parameter: u8) {
    let local = 1;
    let mut changed = 2;
    println!("{changed}");
}

#[pidfile::pidfile("app.pid")]
fn dead() -> Result<u8, pidfile::Error> {
    return Ok(1);
    println!("never");
}

#[pidfile::pidfile("app.pid")]
fn dead_after_panic() -> Result<u8, pidfile::Error> {
    panic!();
    Ok(1)
}

#[pidfile::pidfile("app.pid")]
fn dead_after_loop() -> ! {
    loop {}
    println!("never");
}

#[pidfile::pidfile("app.pid")]
fn not_used() {
    must_use();
    std::fs::read("x");
}

#[pidfile::pidfile("app.pid")]
fn parentheses(x: u8) -> Result<u8, pidfile::Error> {
    if (x > 1) {
        return (Ok(1));
    }
    let y = (x);
    (Ok(y))
}

#[pidfile::pidfile("app.pid")]
fn braces(x: u8) -> Result<u8, pidfile::Error> {
    { Ok({ x }) }
}

#[pidfile::pidfile("app.pid")]
fn BadName(BadParameter: u8) {
    let BadLocal = BadParameter;
}

#[must_use]
#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn must_use() -> u8 {
    1
}

#[deprecated]
#[pidfile::pidfile("app.pid")]
fn old() {}

#[pidfile::pidfile("app.pid")]
fn uses_old() {
    old();
}

#[pidfile::pidfile("app.pid")]
fn assigned() {
    let mut x = 1;
    x = 2;
}

#[pidfile::pidfile("app.pid")]
fn shadowed() {
    use std::fmt;
}

#[pidfile::pidfile("app.pid")]
fn semicolons() {
    ;;
    println!();;
}

#[pidfile::pidfile("app.pid")]
#[allow(unused_variables)]
fn allowed(parameter: u8) {}

#[pidfile::pidfile("app.pid")]
#[expect(unused_variables)]
fn expected(parameter: u8) {}

#[pidfile::pidfile("app.pid")]
#[expect(unused_variables)]
fn expected_in_vain() {}

#[pidfile::pidfile("app.pid")]
fn allowed_inside(parameter: u8) {
    #![allow(unused_variables)]
}

#[pidfile::pidfile("app.pid")]
fn old_type() -> Result<OldNumber, pidfile::Error> {
    Ok(1)
}

#[deprecated]
type OldNumber = u8;

#[pidfile::pidfile("app.pid")]
async fn asynchronous(parameter: u8) -> Result<u8, pidfile::Error> {
    let local = 1;
    async {};
    return Ok(1);
    println!("never");
}

#[pidfile::pidfile("app.pid")]
fn boxed() -> std::pin::Pin<Box<dyn Future<Output = Result<(), pidfile::Error>>>> {
    Box::pin(async move {
        let local = 1;
        return Ok(());
        println!("never");
    })
}

#[pidfile::pidfile("app.pid")]
fn never() -> ! {
    std::process::exit(1);
}

#[pidfile::pidfile("app.pid")]
fn hidden() -> Result<impl Iterator<Item = u8>, pidfile::Error> {
    let local = 1;
    Ok(0..2)
}

fn main() {}
