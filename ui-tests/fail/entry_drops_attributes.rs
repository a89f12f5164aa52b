//! An attribute that drops those below it.

use pidfile::pidfile;

mod macroquad {
    pub(crate) struct Window;

    impl Window {
        pub(crate) fn new(_: &str, _: impl Future) {}
    }
}

#[pidfile("/run/app.pid")]
#[macroquad_macro::main("Thermometer")]
async fn main() {
    #![allow(unused)]
    let _ = 1;
}
