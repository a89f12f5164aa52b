//! Bodies that clippy has something to say about, and some that it has not.

#![allow(unused)]

#[pidfile::pidfile("app.pid")]
pub fn plain() {}

/// Documented.
#[pidfile::pidfile("app.pid", chmod = 0o600, lock, signals = false)]
pub fn result(text: &str) -> Result<u8, pidfile::Error> {
    let number = text.len();
    return Ok(number as u8);
}

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
pub fn number(text: String) -> usize {
    let length = text.len();
    length
}

#[pidfile::pidfile("app.pid", on_error = usize::from_error)]
pub fn handler(x: usize) -> usize {
    if x == 1 {
        return 2;
    } else {
        return 3;
    }
}

trait FromError {
    fn from_error(error: pidfile::Error) -> Self;
}

impl FromError for usize {
    fn from_error(error: pidfile::Error) -> usize {
        usize::from(error.exit_code())
    }
}

#[pidfile::pidfile("app.pid")]
pub fn never() -> ! {
    loop {}
}

#[pidfile::pidfile("app.pid")]
pub fn exits() -> ! {
    std::process::exit(1)
}

#[pidfile::pidfile("app.pid")]
pub fn hidden() -> impl std::process::Termination {
    std::process::ExitCode::SUCCESS
}

#[pidfile::pidfile("app.pid")]
pub async fn asynchronous() -> Result<(), pidfile::Error> {
    Ok(())
}

#[pidfile::pidfile("app.pid")]
pub fn boxed() -> std::pin::Pin<Box<dyn Future<Output = Result<u8, pidfile::Error>> + Send>> {
    Box::pin(async move {
        let x = 1;
        return Ok(x);
    })
}

#[pidfile::pidfile("app.pid")]
pub fn matches(x: Option<u8>) -> Result<u8, pidfile::Error> {
    match x {
        Some(x) => Ok(x),
        None => Ok(0),
    }
}

#[pidfile::pidfile("app.pid")]
pub fn unit_value() {
    let x = plain();
    plain()
}

#[pidfile::pidfile("app.pid")]
pub fn lock(mutex: &std::sync::Mutex<u8>) -> Result<u8, pidfile::Error> {
    let guard = mutex.lock().unwrap();
    Ok(*guard)
}

#[pidfile::pidfile("app.pid")]
pub fn question_mark() -> Result<u8, Box<dyn std::error::Error>> {
    Ok("1".parse::<u8>()?)
}

#[pidfile::pidfile("app.pid")]
pub fn nested(x: u8) -> Result<u8, pidfile::Error> {
    if x > 1 {
        if x > 2 {
            if x > 3 {
                return Ok(3);
            }
        }
    }
    Ok({ x })
}

struct Counter(u8);

impl Counter {
    #[pidfile::pidfile("app.pid")]
    pub fn get(&self) -> Result<u8, pidfile::Error> {
        Ok(self.0)
    }

    #[pidfile::pidfile("app.pid")]
    pub fn new() -> Result<Self, pidfile::Error> {
        Ok(Counter(1))
    }

    #[pidfile::pidfile("app.pid")]
    pub fn nothing(&self) {}
}

#[pidfile::pidfile("app.pid")]
fn main() {
    let clone = String::new().clone();
    println!("{}", clone);
}
