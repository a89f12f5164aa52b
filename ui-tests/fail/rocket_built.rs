//! The same after the attribute has filled in its type.

use pidfile::pidfile;

mod rocket {
    pub(crate) struct Build;
    pub(crate) struct Rocket<P>(pub(crate) P);
}

#[pidfile("/run/app.pid")]
fn server() -> rocket::Rocket<rocket::Build> {
    rocket::Rocket(rocket::Build)
}

fn main() {
    let _ = server().0;
}
