//! `#[wasm_bindgen]` below ours, as it must be: above, it has changed the return type.

use std::path::Path;

use pidfile::pidfile;
use wasm_bindgen::prelude::wasm_bindgen;

#[pidfile("app.pid", on_error = |_| false)]
#[wasm_bindgen]
pub fn held() -> bool {
    Path::new("app.pid").exists()
}

fn main() {
    assert!(held());
}
