//! The pidfile is taken before the runtime starts and released after it is gone: tokio's attribute above ours.

use std::path::Path;

use pidfile::pidfile;
use tokio::runtime::Handle;

/// Lives in a task of the runtime, so it goes when the runtime does.
struct Probe;

impl Drop for Probe {
    fn drop(&mut self) {
        if !Path::new("app.pid").exists() {
            std::process::abort();
        }
    }
}

fn outside() -> &'static str {
    assert!(Handle::try_current().is_err());
    "app.pid"
}

#[tokio::main(flavor = "current_thread")]
#[pidfile(path = outside())]
async fn main() {
    let probe = Probe;
    tokio::spawn(async move {
        let _probe = probe;
        std::future::pending::<()>().await;
    });
    tokio::task::yield_now().await;
    assert!(Path::new("app.pid").exists());
}
