//! Two pidfiles above a runtime's attribute.

use std::path::Path;

use pidfile::pidfile;

#[pidfile("a.pid")]
#[pidfile("b.pid")]
#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert!(Path::new("a.pid").exists());
    assert!(Path::new("b.pid").exists());
}
