//! `#[async_trait]` makes boxed futures of methods; the pidfile is held in the future.

use std::path::Path;

use async_trait::async_trait;
use pidfile::pidfile;
use tracing::instrument;

fn held() -> bool {
    Path::new("app.pid").exists()
}

#[async_trait]
trait Service: Sync {
    async fn run(&self, path: &str) -> pidfile::Result<bool>;

    #[pidfile("app.pid")]
    async fn by_default(&self) -> pidfile::Result<bool> {
        tokio::task::yield_now().await;
        Ok(held())
    }

    #[pidfile("app.pid")]
    async fn nothing(&self) {
        tokio::task::yield_now().await;
        assert!(held());
    }
}

struct Printer;

#[async_trait]
impl Service for Printer {
    #[pidfile(path = path)]
    async fn run(&self, path: &str) -> pidfile::Result<bool> {
        tokio::task::yield_now().await;
        Ok(held())
    }

    #[pidfile("app.pid")]
    #[instrument(skip_all)]
    async fn by_default(&self) -> pidfile::Result<bool> {
        tokio::task::yield_now().await;
        Ok(held())
    }

    #[instrument(skip_all)]
    #[pidfile("app.pid", on_error = |_| ())]
    async fn nothing(&self) {
        tokio::task::yield_now().await;
        assert!(held());
    }
}

struct Plain;

#[async_trait]
impl Service for Plain {
    #[pidfile(path = path, on_error = |error| Err(error))]
    async fn run(&self, path: &str) -> pidfile::Result<bool> {
        tokio::task::yield_now().await;
        Ok(held())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let services: [Box<dyn Service>; 2] = [Box::new(Printer), Box::new(Plain)];
    for service in services {
        let future = service.run("app.pid");
        assert!(!held());
        assert!(future.await.unwrap());
        assert!(service.by_default().await.unwrap());
        service.nothing().await;
    }
    assert!(!held());
}
