//! What the borrow checker refuses.

#[pidfile::pidfile("app.pid")]
fn moved(text: String) -> Result<(), pidfile::Error> {
    drop(text);
    drop(text);
    Ok(())
}

#[pidfile::pidfile("app.pid")]
fn twice(numbers: &mut Vec<u8>) {
    let first = &mut numbers[0];
    numbers.push(1);
    *first = 1;
}

#[pidfile::pidfile("app.pid")]
fn local() -> Result<&'static str, pidfile::Error> {
    let text = String::new();
    Ok(&text)
}

#[pidfile::pidfile("app.pid")]
fn parameter(text: String) -> Result<&'static str, pidfile::Error> {
    Ok(&text)
}

#[pidfile::pidfile("app.pid")]
fn immutable(text: String) {
    text.push('x');
}

#[pidfile::pidfile("app.pid")]
fn uninitialised() {
    let x: u8;
    println!("{x}");
}

#[pidfile::pidfile("app.pid")]
fn lifetimes<'a, 'b>(one: &'a str, other: &'b str) -> Result<&'a str, pidfile::Error> {
    Ok(other)
}

#[pidfile::pidfile("app.pid", on_error = |_| Box::new(0))]
fn hidden<'a>(text: &'a str) -> Box<dyn std::fmt::Debug> {
    Box::new(text)
}

#[pidfile::pidfile("app.pid")]
fn thread(text: &str) {
    std::thread::spawn(|| println!("{text}"));
}

#[pidfile::pidfile("app.pid")]
async fn asynchronous(text: String) -> Result<(), pidfile::Error> {
    drop(text);
    println!("{text}");
    Ok(())
}

fn main() {}
