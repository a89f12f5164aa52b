//! A method called `main` is not where a program begins: without its pidfile it panics, and the
//! program continues.

use pidfile::{PidFile, pidfile};

struct Stage;

impl Stage {
    #[pidfile("app.pid")]
    fn main(&self) {}
}

trait Main {
    fn main(self: Box<Self>);
}

impl Main for u8 {
    #[pidfile("app.pid")]
    fn main(self: Box<Self>) {}
}

fn main() {
    Stage.main();
    let _held = PidFile::acquire("app.pid").expect("nothing else is there");
    std::panic::catch_unwind(|| Stage.main()).expect_err("it is held");
    std::panic::catch_unwind(|| Main::main(Box::new(1_u8))).expect_err("it is held");
}
