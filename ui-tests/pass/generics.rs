//! Lifetimes, bounds, constants and hidden types among the parameters.

use std::fmt::Display;
use std::rc::Rc;
use std::sync::Arc;
use std::pin::Pin;

use pidfile::pidfile;

#[pidfile(path = path)]
fn longer<'a: 'b, 'b, T>(path: &str, one: &'a T, other: &'b T) -> pidfile::Result<&'b T>
where
    T: PartialOrd + ?Sized,
    for<'c> &'c T: Sized,
{
    Ok(if one > other { one } else { other })
}

#[pidfile(path = format!("{N}.pid"), on_error = |_| [0; N])]
fn numbers<const N: usize>() -> [usize; N] {
    [N; N]
}

#[pidfile(path = format!("{}.pid", name))]
fn hidden(name: impl Display + Clone, mut count: u8, (_, last): (u8, &mut u8)) {
    count += 1;
    *last = count;
    drop(name);
}

trait Service {
    const NAME: &'static str;

    #[pidfile(path = Self::NAME)]
    fn run(&self) -> pidfile::Result<&'static str> {
        Ok(Self::NAME)
    }
}

struct Printer {
    name: &'static str,
}

impl Service for Printer {
    const NAME: &'static str = "printer.pid";
}

impl Printer {
    #[pidfile(path = self.name)]
    fn by_reference(&self) -> Result<&str, pidfile::Error> {
        Ok(self.name)
    }

    #[pidfile(path = self.name)]
    fn by_mutable_reference(&mut self) -> Result<&mut Self, pidfile::Error> {
        self.name = "other.pid";
        Ok(self)
    }

    #[pidfile(path = self.name)]
    fn by_value(mut self) -> Result<Self, pidfile::Error> {
        self.name = "b.pid";
        Ok(self)
    }

    #[pidfile(path = self.name)]
    fn boxed(self: Box<Self>) -> Result<Self, pidfile::Error> {
        Ok(*self)
    }

    #[pidfile(path = self.name)]
    fn counted(self: &Rc<Self>) -> pidfile::Result<Rc<Self>> {
        Ok(Rc::clone(self))
    }

    #[pidfile(path = self.name)]
    fn shared(self: Arc<Self>) {}

    #[pidfile(path = self.name)]
    fn pinned(self: Pin<&mut Self>) {}
}

fn main() {
    assert_eq!(longer("a.pid", &1, &2).unwrap(), &2);
    assert_eq!(numbers::<2>(), [2, 2]);
    let mut last = 0;
    hidden("a", 1, (0, &mut last));
    assert_eq!(last, 2);
    let mut printer = Printer { name: "a.pid" };
    assert_eq!(printer.run().unwrap(), "printer.pid");
    assert_eq!(printer.by_reference().unwrap(), "a.pid");
    assert_eq!(printer.by_mutable_reference().unwrap().name, "other.pid");
    let printer = printer.by_value().unwrap();
    let mut printer = Box::new(printer).boxed().unwrap();
    Pin::new(&mut printer).pinned();
    Rc::new(Printer { name: "c.pid" }).counted().unwrap();
    Arc::new(printer).shared();
}
