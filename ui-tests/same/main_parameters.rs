//! A `main` with parameters.

#[pidfile::pidfile("app.pid")]
fn main(arguments: Vec<String>) {
    drop(arguments);
}
