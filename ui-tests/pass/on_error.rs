//! Every way to say what happens instead, and that the body does not.

use pidfile::{PidFile, pidfile};

#[pidfile("app.pid", on_error = std::mem::drop)]
fn dropped(runs: &mut u8) {
    *runs += 1;
}

#[pidfile("app.pid", on_error = complain)]
fn by_name(runs: &mut u8) -> i8 {
    *runs += 1;
    1
}

#[pidfile("app.pid", on_error = |error| {
    eprintln!("{error}");
    -2
})]
fn by_closure(runs: &mut u8) -> i8 {
    *runs += 1;
    1
}

#[pidfile("app.pid", on_error = |error: pidfile::Error| -> i8 { if error.is_running() { return -3 } 0 })]
fn by_typed_closure(runs: &mut u8) -> i8 {
    *runs += 1;
    1
}

#[pidfile("app.pid", on_error = move |_| name)]
fn consuming(name: String, runs: &mut u8) -> String {
    *runs += 1;
    name + "!"
}

#[pidfile("app.pid", on_error = handler)]
fn by_parameter(runs: &mut u8, handler: Box<dyn FnOnce(pidfile::Error) -> i8>) -> i8 {
    *runs += 1;
    1
}

#[pidfile("app.pid", on_error = make_handler(-6))]
fn by_call(runs: &mut u8) -> i8 {
    *runs += 1;
    1
}

#[pidfile("app.pid", on_error = if true { complain } else { complain })]
fn by_choice(runs: &mut u8) -> i8 {
    *runs += 1;
    1
}

#[pidfile("app.pid", on_error = Counter::refused)]
fn by_associated_function(runs: &mut u8) -> Counter {
    *runs += 1;
    Counter(1)
}

struct Counter(i8);

impl Counter {
    fn refused(_: pidfile::Error) -> Self {
        Counter(-8)
    }

    #[pidfile("app.pid", on_error = |_| self.0)]
    fn method(&mut self, runs: &mut u8) -> i8 {
        *runs += 1;
        self.0 = 1;
        1
    }
}

fn complain(error: pidfile::Error) -> i8 {
    eprintln!("{error}");
    -1
}

fn make_handler(result: i8) -> impl FnOnce(pidfile::Error) -> i8 {
    move |_| result
}

fn all(runs: &mut u8) -> (Vec<i8>, String) {
    dropped(runs);
    let numbers = vec![
        by_name(runs),
        by_closure(runs),
        by_typed_closure(runs),
        by_parameter(runs, Box::new(|_| -5)),
        by_call(runs),
        by_choice(runs),
        by_associated_function(runs).0,
        Counter(-9).method(runs),
    ];
    (numbers, consuming("me".into(), runs))
}

fn main() {
    let mut runs = 0;
    assert_eq!(all(&mut runs), (vec![1; 8], "me!".into()));
    assert_eq!(runs, 10);
    let _held = PidFile::acquire("app.pid").unwrap();
    let refused = vec![-1, -2, -3, -5, -6, -1, -8, -9];
    assert_eq!(all(&mut runs), (refused, "me".into()));
    assert_eq!(runs, 10);
}
