//! The pidfile is taken before the runtime starts and released after it is gone: actix' attribute below ours.

use std::path::Path;

use actix_rt::System;
use pidfile::pidfile;

fn outside() -> &'static str {
    assert!(System::try_current().is_none());
    "app.pid"
}

#[pidfile(path = outside())]
#[actix_rt::main]
async fn main() {
    assert!(System::try_current().is_some());
    actix_rt::task::spawn_blocking(|| assert!(Path::new("app.pid").exists())).await.unwrap();
}
