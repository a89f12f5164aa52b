//@ rename: deep_inside
//! A crate that passes the runtime on under a name of its own.

mod facade {
    pub use ::deep_inside as inner;
}

use facade::inner::pidfile;

#[pidfile(path = "app.pid", crate = crate::facade::inner)]
fn by_tokens() -> facade::inner::Result<u8> {
    Ok(1)
}

#[pidfile("app.pid", crate = "crate::facade::inner")]
fn by_string() {}

mod deeper {
    #[crate::pidfile("app.pid", crate = super::facade::inner, on_error = |_| 0)]
    pub fn by_relative_path() -> u8 {
        1
    }
}

macro_rules! hold {
    ($name:ident, $runtime:path) => {
        #[pidfile("app.pid", crate = $crate::facade::inner)]
        fn $name() {
            by_fragment();
        }

        #[pidfile("b.pid", crate = $runtime)]
        fn by_fragment() {}
    };
}

hold!(by_macro, facade::inner);

#[pidfile("app.pid", crate = facade::inner)]
async fn asynchronous() {}

fn main() {
    assert_eq!(by_tokens().unwrap(), 1);
    by_string();
    assert_eq!(deeper::by_relative_path(), 1);
    by_macro();
    drop(asynchronous());
}
