//! What a function returns may borrow from its parameters, also mutably.

use pidfile::pidfile;

#[pidfile("app.pid")]
fn first(numbers: &mut [u8]) -> Result<&mut u8, pidfile::Error> {
    Ok(&mut numbers[0])
}

#[pidfile("app.pid")]
fn last<'a>(numbers: &'a [u8], _: &u8) -> Result<&'a u8, Box<dyn std::error::Error + 'a>> {
    numbers.last().ok_or_else(|| "there is none".into())
}

#[pidfile("app.pid")]
fn elided(numbers: &[u8]) -> Result<std::slice::Iter<'_, u8>, pidfile::Error> {
    Ok(numbers.iter())
}

#[pidfile("app.pid", on_error = |_| Box::new([].iter()))]
fn object<'a>(numbers: &'a [u8]) -> Box<dyn Iterator<Item = &'a u8> + 'a> {
    Box::new(numbers.iter())
}

#[pidfile("app.pid")]
fn as_future(numbers: &[u8]) -> impl Future<Output = pidfile::Result<Option<&u8>>> + '_ {
    async { Ok(numbers.first()) }
}

struct Stack(Vec<u8>);

impl Stack {
    #[pidfile("app.pid")]
    fn top(&mut self) -> pidfile::Result<Option<&mut u8>> {
        match self.0.last_mut() {
            Some(top) => Ok(Some(top)),
            None => Ok(None),
        }
    }
}

fn main() {
    let mut numbers = [1, 2];
    *first(&mut numbers).unwrap() = 3;
    assert_eq!(numbers, [3, 2]);
    assert_eq!(*last(&numbers, &0).unwrap(), 2);
    assert!(last(&[], &0).is_err());
    assert_eq!(elided(&numbers).unwrap().count(), 2);
    assert_eq!(object(&numbers).count(), 2);
    drop(as_future(&numbers));
    let mut stack = Stack(vec![1]);
    *stack.top().unwrap().unwrap() = 2;
    assert_eq!(stack.0, [2]);
}
