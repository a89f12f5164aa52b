//! Every way out of a body releases the pidfile.

use std::path::Path;

use pidfile::pidfile;

fn held() -> bool {
    Path::new("app.pid").exists()
}

#[pidfile("app.pid")]
fn early(yes: bool) -> pidfile::Result<u8> {
    if yes {
        return Ok(1);
    }
    assert!(held());
    Ok(2)
}

#[pidfile("app.pid")]
fn question_mark(text: &str) -> Result<u8, Box<dyn std::error::Error>> {
    let number = text.parse()?;
    assert!(held());
    Ok(number)
}

#[pidfile("app.pid")]
fn labelled() -> pidfile::Result<u8> {
    let number = 'outer: {
        for i in 0.. {
            if i == 3 {
                break 'outer i;
            }
        }
        0
    };
    assert!(held());
    Ok(number)
}

#[pidfile("app.pid")]
fn closures() -> pidfile::Result<u8> {
    let inner = |x: u8| {
        if x > 1 {
            return x;
        }
        0
    };
    Ok(inner(2))
}

#[pidfile("app.pid")]
fn nothing() {
    if held() {
        return;
    }
    unreachable!();
}

fn main() {
    for yes in [true, false] {
        early(yes).unwrap();
        assert!(!held());
    }
    assert!(question_mark("x").is_err());
    assert!(!held());
    assert_eq!(question_mark("7").unwrap(), 7);
    assert_eq!(labelled().unwrap(), 3);
    assert_eq!(closures().unwrap(), 2);
    nothing();
    assert!(!held());
}
