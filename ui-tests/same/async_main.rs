//! An async `main` that nobody runs.

#[pidfile::pidfile("app.pid")]
async fn main() {}
