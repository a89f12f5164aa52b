//! Also in what another attribute makes of an async method, and without an end.

use pidfile::pidfile;

struct Server;

trait Serve {
    fn serve(&self) -> impl Future<Output = ()>;
}

impl Serve for Server {
    #[pidfile(wait, path = "/run/app.pid")]
    fn serve(&self) -> impl Future<Output = ()> {
        async move {}
    }
}

fn main() {
    drop(Server.serve());
}
