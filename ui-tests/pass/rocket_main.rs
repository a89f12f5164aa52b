//! `#[rocket::main]`, which a server with a pidfile uses instead of `launch`.

use std::path::Path;

use pidfile::pidfile;

#[rocket::get("/")]
#[pidfile("request.pid", on_error = |error| error.to_string())]
async fn index() -> String {
    Path::new("request.pid").exists().to_string()
}

#[pidfile("app.pid", wait = "1m")]
#[rocket::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    assert!(Path::new("app.pid").exists());
    let routes = rocket::routes![index];
    let server = rocket::custom(rocket::Config {
        log_level: rocket::config::LogLevel::Off,
        ..rocket::Config::default()
    })
    .mount("/", routes)
    .ignite()
    .await?;
    let client = rocket::local::asynchronous::Client::untracked(server).await?;
    let answer = client.get("/").dispatch().await.into_string().await;
    assert_eq!(answer.as_deref(), Some("true"));
    Ok(())
}
