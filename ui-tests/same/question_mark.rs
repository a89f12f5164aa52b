//! Errors that do not convert.

#[pidfile::pidfile("app.pid")]
fn not_convertible() -> Result<u8, pidfile::Error> {
    let number = "1".parse::<u8>()?;
    Ok(number)
}

#[pidfile::pidfile("app.pid")]
fn option() -> Result<u8, pidfile::Error> {
    let number = None?;
    Ok(number)
}

#[pidfile::pidfile("app.pid")]
fn in_unit() {
    "1".parse::<u8>()?;
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn in_number() -> u8 {
    "1".parse::<u8>()?
}

#[pidfile::pidfile("app.pid")]
async fn in_async() -> Result<u8, pidfile::Error> {
    let number = "1".parse::<u8>()?;
    Ok(number)
}

fn main() {}
