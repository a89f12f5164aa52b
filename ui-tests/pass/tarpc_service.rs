//! A service of `tarpc`, whose methods are asynchronous.

use std::path::Path;

use pidfile::pidfile;

#[tarpc::service]
trait World {
    async fn hello(name: String) -> Result<String, String>;
}

#[derive(Clone)]
struct Server;

impl World for Server {
    #[pidfile(path = format!("{name}.pid"), on_error = |error| Err(error.to_string()))]
    async fn hello(self, _: tarpc::context::Context, name: String) -> Result<String, String> {
        Ok(Path::new("app.pid").exists().to_string())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let context = tarpc::context::current();
    let held = Server.hello(context, "app".into()).await;
    assert_eq!(held.as_deref(), Ok("true"));
    let _serve = Server.serve();
}
