//! Functions that other macros make, from every kind of fragment.

use pidfile::pidfile;

macro_rules! simple {
    ($name:ident, $path:expr) => {
        #[pidfile(path = $path)]
        fn $name() {}
    };
}

simple!(by_expression, format!("{}.pid", 1));
simple!(by_literal, "app.pid");

macro_rules! all_kinds {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($($param:pat => $ty:ty),*) -> $ret:ty, $path:path, $key:ident = $value:tt, $lit:literal; $body:block) => {
        $(#[$meta])*
        #[pidfile(path = $path, $key = $value, on_error = |_| $lit)]
        $vis fn $name($($param: $ty),*) -> $ret $body
    };
}

const PATH: &str = "app.pid";

all_kinds! {
    /// Documented.
    #[inline]
    pub fn kinds(a => u8, (b, _) => (u8, u8)) -> u8, self::PATH, chmod = 0o600, 7; {
        let sum = a + b;
        sum
    }
}

all_kinds! {
    fn no_parameters() -> u8, PATH, lock = true, 7; { 1 }
}

macro_rules! item {
    ($item:item) => {
        #[pidfile("app.pid")]
        $item
    };
}

item! {
    fn whole() -> pidfile::Result<u8> {
        Ok(1)
    }
}

macro_rules! arguments {
    ($arguments:meta, $($rest:tt)*) => {
        #[pidfile($arguments, $($rest)*)]
        fn from_arguments() {}
    };
}

arguments!(path = "app.pid", lock, chmod = 0o600,);

macro_rules! body {
    ($body:expr, $never:ty) => {
        #[pidfile("app.pid")]
        fn from_expression() -> pidfile::Result<u8> {
            $body
        }

        #[pidfile("app.pid")]
        fn _never() -> $never {
            loop {}
        }
    };
}

body!(Ok(1), !);

fn main() {
    by_expression();
    by_literal();
    assert_eq!(kinds(1, (2, 0)), 3);
    assert_eq!(no_parameters(), 1);
    assert_eq!(whole().unwrap(), 1);
    from_arguments();
    assert_eq!(from_expression().unwrap(), 1);
}
