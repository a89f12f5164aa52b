//! A literal is recognised through fragments; where it stands is for rustc to say.

use pidfile::pidfile;

macro_rules! hold {
    ($path:literal, $mode:expr, $flag:tt) => {
        #[pidfile(path = $path, chmod = $mode, lock = ($flag))]
        fn hold() {}
    };
}

hold!("", 600, 1);

fn main() {
    hold();
}
