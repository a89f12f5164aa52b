//! Nobody runs this future.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
async fn main() {}
