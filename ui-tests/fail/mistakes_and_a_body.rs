//! What is right beside a mistake is as it was: there is nothing more to say.

use pidfile::pidfile;

#[pidfile("/run/app.pid", on_error = "panic", held = guard)]
fn number(text: &str) -> u32 {
    let _ = guard.pid();
    text.len() as u32
}

#[pidfile(path = 5, wait = "soon", lock)]
fn main() {
    number("");
}
