//! What a body may begin with.

use pidfile::pidfile;

#[pidfile("a.pid")]
fn inner_attributes() {
    #![allow(unused_variables)]
    #![cfg_attr(all(), allow(non_snake_case))]
    let Unused = 1;
}

#[pidfile("a.pid")]
fn inner_documentation() {
    //! Said inside.
    /*! Twice. */
}

#[pidfile(path = NAME)]
fn items() -> pidfile::Result<u8> {
    use std::convert::identity;

    const NAME: &str = "not this one";
    struct Local(u8);
    impl Local {
        fn get(&self) -> u8 {
            identity(self.0)
        }
    }
    macro_rules! number {
        () => {
            3
        };
    }
    fn helper() -> u8 {
        Local(number!()).get()
    }
    assert_eq!(NAME, "not this one");
    Ok(helper())
}

const NAME: &str = "a.pid";

#[pidfile("a.pid")]
fn nested() -> pidfile::Result<u8> {
    #[pidfile("b.pid")]
    fn inner() -> pidfile::Result<u8> {
        Ok(1)
    }
    inner()
}

#[pidfile("a.pid")]
fn empty() {}

#[pidfile("a.pid")]
fn statement_only() {
    let _ = 1;
}

fn main() {
    inner_attributes();
    inner_documentation();
    assert_eq!(items().unwrap(), 3);
    assert_eq!(nested().unwrap(), 1);
    empty();
    statement_only();
}
