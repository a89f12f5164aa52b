//! A body that is not Rust.

struct Number(u8);

#[pidfile::pidfile("app.pid")]
fn number() -> Result<Number, pidfile::Error> {
    let x = ;
    Ok(Number(x))
}

fn main() {}
