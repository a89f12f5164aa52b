//@ editions: 2018 2021 2024
//! Closures that learn what they are given from the return type.

type Error = Box<dyn std::error::Error>;

#[pidfile::pidfile("app.pid", on_error = never)]
fn hidden() -> impl Fn(&str) -> usize {
    |text| text.len()
}

#[pidfile::pidfile("app.pid", on_error = never)]
fn after_a_statement(limit: usize) -> impl Fn(&str) -> &str {
    let limit = limit + 1;
    move |text| &text[..limit]
}

#[pidfile::pidfile("app.pid")]
fn in_a_result() -> Result<impl FnOnce(&mut Vec<u8>), Error> {
    Ok(|all| all.push(1))
}

#[pidfile::pidfile("app.pid")]
fn boxed() -> Result<Box<dyn Fn(&[u8]) -> Option<&u8>>, Error> {
    Ok(Box::new(|all| all.first()))
}

#[pidfile::pidfile("app.pid", on_error = never)]
fn pair() -> (impl Fn(&str) -> bool, u8) {
    (|text| text.is_empty(), 1)
}

#[pidfile::pidfile("app.pid", on_error = never)]
async fn asynchronous() -> impl Fn(&str) -> usize {
    |text| text.len()
}

#[pidfile::pidfile("app.pid", on_error = never)]
fn wrong() -> impl Fn(&str) -> usize {
    |text| text.length()
}

fn never(_: pidfile::Error) -> ! {
    loop {}
}

fn main() {
    let _ = [never, never];
}
