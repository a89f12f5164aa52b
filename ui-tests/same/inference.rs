//! Types that cannot be told.

#[pidfile::pidfile("app.pid")]
fn closure() {
    let f = |x| x;
}

#[pidfile::pidfile("app.pid")]
fn collected() {
    let all = "".chars().collect();
}

#[pidfile::pidfile("app.pid")]
fn parsed() -> Result<u8, pidfile::Error> {
    let x = "1".parse().unwrap();
    Ok(1)
}

#[pidfile::pidfile("app.pid")]
fn nested() -> Result<u8, pidfile::Error> {
    let x = None;
    Ok(1)
}

fn main() {}
