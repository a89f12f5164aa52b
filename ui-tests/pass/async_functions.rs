//! Held from the first poll to the end, or until the future is dropped; still `Send`.

use std::future::Future;
use std::path::Path;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use pidfile::{PidFile, pidfile};

fn held() -> bool {
    Path::new("app.pid").exists()
}

async fn pause() {
    let mut first = true;
    std::future::poll_fn(|_| {
        if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[pidfile("app.pid")]
async fn count(text: &str) -> pidfile::Result<usize> {
    assert!(held());
    pause().await;
    assert!(held());
    Ok(text.len())
}

#[pidfile(path = name(path).await)]
async fn awaiting(path: String) -> pidfile::Result<()> {
    assert!(held());
    pause().await;
    Ok(())
}

async fn name(path: String) -> String {
    pause().await;
    path
}

#[pidfile("app.pid")]
async fn hidden() -> pidfile::Result<impl Iterator<Item = u8>> {
    pause().await;
    Ok(0..3)
}

#[pidfile("app.pid", on_error = |_| Box::new(0))]
async fn coerced() -> Box<dyn std::fmt::Debug + Send> {
    Box::new(1)
}

trait Service {
    fn path(&self) -> &str;

    #[pidfile(path = self.path())]
    #[allow(async_fn_in_trait)]
    async fn run(&mut self) -> pidfile::Result<bool> {
        pause().await;
        Ok(held())
    }
}

struct Named(String);

impl Service for Named {
    fn path(&self) -> &str {
        &self.0
    }
}

struct Other;

impl Service for Other {
    fn path(&self) -> &str {
        "app.pid"
    }

    #[pidfile("app.pid")]
    async fn run(&mut self) -> Result<bool, pidfile::Error> {
        pause().await;
        Ok(held())
    }
}

#[pidfile("app.pid")]
fn returned(text: &str) -> impl Future<Output = pidfile::Result<usize>> + Send {
    async move {
        assert!(held());
        pause().await;
        return Ok(text.len());
    }
}

#[pidfile("app.pid")]
fn boxed(text: &str) -> Pin<Box<dyn Future<Output = pidfile::Result<usize>> + Send + '_>> {
    Box::pin(async move {
        pause().await;
        if held() {
            return Ok(text.len());
        }
        Ok(0)
    })
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[pidfile("app.pid", on_error = |_| 0)]
fn aliased(text: &str) -> BoxFuture<'_, usize> {
    std::boxed::Box::pin(async {
        pause().await;
        text.len()
    })
}

fn runs<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    assert!(!held());
    assert!(poll(future.as_mut()).is_pending());
    loop {
        if let Poll::Ready(output) = poll(future.as_mut()) {
            assert!(!held());
            return output;
        }
    }
}

fn is_send<T: Send>(value: T) -> T {
    value
}

fn main() {
    assert_eq!(runs(is_send(count("abc"))).unwrap(), 3);
    runs(is_send(awaiting("app.pid".into()))).unwrap();
    assert_eq!(runs(is_send(hidden())).unwrap().count(), 3);
    assert!(runs(Named("app.pid".into()).run()).unwrap());
    assert!(runs(Other.run()).unwrap());
    assert_eq!(runs(is_send(returned("abc"))).unwrap(), 3);
    assert_eq!(runs(is_send(boxed("abc"))).unwrap(), 3);
    assert_eq!(runs(is_send(aliased("abc"))), 3);

    let mut future = Box::pin(count("abc"));
    assert!(poll(future.as_mut()).is_pending());
    assert!(held());
    drop(future);
    assert!(!held());

    let _held = PidFile::acquire("app.pid").unwrap();
    assert!(matches!(poll(pin!(count("abc"))), Poll::Ready(Err(error)) if error.is_running()));
    assert!(matches!(poll(pin!(returned("abc"))), Poll::Ready(Err(error)) if error.is_running()));
    assert!(matches!(poll(pin!(boxed("abc"))), Poll::Ready(Err(error)) if error.is_running()));
    assert!(matches!(poll(pin!(aliased("abc"))), Poll::Ready(0)));
    assert!(matches!(poll(pin!(coerced())), Poll::Ready(_)));
}
