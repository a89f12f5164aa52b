//@ editions: 2018 2021 2024
//! What the body owns goes first, temporaries of its last expression too; then the pidfile; then
//! the parameters that the body did not move.

use std::cell::RefCell;
use std::path::Path;

use pidfile::pidfile;

thread_local! {
    static SEEN: RefCell<Vec<(&'static str, bool)>> = RefCell::default();
}

struct Witness(&'static str);

impl Witness {
    fn number(&self) -> u8 {
        1
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let held = Path::new("app.pid").exists();
        SEEN.with(|seen| seen.borrow_mut().push((self.0, held)));
    }
}

#[pidfile("app.pid", on_error = |_| 0)]
fn hold(_left: Witness, moved: Witness) -> u8 {
    let _moved = moved;
    let _local = Witness("local");
    Witness("temporary").number()
}

/// A body without variables, and one that another macro made.
#[pidfile("app.pid", on_error = |_| 0)]
fn hold_an_expression() -> u8 { Witness("lone").number() }

macro_rules! holding {
    ($name:ident $body:block) => {
        #[pidfile("app.pid", on_error = |_| 0)]
        fn $name() -> u8 $body
    };
}

holding!(hold_in_a_macro {
    let _local = Witness("variable");
    Witness("last").number()
});

fn main() {
    hold(Witness("left"), Witness("moved"));
    let mut seen = SEEN.with(|seen| seen.take());
    assert_eq!(seen.pop(), Some(("left", false)));
    seen.sort();
    assert_eq!(seen, [("local", true), ("moved", true), ("temporary", true)]);

    hold_an_expression();
    hold_in_a_macro();
    let mut seen = SEEN.with(|seen| seen.take());
    seen.sort();
    assert_eq!(seen, [("last", true), ("lone", true), ("variable", true)]);
}
