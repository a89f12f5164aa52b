//! A `main` that returns what no program can.

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn main() -> u8 {
    1
}
