//! A future inside something else: nothing would be held while it runs.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
fn connect(fast: bool) -> Result<impl Future<Output = u8>, pidfile::Error> {
    Ok(async move { u8::from(fast) })
}

fn main() {
    drop(connect(true));
}
