//! An error type of a crate that has no conversion from every error.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
async fn serve() -> miette::Result<u8> {
    Ok(1)
}

fn main() {
    drop(serve());
}
