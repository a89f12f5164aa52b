//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
macro_rules! number {
    () => {
        1
    };
}

fn main() {
    println!("{}", number!());
}
