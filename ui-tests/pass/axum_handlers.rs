//! `#[axum::debug_handler]` on either side of a handler.

use std::path::Path;
use std::sync::Arc;

use axum::extract::State;
use pidfile::pidfile;

#[axum::debug_handler]
#[pidfile("below.pid", on_error = |error| error.to_string())]
async fn below(State(_): State<Arc<u8>>) -> String {
    Path::new("below.pid").exists().to_string()
}

#[pidfile("above.pid", on_error = |error| error.to_string())]
#[axum::debug_handler]
async fn above(State(_): State<Arc<u8>>) -> String {
    Path::new("above.pid").exists().to_string()
}

#[tokio::main(flavor = "multi_thread")]
#[pidfile("app.pid")]
async fn main() {
    let state = Arc::new(1);
    let router: axum::Router = axum::Router::new()
        .route("/below", axum::routing::get(below))
        .route("/above", axum::routing::get(above))
        .with_state(state.clone());
    drop(router);
    assert_eq!(below(State(state.clone())).await, "true");
    assert_eq!(above(State(state)).await, "true");
}
