//! Lints that are off unless somebody asks.

#![warn(future_incompatible, let_underscore, nonstandard_style, rust_2018_idioms, rust_2021_compatibility, rust_2024_compatibility, unused)]
#![warn(absolute_paths_not_starting_with_crate, elided_lifetimes_in_paths, explicit_outlives_requirements, let_underscore_drop, missing_copy_implementations, missing_debug_implementations, missing_docs, redundant_lifetimes, single_use_lifetimes, trivial_casts, trivial_numeric_casts, unit_bindings, unnameable_types, unreachable_pub, unsafe_code, unused_extern_crates, unused_import_braces, unused_lifetimes, unused_qualifications, unused_results, variant_size_differences, tail_expr_drop_order, if_let_rescope, impl_trait_redundant_captures, closure_returning_async_block, deprecated_in_future, macro_use_extern_crate, meta_variable_misuse, non_ascii_idents, redundant_imports)]

#[pidfile::pidfile("app.pid")]
fn plain() {}

#[pidfile::pidfile("app.pid")]
fn result(text: &str) -> Result<u8, pidfile::Error> {
    let number = text.len();
    Ok(number as u8)
}

#[pidfile::pidfile("app.pid")]
fn borrowed(text: &str) -> Result<&str, pidfile::Error> {
    Ok(text)
}

#[pidfile::pidfile("app.pid")]
fn borrowed_hidden(text: Text) -> Result<Text, pidfile::Error> {
    Ok(text)
}

struct Text<'a>(&'a str);

#[pidfile::pidfile("app.pid", on_error = |_| 0)]
fn number() -> u8 {
    let x = 1;
    x
}

#[pidfile::pidfile("app.pid")]
fn never() -> ! {
    loop {}
}

#[pidfile::pidfile("app.pid")]
async fn asynchronous() -> Result<(), pidfile::Error> {
    Ok(())
}

pub struct Public;

impl Public {
    #[pidfile::pidfile("app.pid")]
    pub fn method(self) {
        let _ = self;
    }
}

#[pidfile::pidfile("app.pid")]
unsafe fn careful(x: *const u8) -> Result<u8, pidfile::Error> {
    Ok(*x)
}

fn main() {}
