//! The pidfile is taken before the runtime starts and released after it is gone: actix' attribute above ours.

use std::path::Path;

use actix_rt::System;
use pidfile::pidfile;

fn outside() -> &'static str {
    assert!(System::try_current().is_none());
    "app.pid"
}

#[actix_rt::main]
#[pidfile(path = outside())]
async fn main() {
    assert!(System::try_current().is_some());
    actix_rt::task::spawn_blocking(|| assert!(Path::new("app.pid").exists())).await.unwrap();
}
