//! A mistake in a value that came through a macro is reported where the caller has written it.

use pidfile::pidfile;

macro_rules! hold {
    ($name:ident, $dir:expr, $wait:literal) => {
        #[pidfile(dir = ($dir), wait = $wait)]
        fn $name() {}
    };
}

hold!(first, "~/run", "5 minutes");

fn main() {
    first();
}
