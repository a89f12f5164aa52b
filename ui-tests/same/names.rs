//! Names that are not there.

#[pidfile::pidfile("app.pid")]
fn unknown_value() {
    unknown();
}

#[pidfile::pidfile("app.pid")]
fn unknown_macro_argument() {
    println!("{unknown}");
}

#[pidfile::pidfile("app.pid")]
fn unknown_type() {
    let x: Unknown = 1;
}

#[pidfile::pidfile("app.pid")]
fn misspelt(number: u8) {
    println!("{}", numbr);
}

#[pidfile::pidfile("app.pid")]
fn generated() {
    drop(__pidfile_options);
    drop(__pidfile_guard);
    drop(__pidfile_result);
}

#[pidfile::pidfile("app.pid")]
fn self_outside() {
    self.x;
}

#[pidfile::pidfile("app.pid")]
fn label() {
    break 'outer;
}

#[pidfile::pidfile("app.pid")]
fn unknown_in_signature(x: Unknown) -> Result<Unknown, pidfile::Error> {
    Ok(x)
}

fn main() {}
