//! A crate that wants every `return` to be written.

#![forbid(clippy::implicit_return)]

#[pidfile::pidfile("app.pid")]
fn result() -> Result<u8, pidfile::Error> {
    return Ok(1);
}

#[pidfile::pidfile("app.pid")]
fn hidden() -> Result<impl Iterator<Item = u8>, pidfile::Error> {
    return Ok(0..9);
}

#[pidfile::pidfile("app.pid")]
fn boxed() -> Result<Box<dyn Fn() -> u8>, pidfile::Error> {
    return Ok(Box::new(|| {
        return 1;
    }));
}

#[pidfile::pidfile("app.pid")]
async fn asynchronous() -> Result<u8, pidfile::Error> {
    return Ok(std::future::ready(1).await);
}

#[pidfile::pidfile("app.pid")]
fn endless() -> ! {
    loop {}
}

#[pidfile::pidfile("app.pid")]
fn main() {
    nothing_of_value();
}

#[pidfile::pidfile("app.pid")]
fn nothing_of_value() {}
