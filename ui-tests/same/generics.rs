//! Bounds that are missing.

#[pidfile::pidfile("app.pid")]
fn print<T>(value: T) {
    println!("{value}");
}

#[pidfile::pidfile("app.pid")]
fn hidden() -> Result<impl Iterator<Item = u8>, pidfile::Error> {
    Ok(1)
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn constant<const N: usize>() -> u8 {
    N
}

#[pidfile::pidfile("app.pid")]
fn unknown_type() -> Result<Vec<_>, pidfile::Error> {
    Ok(Vec::new())
}

fn main() {}
