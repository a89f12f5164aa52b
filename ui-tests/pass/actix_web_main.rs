//! `#[actix_web::main]` below and above.

use std::path::Path;

use pidfile::pidfile;

#[pidfile("inner.pid")]
#[actix_web::main]
async fn inner() -> std::io::Result<()> {
    assert!(Path::new("inner.pid").exists());
    Ok(())
}

#[actix_web::main]
#[pidfile("app.pid", held = guard)]
async fn main() -> std::io::Result<()> {
    actix_web::rt::time::sleep(std::time::Duration::ZERO).await;
    assert!(guard.verify().is_ok());
    std::thread::spawn(inner).join().unwrap()
}
