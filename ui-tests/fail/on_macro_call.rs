//! The item stays usable.

use pidfile::pidfile;

#[pidfile("/run/app.pid")]
thread_local! {
    static NUMBER: u8 = const { 1 };
}

fn main() {
    NUMBER.with(|number| println!("{number}"));
}
