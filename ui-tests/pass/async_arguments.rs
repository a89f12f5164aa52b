//! A value may be awaited above an attribute that starts a runtime, which then runs already.

use std::path::Path;

use pidfile::pidfile;
use tokio::runtime::Handle;

async fn place(name: &str) -> String {
    tokio::task::yield_now().await;
    format!("{name}.pid")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    assert!(Handle::try_current().is_err());
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(future)
}

#[pidfile(path = place("inside").await)]
#[tokio::main(flavor = "current_thread")]
async fn inside() {
    assert!(Path::new("inside.pid").exists());
}

/// What is awaited in a block of its own needs no async function.
#[pidfile(path = block_on(async { place("outside").await }))]
#[tokio::main(flavor = "current_thread")]
async fn outside() {
    assert!(Path::new("outside.pid").exists());
}

#[pidfile(path = place("main").await)]
#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert!(Path::new("main.pid").exists());
    for function in [inside, outside] {
        std::thread::spawn(function).join().expect("it ends");
    }
}
