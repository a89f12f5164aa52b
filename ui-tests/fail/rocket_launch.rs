//! A server that is only described.

use pidfile::pidfile;

mod rocket {
    pub(crate) use actix_rt::test as launch;
}

#[pidfile("/run/app.pid")]
#[rocket::launch]
async fn server() {}

fn main() {}
