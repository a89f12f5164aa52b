//! Several pidfiles at a time.

use std::fs;
use std::path::Path;

use pidfile::pidfile;

#[pidfile("a.pid")]
#[pidfile("b.pid")]
fn two() -> pidfile::Result<()> {
    assert!(Path::new("a.pid").exists());
    assert!(Path::new("b.pid").exists());
    Ok(())
}

#[pidfile(path = format!("{depth}.pid"))]
fn recursive(depth: usize) -> pidfile::Result<usize> {
    if depth > 0 {
        return recursive(depth - 1);
    }
    Ok(fs::read_dir(".").unwrap().count())
}

fn main() {
    two().unwrap();
    assert_eq!(recursive(3).unwrap(), 4);
    assert_eq!(fs::read_dir(".").unwrap().count(), 0);
}
