//! Safety is judged as before.

#[pidfile::pidfile("app.pid")]
fn outside(pointer: *const u8) {
    println!("{}", *pointer);
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
unsafe fn inside(pointer: *const u8) -> u8 {
    *pointer
}

fn main() {}
