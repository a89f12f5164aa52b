//! Async functions, and functions that return futures.

fn is_send(_: impl Send) {}

#[pidfile::pidfile("app.pid")]
async fn not_send() -> Result<(), pidfile::Error> {
    let shared = std::rc::Rc::new(1);
    pause().await;
    drop(shared);
    Ok(())
}

async fn pause() {}

fn send() {
    is_send(not_send());
}

#[pidfile::pidfile("app.pid")]
fn awaits_outside() {
    pause().await;
}

#[pidfile::pidfile("app.pid")]
async fn wrong() -> Result<u8, pidfile::Error> {
    pause().await
}

#[pidfile::pidfile("app.pid")]
fn boxed() -> std::pin::Pin<Box<dyn Future<Output = Result<u8, pidfile::Error>>>> {
    Box::pin(async move {
        let number = "1".parse()?;
        pause();
        unknown();
        Ok(number)
    })
}

fn main() {}
