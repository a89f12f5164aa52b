//! The guard under a name of the author's choice.

use std::path::Path;

use pidfile::{PidFile, pidfile};

#[pidfile("app.pid", held = guard)]
fn held() -> pidfile::Result<u32> {
    assert!(guard.verify().is_ok());
    assert!(guard.path().ends_with("app.pid"));
    Ok(guard.pid())
}

/// The author may release it early, or keep it.
#[pidfile("early.pid", held = file)]
fn early() -> pidfile::Result<()> {
    file.release()?;
    assert!(!Path::new("early.pid").exists());
    Ok(())
}

#[pidfile("longer.pid", held = longer)]
fn longer() -> pidfile::Result<PidFile> {
    Ok(longer)
}

struct Job<'a> {
    name: &'a str,
}

impl Job<'_> {
    #[pidfile(path = self.name, held = r#match)]
    async fn run(&self) -> pidfile::Result<bool> {
        std::future::ready(()).await;
        Ok(r#match.path().ends_with(self.name))
    }
}

#[pidfile("boxed.pid", held = inside)]
fn boxed() -> std::pin::Pin<Box<dyn Future<Output = pidfile::Result<bool>>>> {
    Box::pin(async { Ok(inside.verify().is_ok()) })
}

macro_rules! holding {
    ($name:ident, $guard:ident, $body:block) => {
        #[pidfile("macro.pid", held = $guard)]
        fn $name() -> pidfile::Result<u32> $body
    };
}

holding!(in_a_macro, given, { Ok(given.pid()) });

#[pidfile("outer.pid", held = outer)]
#[pidfile("inner.pid", held = inner)]
fn two() -> pidfile::Result<()> {
    assert!(outer.path() != inner.path());
    Ok(())
}

/// The variable is there in the runtime that another attribute starts.
#[pidfile("main.pid", held = guard)]
#[tokio::main(flavor = "current_thread")]
async fn main() {
    tokio::task::yield_now().await;
    assert!(guard.verify().is_ok());
    assert_eq!(held().unwrap(), std::process::id());
    early().unwrap();
    let kept = longer().unwrap();
    assert!(Path::new("longer.pid").exists());
    drop(kept);
    assert!(Job { name: "job.pid" }.run().await.unwrap());
    assert!(boxed().await.unwrap());
    assert_eq!(in_a_macro().unwrap(), std::process::id());
    two().unwrap();
}
